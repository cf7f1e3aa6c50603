"""Elastic Load Balancing: listeners of a balancer, and targets that become healthy after a while."""
import secrets

from cloud.wire import Error
from cloud.world import Service

WHY = {"initial": ("Elb.RegistrationInProgress", "Target registration is in progress"), "draining": ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
       "unhealthy": ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]")}


class Balancers(Service):
    name = "elbv2"

    def new_balancer(self, arn):
        self.table("balancer")[arn] = {"LoadBalancerArn": arn, "LoadBalancerName": arn.split("/")[-2], "DNSName": arn.split("/")[-2] + ".elb.lab-dns.net", "Type": "application",
                                       "CanonicalHostedZoneId": "Z368ELLRRE2KJ0", "Scheme": "internet-facing", "State": {"Code": "active"}, "VpcId": "vpc-1ab0"}

    def new_group(self, arn, *targets):
        self.table("group")[arn] = {"TargetGroupArn": arn, "TargetGroupName": arn.split("/")[-2], "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1ab0", "TargetType": "instance",
                                    "targets": {t: {"Target": {"Id": t, "Port": 80}, "state": "healthy"} for t in targets}}

    def found(self, kind, arn, code, what):
        if arn not in self.table(kind):
            raise Error(code, "One or more %s not found" % what)
        return self.table(kind)[arn]

    def DescribeLoadBalancers(self):
        arns, names = self.p.get("LoadBalancerArns"), self.p.get("Names")
        things = [t for _, t in sorted(self.table("balancer").items()) if (not arns or t["LoadBalancerArn"] in arns) and (not names or t["LoadBalancerName"] in names)]
        if len(things) < len(arns or names or ()):
            raise Error("LoadBalancerNotFound", "Load balancers '[%s]' not found" % ", ".join(arns or names))
        page, marker = self.page(things, "PageSize", "Marker", 400)
        return {"LoadBalancers": page, "NextMarker": marker}

    def DescribeListeners(self):
        arn, arns = self.p.get("LoadBalancerArn"), self.p.get("ListenerArns")
        if arn:
            self.found("balancer", arn, "LoadBalancerNotFound", "load balancers")
        for one in arns or ():
            self.found("listener", one, "ListenerNotFound", "listeners")
        things = [t for _, t in sorted(self.table("listener").items()) if (not arn or t["LoadBalancerArn"] == arn) and (not arns or t["ListenerArn"] in arns)]
        page, marker = self.page(things, "PageSize", "Marker", 400)
        return {"Listeners": page, "NextMarker": marker}

    def CreateListener(self):
        p = self.p
        self.found("balancer", p["LoadBalancerArn"], "LoadBalancerNotFound", "load balancers")
        self.check(p)
        for known in self.table("listener").values():
            if (known["LoadBalancerArn"], known["Port"]) == (p["LoadBalancerArn"], p["Port"]):
                same = all(known.get(n) == p.get(n) for n in ("Protocol", "DefaultActions", "Certificates"))
                if same:
                    return self.repeat({"Listeners": [known]})
                raise Error("DuplicateListener", "A listener already exists on this port for this load balancer '%s'" % p["LoadBalancerArn"])
        arn = p["LoadBalancerArn"].replace(":loadbalancer/", ":listener/") + "/" + secrets.token_hex(8)
        thing = {n: p[n] for n in ("LoadBalancerArn", "Port", "Protocol", "Certificates", "SslPolicy", "DefaultActions") if n in p}
        self.table("listener")[arn] = dict(thing, ListenerArn=arn)
        self.note(object=arn, port=p["Port"])
        return {"Listeners": [self.table("listener")[arn]]}

    def check(self, p):
        for action in p.get("DefaultActions", ()):
            if action.get("TargetGroupArn"):
                self.found("group", action["TargetGroupArn"], "TargetGroupNotFound", "target groups")
        if p.get("Protocol") == "HTTPS" and not p.get("Certificates"):
            raise Error("ValidationError", "A certificate must be specified for HTTPS listeners", 400)

    def ModifyListener(self):
        thing = self.found("listener", self.p["ListenerArn"], "ListenerNotFound", "listeners")
        self.check(self.p)
        thing.update(self.p)
        self.note(object=thing["ListenerArn"])
        return {"Listeners": [thing]}

    def DeleteListener(self):
        thing = self.found("listener", self.p["ListenerArn"], "ListenerNotFound", "listeners")
        self.table("listener").pop(thing["ListenerArn"])
        self.note(object=thing["ListenerArn"])

    def CreateLoadBalancer(self):
        arn = self.arn("loadbalancer/app/%s/%s" % (self.p["Name"], secrets.token_hex(8))).replace("elbv2", "elasticloadbalancing")
        self.new_balancer(arn)
        self.note(object=arn)
        return {"LoadBalancers": [self.table("balancer")[arn]]}

    def CreateTargetGroup(self):
        arn = self.arn("targetgroup/%s/%s" % (self.p["Name"], secrets.token_hex(8))).replace("elbv2", "elasticloadbalancing")
        self.new_group(arn)
        self.note(object=arn)
        return {"TargetGroups": [self.table("group")[arn]]}

    def DescribeTargetGroups(self):
        arns, names = self.p.get("TargetGroupArns"), self.p.get("Names")
        things = [t for _, t in sorted(self.table("group").items()) if (not arns or t["TargetGroupArn"] in arns) and (not names or t["TargetGroupName"] in names)]
        if len(things) < len(arns or names or ()):
            raise Error("TargetGroupNotFound", "One or more target groups not found")
        page, marker = self.page(things, "PageSize", "Marker", 400)
        return {"TargetGroups": page, "NextMarker": marker}

    def group(self):
        return self.found("group", self.p["TargetGroupArn"], "TargetGroupNotFound", "target groups")

    def DescribeTargetHealth(self):
        out, targets = [], self.group()["targets"]
        wanted = [t["Id"] for t in self.p.get("Targets", ())] or list(targets)
        for id in wanted:
            known = targets.get(id)
            state = known["state"] if known else "unused"
            why = WHY.get(state, ("Target.NotRegistered", "Target is not registered to the target group") if not known else (None, None))
            out.append({"Target": known["Target"] if known else {"Id": id}, "HealthCheckPort": "80",
                        "TargetHealth": {"State": state, "Reason": why[0], "Description": why[1]}})
        return {"TargetHealthDescriptions": out}

    def RegisterTargets(self):
        targets = self.group()["targets"]
        for target in self.p["Targets"]:
            thing = targets[target["Id"]] = {"Target": dict({"Port": 80}, **target), "state": "initial"}
            self.course(thing, "state", ("elbv2.healthy", "healthy"))
        self.note(object=self.p["TargetGroupArn"], targets=[t["Id"] for t in self.p["Targets"]])

    def DeregisterTargets(self):
        targets = self.group()["targets"]
        for target in self.p["Targets"]:
            if target["Id"] in targets:
                thing = targets[target["Id"]]
                thing["state"] = "draining"
                self.course(thing, "state", ("elbv2.healthy", "unused", lambda _, id=target["Id"]: targets.pop(id, None)))
        self.note(object=self.p["TargetGroupArn"], targets=[t["Id"] for t in self.p["Targets"]])
