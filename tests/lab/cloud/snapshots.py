"""RDS: snapshots of instances, and instances restored from them."""
from cloud.instances import COPIED, Instances
from cloud.wire import Error
from cloud.world import utcnow


class Snapshots(Instances):
    def snapshot(self, name, region=None):
        if name.startswith("arn:"):
            region, name = name.split(":")[3], name.split(":", 6)[6]
        found = self.table("snapshot", region).get(name.lower())
        if found is None:
            raise Error("DBSnapshotNotFound", "DBSnapshot %s not found." % name)
        return found

    def new_snapshot(self, name, source, **members):
        table = self.table("snapshot")
        if name.lower() in table:
            raise Error("DBSnapshotAlreadyExists", "Cannot create the snapshot because a snapshot with the identifier %s already exists." % name)
        thing = dict({k: source[k] for k in COPIED if k in source}, DBSnapshotIdentifier=name.lower(),
                     DBSnapshotArn=self.arn("snapshot:" + name.lower()), DBInstanceIdentifier=source["DBInstanceIdentifier"],
                     SnapshotType="manual", Status="creating", PercentProgress=0, SnapshotCreateTime=utcnow(), Port=5432,
                     AvailabilityZone=self.region + "a", VpcId="vpc-1ab0", Encrypted=source.get("StorageEncrypted", True),
                     TagList=self.p.get("Tags", []), _region=self.region, **members)
        table[name.lower()] = thing
        return thing

    @staticmethod
    def whole(thing):
        thing["PercentProgress"] = 100

    def take_snapshot(self, name, source):
        thing = self.new_snapshot(name, source)
        self.course(thing, "Status", ("rds.snapshot", "available", self.whole))
        return thing

    def CreateDBSnapshot(self):
        source = self.must_be(self.instance(), "available", "storage-optimization")
        thing = self.take_snapshot(self.p["DBSnapshotIdentifier"], source)
        source["DBInstanceStatus"] = "backing-up"
        self.course(source, "DBInstanceStatus", ("rds.snapshot", "available"))
        self.note(object=thing["DBSnapshotIdentifier"], source=source["DBInstanceIdentifier"])
        return {"DBSnapshot": thing}

    def DescribeDBSnapshots(self):
        p = self.p
        if p.get("DBSnapshotIdentifier"):
            things = [self.snapshot(p["DBSnapshotIdentifier"])]
        else:
            things = sorted(self.table("snapshot").values(), key=lambda t: t["SnapshotCreateTime"])
        for member in ("DBInstanceIdentifier", "SnapshotType"):
            if p.get(member):
                things = [t for t in things if t[member] == p[member].lower()]
        page, marker = self.page(things, "MaxRecords", "Marker")
        return {"DBSnapshots": page, "Marker": marker}

    def DeleteDBSnapshot(self):
        thing = self.snapshot(self.p["DBSnapshotIdentifier"])
        if thing["Status"] != "available" and thing["Status"] != "failed":
            raise Error("InvalidDBSnapshotState", "Cannot delete the snapshot because it is not currently in the available or failed state.")
        self.table("snapshot").pop(thing["DBSnapshotIdentifier"])
        self.note(object=thing["DBSnapshotIdentifier"])
        return {"DBSnapshot": dict(thing, Status="deleted")}

    def CopyDBSnapshot(self):
        p = self.p
        source = self.snapshot(p["SourceDBSnapshotIdentifier"])
        far = source["_region"] != self.region
        if far:
            self.presigned("CopyDBSnapshot", source["_region"])
            if source.get("Encrypted") and not p.get("KmsKeyId"):
                raise Error("KMSKeyNotAccessibleFault", "KmsKeyId is needed to copy an encrypted snapshot from another region.")
        if source["Status"] != "available":
            raise Error("InvalidDBSnapshotState", "Snapshot %s is not in available state." % source["DBSnapshotIdentifier"])
        thing = self.new_snapshot(p["TargetDBSnapshotIdentifier"], dict(source, StorageEncrypted=source.get("Encrypted")),
                                  SourceDBSnapshotIdentifier=source["DBSnapshotArn"], SourceRegion=source["_region"])
        thing["KmsKeyId"] = p.get("KmsKeyId", source.get("KmsKeyId"))
        self.course(thing, "Status", ("rds.copy", "available", self.whole))
        self.note(object=thing["DBSnapshotIdentifier"], source=source["DBSnapshotArn"])
        return {"DBSnapshot": thing}

    def RestoreDBInstanceFromDBSnapshot(self):
        source = self.snapshot(self.p.get("DBSnapshotIdentifier") or "")
        if source["Status"] != "available":
            raise Error("InvalidDBSnapshotState", "Snapshot %s is not in available state." % source["DBSnapshotIdentifier"])
        return self.restore(source, self.p["DBInstanceIdentifier"], source=source["DBSnapshotIdentifier"])

    def RestoreDBInstanceToPointInTime(self):
        source = self.instance(self.p.get("SourceDBInstanceIdentifier") or "")
        if bool(self.p.get("UseLatestRestorableTime")) == ("RestoreTime" in self.p):
            raise Error("InvalidParameterCombination", "Specify either UseLatestRestorableTime or RestoreTime.", 400)
        if not source["BackupRetentionPeriod"]:
            raise Error("PointInTimeRestoreNotEnabled", "Point in time restore is not enabled for instance " + source["DBInstanceIdentifier"])
        return self.restore(source, self.p["TargetDBInstanceIdentifier"], source=source["DBInstanceIdentifier"])

    def restore(self, kept, name, **told):
        members = dict({k: kept[k] for k in COPIED if k in kept}, **self.asked())
        thing = self.new_instance(name, "creating", **members)
        self.course(thing, "DBInstanceStatus", ("rds.restore", "backing-up", self.is_up), ("rds.backup", "available"))
        self.note(object=thing["DBInstanceIdentifier"], **told)
        return {"DBInstance": thing}
