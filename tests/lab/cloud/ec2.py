"""EC2: instances that start and stop, snapshots of volumes and their copies from another region."""
import fnmatch
import secrets

from cloud.presigned import verify
from cloud.wire import Error
from cloud.world import ACCOUNT, Service, utcnow

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


class Ec2(Service):
    name = "ec2"

    def new_instance(self, id, name, address, state="running"):
        self.table("instance")[id] = {
            "InstanceId": id, "ImageId": "ami-1ab0", "InstanceType": "t3.micro", "State": {"Name": state, "Code": CODES[state]}, "PrivateIpAddress": address,
            "PublicIpAddress": address, "PublicDnsName": "", "PrivateDnsName": id + ".lab", "LaunchTime": utcnow(), "VpcId": "vpc-1ab0", "SubnetId": "subnet-1ab0",
            "Placement": {"AvailabilityZone": self.region + "a"}, "Tags": [{"Key": "Name", "Value": name}], "Monitoring": {"State": "disabled"}, "AmiLaunchIndex": 0,
            "SecurityGroups": [{"GroupId": "sg-1ab0", "GroupName": "lab"}]}

    def instances(self):
        wanted = self.p.get("InstanceIds")
        for id in wanted or ():
            if id not in self.table("instance"):
                raise Error("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist" % id, 400)
        return [t for _, t in sorted(self.table("instance").items()) if not wanted or t["InstanceId"] in wanted]

    @staticmethod
    def filtered(things, rules, members):
        """rules: Filters of the request; members: what else than tags may be filtered by, as functions."""
        for rule in rules:
            name = rule["Name"]
            if name.startswith("tag:"):
                def get(t, key=name[4:]):
                    return next((g["Value"] for g in t["Tags"] if g["Key"] == key), None)
            elif name in members:
                get = members[name]
            else:
                raise Error("InvalidParameterValue", "The filter '%s' is invalid" % name, 400)
            things = [t for t in things if get(t) is not None and any(fnmatch.fnmatchcase(str(get(t)), v) for v in rule["Values"])]
        return things

    def DescribeInstances(self):
        things = self.filtered(self.instances(), self.p.get("Filters", ()), {
            "instance-state-name": lambda t: t["State"]["Name"], "instance-id": lambda t: t["InstanceId"], "private-ip-address": lambda t: t["PrivateIpAddress"],
            "availability-zone": lambda t: t["Placement"]["AvailabilityZone"]})
        page, token = self.page(things, "MaxResults", "NextToken", 1000)
        return {"Reservations": [{"ReservationId": "r-" + t["InstanceId"][2:], "OwnerId": ACCOUNT, "Groups": [], "Instances": [t]} for t in page], "NextToken": token}

    def RunInstances(self):
        known, count = self.p.get("ClientToken"), self.p["MaxCount"]
        ids = ["i-" + secrets.token_hex(8) for _ in range(count)]
        tags = [t for s in self.p.get("TagSpecifications", ()) if s.get("ResourceType") == "instance" for t in s.get("Tags", ())]
        for n, id in enumerate(ids):
            self.new_instance(id, "", "10.0.0.%d" % (n + 10), "pending")
            thing = self.table("instance")[id]
            thing.update(Tags=tags, ClientToken=known)
            self.world.clock.later(30, lambda t=thing: t.update(State={"Name": "running", "Code": CODES["running"]}))
        self.note(object=ids)
        return {"ReservationId": "r-" + ids[0][2:], "OwnerId": ACCOUNT, "Instances": [self.table("instance")[i] for i in ids]}

    def TerminateInstances(self):
        return {"TerminatingInstances": self.turn("shutting-down", "terminated", ("running", "stopped", "pending"))}

    def turn(self, meanwhile, end, allowed):
        things, out = self.instances(), []
        for thing in things:
            if thing["State"]["Name"] not in allowed:
                raise Error("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be changed." % thing["InstanceId"], 400)
        for thing in things:
            before = dict(thing["State"])
            if before["Name"] != end:
                thing["State"] = {"Name": meanwhile, "Code": CODES[meanwhile]}
                self.world.clock.later(30, lambda t=thing: t.update(State={"Name": self.fault.get("ends", end), "Code": CODES[end]}))
            out.append({"InstanceId": thing["InstanceId"], "PreviousState": before, "CurrentState": thing["State"]})
        self.note(object=[t["InstanceId"] for t in things])
        return out

    def StartInstances(self):
        return {"StartingInstances": self.turn("pending", "running", ("stopped", "running"))}

    def StopInstances(self):
        return {"StoppingInstances": self.turn("stopping", "stopped", ("running", "stopped"))}

    def RebootInstances(self):
        self.note(object=[t["InstanceId"] for t in self.instances()])

    def new_snapshot(self, volume, **members):
        thing = dict({"SnapshotId": "snap-" + secrets.token_hex(8), "VolumeId": volume, "State": "pending", "Progress": "0%", "StartTime": utcnow(), "OwnerId": ACCOUNT,
                      "VolumeSize": 8, "Encrypted": False, "Description": self.p.get("Description", ""), "_region": self.region,
                      "Tags": [t for s in self.p.get("TagSpecifications", ()) for t in s.get("Tags", ())]}, **members)
        self.table("snapshot")[thing["SnapshotId"]] = thing
        self.course(thing, "State", ("ec2.snapshot", "completed", lambda t: t.update(Progress="100%")))
        return thing

    def CreateSnapshot(self):
        thing = self.new_snapshot(self.p["VolumeId"])
        self.note(object=thing["SnapshotId"], source=self.p["VolumeId"])
        return thing

    def DescribeSnapshots(self):
        wanted = self.p.get("SnapshotIds")
        for id in wanted or ():
            if id not in self.table("snapshot"):
                raise Error("InvalidSnapshot.NotFound", "The snapshot '%s' does not exist." % id, 400)
        things = [t for t in self.table("snapshot").values() if not wanted or t["SnapshotId"] in wanted]
        things = self.filtered(things, self.p.get("Filters", ()), {"volume-id": lambda t: t["VolumeId"], "status": lambda t: t["State"]})
        page, token = self.page(things, "MaxResults", "NextToken", 1000)
        return {"Snapshots": page, "NextToken": token}

    def CopySnapshot(self):
        p, source = self.p, self.table("snapshot", self.p["SourceRegion"]).get(self.p["SourceSnapshotId"])
        if p["SourceRegion"] != self.region:
            verify(self, p.get("PresignedUrl"), "CopySnapshot", p["SourceRegion"])
        if source is None:
            raise Error("InvalidSnapshot.NotFound", "The snapshot '%s' does not exist." % p["SourceSnapshotId"], 400)
        if source["State"] != "completed":
            raise Error("IncorrectState", "Snapshot %s is not completed" % source["SnapshotId"], 400)
        thing = self.new_snapshot("vol-ffffffff", VolumeSize=source["VolumeSize"], Encrypted=p.get("Encrypted", source["Encrypted"]), KmsKeyId=p.get("KmsKeyId"))
        self.note(object=thing["SnapshotId"], source=source["SnapshotId"])
        return thing
