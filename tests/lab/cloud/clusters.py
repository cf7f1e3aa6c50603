"""RDS: Aurora clusters and their members."""
import datetime
import secrets

from cloud.snapshots import Snapshots
from cloud.wire import Error
from cloud.world import utcnow

PLAIN = ("Engine", "EngineVersion", "MasterUsername", "DatabaseName", "BackupRetentionPeriod", "DeletionProtection", "EngineMode", "Port",
         "StorageEncrypted", "KmsKeyId", "PreferredBackupWindow", "ServerlessV2ScalingConfiguration", "CopyTagsToSnapshot")
COPIED = ("Engine", "EngineVersion", "MasterUsername", "DatabaseName", "EngineMode", "StorageEncrypted", "KmsKeyId", "Port", "_at")


class Clusters(Snapshots):
    def cluster(self, name=None, region=None):
        name = name or self.p["DBClusterIdentifier"]
        if name.startswith("arn:"):
            region, name = name.split(":")[3], name.split(":")[6]
        found = self.table("cluster", region).get(name.lower())
        if found is None:
            raise Error("DBClusterNotFoundFault", "DBCluster %s not found." % name)
        return found

    def steady(self, cluster, *statuses):
        if cluster["Status"] not in statuses:
            raise Error("InvalidDBClusterStateFault", "The DB cluster %s is not in available state." % cluster["DBClusterIdentifier"])
        return cluster

    def new_cluster(self, name, status="creating", region=None, **members):
        region, table = region or self.region, self.table("cluster", region)
        if name.lower() in table:
            raise Error("DBClusterAlreadyExistsFault", "DB Cluster already exists")
        thing = {
            "DBClusterIdentifier": name.lower(), "Status": status, "Engine": "aurora-postgresql", "EngineVersion": "16.4", "EngineMode": "provisioned",
            "MasterUsername": "dbadmin", "Port": 5432, "BackupRetentionPeriod": 7, "AllocatedStorage": 1, "MultiAZ": False, "DBClusterMembers": [],
            "DBClusterArn": self.arn("cluster:" + name.lower(), region), "DbClusterResourceId": "cluster-" + secrets.token_hex(13).upper(),
            "AvailabilityZones": [region + z for z in "abc"], "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1ab0", "Status": "active"}],
            "DBSubnetGroup": "default", "DBClusterParameterGroup": "default.aurora-postgresql16", "StorageEncrypted": True, "DeletionProtection": False,
            "ReadReplicaIdentifiers": [], "HostedZoneId": "Z10WI91S59XXQN", "TagList": [], "ClusterCreateTime": utcnow(),
            "EarliestRestorableTime": utcnow(), "LatestRestorableTime": utcnow(), "_region": region, "_at": None}
        thing.update({k: v for k, v in members.items() if v is not None})
        self.address(thing)
        table[name.lower()] = thing
        return thing

    @staticmethod
    def address(thing):
        name, region, at = thing["DBClusterIdentifier"], thing["_region"], thing["_at"]
        thing["Endpoint"] = at[0] if at else "%s.cluster-c1ab0lab.%s.rds.amazonaws.com" % (name, region)
        thing["ReaderEndpoint"] = at[0] if at else "%s.cluster-ro-c1ab0lab.%s.rds.amazonaws.com" % (name, region)
        thing["Port"] = at[1] if at else thing.get("Port") or 5432

    def asked_cluster(self):
        p = self.p
        out = {n: p[n] for n in PLAIN if n in p}
        if "DBSubnetGroupName" in p:
            out["DBSubnetGroup"] = p["DBSubnetGroupName"]
        if "VpcSecurityGroupIds" in p:
            out["VpcSecurityGroups"] = [{"VpcSecurityGroupId": g, "Status": "active"} for g in p["VpcSecurityGroupIds"]]
        if "DBClusterParameterGroupName" in p:
            out["DBClusterParameterGroup"] = p["DBClusterParameterGroupName"]
        if "Tags" in p:
            out["TagList"] = p["Tags"]
        return out

    def join(self, cluster, instance):
        members = cluster["DBClusterMembers"]
        members.append({"DBInstanceIdentifier": instance["DBInstanceIdentifier"], "IsClusterWriter": not any(m["IsClusterWriter"] for m in members),
                        "DBClusterParameterGroupStatus": "in-sync", "PromotionTier": instance.get("PromotionTier", 1)})

    def leave(self, instance):
        cluster = self.table("cluster", instance["_region"]).get(instance["DBClusterIdentifier"])
        if cluster is None:
            return
        members = [m for m in cluster["DBClusterMembers"] if m["DBInstanceIdentifier"] != instance["DBInstanceIdentifier"]]
        if members and not any(m["IsClusterWriter"] for m in members):
            members[0]["IsClusterWriter"] = True
        cluster["DBClusterMembers"] = members

    def begin(self, cluster, meanwhile, how_long, *more, **told):
        cluster["Status"] = meanwhile
        self.course(cluster, "Status", (how_long, "available", *more))
        self.note(object=cluster["DBClusterIdentifier"], **told)
        return {"DBCluster": cluster}

    def CreateDBCluster(self):
        p, group = self.p, None
        if p.get("GlobalClusterIdentifier"):
            group = self.global_cluster(p["GlobalClusterIdentifier"])
        elif not p.get("ReplicationSourceIdentifier") and not p.get("MasterUsername"):
            raise Error("InvalidParameterCombination", "You must specify a MasterUsername.", 400)
        source = p.get("ReplicationSourceIdentifier")
        if source and source.startswith("arn:") and source.split(":")[3] != self.region:
            self.presigned("CreateDBCluster", source.split(":")[3])
        thing = self.new_cluster(p["DBClusterIdentifier"], **self.asked_cluster())
        if source:
            of = self.cluster(source)
            of["ReadReplicaIdentifiers"].append(thing["DBClusterArn"])
            thing["ReplicationSourceIdentifier"] = source
        if group is not None:
            self.join_global(group, thing)
        return self.begin(thing, "creating", "rds.create")

    def DescribeDBClusters(self):
        name = self.p.get("DBClusterIdentifier")
        things = [self.cluster()] if name else [t for _, t in sorted(self.table("cluster").items())]
        for rule in self.p.get("Filters", ()):
            member = {"db-cluster-id": "DBClusterIdentifier", "engine": "Engine", "db-cluster-resource-id": "DbClusterResourceId"}.get(rule["Name"])
            if member is None:
                raise Error("InvalidParameterValue", "Unrecognized filter name: " + rule["Name"], 400)
            things = [t for t in things if t[member] in [v.rpartition(":")[2].lower() for v in rule["Values"]]]
        for thing in things:
            thing["LatestRestorableTime"] = max(thing["EarliestRestorableTime"], utcnow() - datetime.timedelta(minutes=2))
        page, marker = self.page(things, "MaxRecords", "Marker")
        return {"DBClusters": page, "Marker": marker}

    def DeleteDBCluster(self):
        thing, final = self.cluster(), self.p.get("FinalDBSnapshotIdentifier")
        if thing["Status"] == "deleting":
            raise Error("InvalidDBClusterStateFault", "Cluster is already being deleted.")
        if thing["DeletionProtection"]:
            raise Error("InvalidParameterCombination", "Cannot delete protected Cluster, please disable deletion protection and try again.", 400)
        if [m for m in thing["DBClusterMembers"] if self.table("instance")[m["DBInstanceIdentifier"]]["DBInstanceStatus"] != "deleting"]:
            raise Error("InvalidDBClusterStateFault", "Cluster cannot be deleted, it still contains DB instances in non-deleting state.")
        if self.global_of(thing):
            raise Error("InvalidDBClusterStateFault", "This cluster is a part of a global cluster, please remove it from globalcluster first")
        if not final and not self.p.get("SkipFinalSnapshot"):
            raise Error("InvalidParameterCombination", "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.", 400)
        if final:
            self.take_cluster_snapshot(final, thing)
        thing["Status"] = "deleting"
        self.course(thing, "Status", ("rds.delete", "deleted", lambda t: self.table("cluster", t["_region"]).pop(t["DBClusterIdentifier"], None)))
        self.note(object=thing["DBClusterIdentifier"], final=final)
        return {"DBCluster": thing}

    def ModifyDBCluster(self):
        thing, new = self.steady(self.cluster(), "available"), self.p.get("NewDBClusterIdentifier")
        if new and new.lower() in self.table("cluster"):
            raise Error("DBClusterAlreadyExistsFault", "DB Cluster already exists")
        changed = self.asked_cluster()

        def done(thing):
            thing.update(changed)
            if new:
                table = self.table("cluster", thing["_region"])
                table.pop(thing["DBClusterIdentifier"])
                for member in thing["DBClusterMembers"]:
                    self.table("instance", thing["_region"])[member["DBInstanceIdentifier"]]["DBClusterIdentifier"] = new.lower()
                thing.update(DBClusterIdentifier=new.lower(), DBClusterArn=self.arn("cluster:" + new.lower(), thing["_region"]))
                self.address(thing)
                table[new.lower()] = thing
        if new and not self.p.get("ApplyImmediately"):
            self.note(object=thing["DBClusterIdentifier"], pending=new)
            return {"DBCluster": dict(thing, PendingModifiedValues={"DBClusterIdentifier": new})}
        return self.begin(thing, "renaming" if new else "modifying", "rds.modify", done, changed=sorted(changed), new=new)

    def FailoverDBCluster(self):
        thing = self.steady(self.cluster(), "available")
        members, target = thing["DBClusterMembers"], self.p.get("TargetDBInstanceIdentifier")
        readers = [m for m in members if not m["IsClusterWriter"]]
        if not readers or (target and target.lower() not in [m["DBInstanceIdentifier"] for m in readers]):
            raise Error("InvalidDBClusterStateFault" if not readers else "InvalidDBInstanceState",
                        "Cluster %s does not have a reader to fail over to." % thing["DBClusterIdentifier"])
        target = target.lower() if target else min(readers, key=lambda m: m["PromotionTier"])["DBInstanceIdentifier"]

        def done(_):
            for member in members:
                member["IsClusterWriter"] = member["DBInstanceIdentifier"] == target
        return self.begin(thing, "failing-over", "rds.failover", done, target=target)

    def StopDBCluster(self):
        thing = self.steady(self.cluster(), "available")
        thing["Status"] = "stopping"
        self.course(thing, "Status", ("rds.stop", "stopped"))
        self.note(object=thing["DBClusterIdentifier"])
        return {"DBCluster": thing}

    def StartDBCluster(self):
        return self.begin(self.steady(self.cluster(), "stopped"), "starting", "rds.start")

    def PromoteReadReplicaDBCluster(self):
        thing = self.steady(self.cluster(), "available")
        if not thing.get("ReplicationSourceIdentifier"):
            raise Error("InvalidDBClusterStateFault", "The source cluster is not a read replica")
        return self.begin(thing, "promoting", "rds.promote", lambda t: t.pop("ReplicationSourceIdentifier"))
