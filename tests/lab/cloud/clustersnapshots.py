"""RDS: snapshots of Aurora clusters, and clusters restored from them or to a point in time."""
import datetime

from cloud.clusters import COPIED, Clusters
from cloud.wire import Error
from cloud.world import utcnow


class ClusterSnapshots(Clusters):
    def cluster_snapshot(self, name, region=None):
        if name.startswith("arn:"):
            region, name = name.split(":")[3], name.split(":", 6)[6]
        found = self.table("cluster_snapshot", region).get(name.lower())
        if found is None:
            raise Error("DBClusterSnapshotNotFoundFault", "DBClusterSnapshot not found: " + name)
        return found

    def new_cluster_snapshot(self, name, source, **members):
        table = self.table("cluster_snapshot")
        if name.lower() in table:
            raise Error("DBClusterSnapshotAlreadyExistsFault", "Cannot create the cluster snapshot because one with the identifier %s already exists." % name)
        thing = dict({k: source[k] for k in COPIED if k in source}, DBClusterSnapshotIdentifier=name.lower(), SnapshotType="manual",
                     DBClusterSnapshotArn=self.arn("cluster-snapshot:" + name.lower()), DBClusterIdentifier=source["DBClusterIdentifier"],
                     Status="creating", PercentProgress=0, SnapshotCreateTime=utcnow(), ClusterCreateTime=source["ClusterCreateTime"],
                     AvailabilityZones=[self.region + z for z in "abc"], VpcId="vpc-1ab0", AllocatedStorage=1,
                     TagList=self.p.get("Tags", []), _region=self.region, **members)
        table[name.lower()] = thing
        return thing

    def take_cluster_snapshot(self, name, source):
        thing = self.new_cluster_snapshot(name, source)
        self.course(thing, "Status", ("rds.snapshot", "available", self.whole))
        return thing

    def CreateDBClusterSnapshot(self):
        source = self.steady(self.cluster(), "available", "backing-up")
        thing = self.take_cluster_snapshot(self.p["DBClusterSnapshotIdentifier"], source)
        self.note(object=thing["DBClusterSnapshotIdentifier"], source=source["DBClusterIdentifier"])
        return {"DBClusterSnapshot": thing}

    def DescribeDBClusterSnapshots(self):
        p = self.p
        if p.get("DBClusterSnapshotIdentifier"):
            things = [self.cluster_snapshot(p["DBClusterSnapshotIdentifier"])]
        else:
            things = sorted(self.table("cluster_snapshot").values(), key=lambda t: t["SnapshotCreateTime"])
        for member in ("DBClusterIdentifier", "SnapshotType"):
            if p.get(member):
                things = [t for t in things if t[member] == p[member].lower()]
        page, marker = self.page(things, "MaxRecords", "Marker")
        return {"DBClusterSnapshots": page, "Marker": marker}

    def DeleteDBClusterSnapshot(self):
        thing = self.cluster_snapshot(self.p["DBClusterSnapshotIdentifier"])
        if thing["Status"] not in ("available", "failed"):
            raise Error("InvalidDBClusterSnapshotStateFault", "The cluster snapshot is not in the available or failed state.")
        self.table("cluster_snapshot").pop(thing["DBClusterSnapshotIdentifier"])
        self.note(object=thing["DBClusterSnapshotIdentifier"])
        return {"DBClusterSnapshot": dict(thing, Status="deleted")}

    def CopyDBClusterSnapshot(self):
        p = self.p
        source = self.cluster_snapshot(p["SourceDBClusterSnapshotIdentifier"])
        if source["_region"] != self.region:
            self.presigned("CopyDBClusterSnapshot", source["_region"])
            if source.get("StorageEncrypted") and not p.get("KmsKeyId"):
                raise Error("KMSKeyNotAccessibleFault", "KmsKeyId is needed to copy an encrypted snapshot from another region.")
        if source["Status"] != "available":
            raise Error("InvalidDBClusterSnapshotStateFault", "Snapshot %s is not in available state." % source["DBClusterSnapshotIdentifier"])
        thing = self.new_cluster_snapshot(p["TargetDBClusterSnapshotIdentifier"], source, SourceDBClusterSnapshotArn=source["DBClusterSnapshotArn"])
        thing["KmsKeyId"] = p.get("KmsKeyId", source.get("KmsKeyId"))
        self.course(thing, "Status", ("rds.copy", "available", self.whole))
        self.note(object=thing["DBClusterSnapshotIdentifier"], source=source["DBClusterSnapshotArn"])
        return {"DBClusterSnapshot": thing}

    def RestoreDBClusterFromSnapshot(self):
        name = self.p["SnapshotIdentifier"]
        source = self.snapshot(name) if ":snapshot:" in name else self.cluster_snapshot(name)
        if source["Status"] != "available":
            raise Error("InvalidDBClusterSnapshotStateFault", "Snapshot %s is not in available state." % name)
        return self.restored(source, name)

    def RestoreDBClusterToPointInTime(self):
        p = self.p
        source = self.steady(self.cluster(p.get("SourceDBClusterIdentifier") or p.get("SourceDbClusterResourceId")), "available", "backing-up")
        at = p.get("RestoreToTime")
        if bool(p.get("UseLatestRestorableTime")) == bool(at):
            raise Error("InvalidParameterCombination", "Specify either UseLatestRestorableTime or RestoreToTime.", 400)
        if at and not source["EarliestRestorableTime"] <= at.replace(tzinfo=datetime.timezone.utc) <= utcnow():
            raise Error("InvalidRestoreFault", "The cluster cannot be restored to %s: it is not between its earliest and latest restorable time." % at)
        return self.restored(source, source["DBClusterIdentifier"])

    def restored(self, source, name):
        members = dict({k: source[k] for k in COPIED if k in source}, **self.asked_cluster())
        return self.begin(self.new_cluster(self.p["DBClusterIdentifier"], **members), "creating", "rds.restore", source=name)
