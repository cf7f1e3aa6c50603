"""Auto Scaling: groups that follow their desired capacity."""
import secrets

from cloud.wire import Error
from cloud.world import Service, utcnow


class AutoScaling(Service):
    name = "autoscaling"

    def new_group(self, name, least=1, most=4, size=2):
        thing = {"AutoScalingGroupName": name, "AutoScalingGroupARN": self.arn("autoScalingGroup:1ab:autoScalingGroupName/" + name), "MinSize": least, "MaxSize": most,
                 "DesiredCapacity": size, "DefaultCooldown": 300, "AvailabilityZones": [self.region + "a", self.region + "b"], "HealthCheckType": "ELB", "Tags": [],
                 "HealthCheckGracePeriod": 60, "CreatedTime": utcnow(), "Instances": [], "LoadBalancerNames": [], "TargetGroupARNs": []}
        thing["Instances"] = [self.instance("InService", n) for n in range(size)]
        self.table("group")[name] = thing
        return thing

    def instance(self, state, n):
        return {"InstanceId": "i-" + secrets.token_hex(8), "AvailabilityZone": self.region + "ab"[n % 2], "LifecycleState": state, "HealthStatus": "Healthy",
                "ProtectedFromScaleIn": False, "InstanceType": "t3.micro"}

    def DescribeAutoScalingGroups(self):
        names = self.p.get("AutoScalingGroupNames")
        page, token = self.page([t for n, t in sorted(self.table("group").items()) if not names or n in names], "MaxRecords", "NextToken", 50)
        return {"AutoScalingGroups": page, "NextToken": token}

    def CreateAutoScalingGroup(self):
        p, name = self.p, self.p["AutoScalingGroupName"]
        if name in self.table("group"):
            raise Error("AlreadyExists", "AutoScalingGroup by this name already exists")
        thing = self.new_group(name, p["MinSize"], p["MaxSize"], 0)
        self.resize(thing, p.get("DesiredCapacity", p["MinSize"]))

    def DeleteAutoScalingGroup(self):
        thing = self.group()
        if thing["Instances"] and not self.p.get("ForceDelete"):
            raise Error("ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances still in the group.")
        self.table("group").pop(thing["AutoScalingGroupName"])
        self.note(object=thing["AutoScalingGroupName"])

    def group(self):
        found = self.table("group").get(self.p["AutoScalingGroupName"])
        if found is None:
            raise Error("ValidationError", "AutoScalingGroup name not found - AutoScalingGroup: %s not found" % self.p["AutoScalingGroupName"], 400)
        return found

    def resize(self, thing, wanted):
        if not thing["MinSize"] <= wanted <= thing["MaxSize"]:
            raise Error("ValidationError", "New SetDesiredCapacity value %d is %s value %d for the AutoScalingGroup." % (
                wanted, "above max" if wanted > thing["MaxSize"] else "below min", thing["MaxSize"] if wanted > thing["MaxSize"] else thing["MinSize"]), 400)
        thing["DesiredCapacity"] = wanted
        live = [i for i in thing["Instances"] if not i["LifecycleState"].startswith("Terminating")]
        for n in range(len(live), wanted):
            new = self.instance("Pending", n)
            thing["Instances"].append(new)
            self.course(new, "LifecycleState", ("autoscaling.scale", "InService"))
        for old in live[wanted:]:
            old["LifecycleState"] = "Terminating"
            self.course(old, "LifecycleState", ("autoscaling.scale", "Terminated", lambda i: thing["Instances"].remove(i)))
        self.note(object=thing["AutoScalingGroupName"], desired=wanted)

    def SetDesiredCapacity(self):
        self.resize(self.group(), self.p["DesiredCapacity"])

    def UpdateAutoScalingGroup(self):
        thing, p = self.group(), self.p
        before = {n: thing[n] for n in ("MinSize", "MaxSize")}
        thing.update({n: p[n] for n in ("MinSize", "MaxSize", "DefaultCooldown", "HealthCheckType", "HealthCheckGracePeriod") if n in p})
        wanted = p.get("DesiredCapacity", min(max(thing["DesiredCapacity"], thing["MinSize"]), thing["MaxSize"]))
        try:
            self.resize(thing, wanted)
        except Error:
            thing.update(before)
            raise
