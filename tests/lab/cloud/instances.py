"""RDS: database instances and read replicas."""
import datetime
import secrets

from cloud.cloudwatch import set_metric
from cloud.wire import Error
from cloud.world import Service, utcnow

COPIED = ("Engine", "EngineVersion", "DBInstanceClass", "AllocatedStorage", "MasterUsername", "DBName", "StorageType",
          "MultiAZ", "PubliclyAccessible", "StorageEncrypted", "KmsKeyId", "_at")
PLAIN = ("DBInstanceClass", "Engine", "EngineVersion", "AllocatedStorage", "MasterUsername", "DBName", "StorageType", "MultiAZ",
         "PubliclyAccessible", "DeletionProtection", "BackupRetentionPeriod", "AvailabilityZone", "StorageEncrypted", "KmsKeyId",
         "PreferredBackupWindow", "CopyTagsToSnapshot", "PromotionTier", "Iops", "CACertificateIdentifier")


class Instances(Service):
    def instance(self, name=None, region=None):
        name = name or self.p["DBInstanceIdentifier"]
        if name.startswith("arn:"):
            region, name = name.split(":")[3], name.split(":")[6]
        found = self.table("instance", region).get(name.lower())
        if found is None:
            raise Error("DBInstanceNotFound", "DBInstance %s not found." % name)
        return found

    def must_be(self, thing, *statuses):
        if thing["DBInstanceStatus"] not in statuses:
            raise Error("InvalidDBInstanceState", "Instance %s is not in available state." % thing["DBInstanceIdentifier"])
        return thing

    def new_instance(self, name, status, region=None, **members):
        region, table = region or self.region, self.table("instance", region)
        if name.lower() in table:
            raise Error("DBInstanceAlreadyExists", "DB instance already exists")
        thing = {
            "DBInstanceIdentifier": name.lower(), "DBInstanceStatus": status, "DBInstanceClass": "db.t4g.medium", "Engine": "postgres",
            "EngineVersion": "16.4", "AllocatedStorage": 20, "MasterUsername": "postgres", "BackupRetentionPeriod": 1, "MultiAZ": False,
            "PubliclyAccessible": False, "StorageEncrypted": True, "StorageType": "gp3", "DeletionProtection": False,
            "AvailabilityZone": region + "a", "PreferredBackupWindow": "09:00-09:30", "DbiResourceId": "db-" + secrets.token_hex(13).upper(),
            "DBInstanceArn": self.arn("db:" + name.lower(), region), "DBParameterGroups": [{"DBParameterGroupName": "default.postgres16", "ParameterApplyStatus": "in-sync"}],
            "DBSecurityGroups": [], "DBSubnetGroup": {"DBSubnetGroupName": "default", "VpcId": "vpc-1ab0", "SubnetGroupStatus": "Complete"},
            "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1ab0", "Status": "active"}], "PendingModifiedValues": {}, "StatusInfos": [],
            "ReadReplicaDBInstanceIdentifiers": [], "ReadReplicaDBClusterIdentifiers": [], "TagList": [], "LicenseModel": "postgresql-license",
            "CACertificateIdentifier": "rds-ca-rsa2048-g1", "MonitoringInterval": 0, "IAMDatabaseAuthenticationEnabled": False,
            "_region": region, "_at": None}
        thing.update({k: v for k, v in members.items() if v is not None})
        table[name.lower()] = thing
        return thing

    def asked(self):
        """The members of a new instance that its request tells."""
        p = self.p
        out = {n: p[n] for n in PLAIN if n in p}
        if "DBSubnetGroupName" in p:
            out["DBSubnetGroup"] = {"DBSubnetGroupName": p["DBSubnetGroupName"], "VpcId": "vpc-1ab0", "SubnetGroupStatus": "Complete"}
        if "VpcSecurityGroupIds" in p:
            out["VpcSecurityGroups"] = [{"VpcSecurityGroupId": g, "Status": "active"} for g in p["VpcSecurityGroupIds"]]
        if "Tags" in p:
            out["TagList"] = p["Tags"]
        return out

    def is_up(self, thing):
        """What an instance has once it is there: an address, and a point in time to restore to."""
        region = thing["_region"]
        host, port = thing["_at"] or ("%s.c1ab0lab.%s.rds.amazonaws.com" % (thing["DBInstanceIdentifier"], region), self.p.get("Port", 5432))
        thing["Endpoint"] = {"Address": host, "Port": port, "HostedZoneId": "Z10WI91S59XXQN"}
        thing.setdefault("InstanceCreateTime", utcnow())
        thing["LatestRestorableTime"] = utcnow()

    def CreateDBInstance(self):
        p, cluster = self.p, None
        if p.get("DBClusterIdentifier"):
            cluster = self.cluster(p["DBClusterIdentifier"])
        members = self.asked()
        if cluster is not None:
            members.update(DBClusterIdentifier=cluster["DBClusterIdentifier"], EngineVersion=cluster["EngineVersion"], _at=cluster["_at"],
                           MasterUsername=cluster["MasterUsername"])
        elif "MasterUsername" not in p:
            raise Error("InvalidParameterCombination", "You must specify a MasterUsername.", 400)
        thing = self.new_instance(p["DBInstanceIdentifier"], "creating", **members)
        if cluster is not None:
            self.join(cluster, thing)
            self.course(thing, "DBInstanceStatus", ("rds.create", "available", self.is_up))
        else:
            self.course(thing, "DBInstanceStatus", ("rds.create", "backing-up", self.is_up), ("rds.backup", "available"))
        self.note(object=thing["DBInstanceIdentifier"])
        return {"DBInstance": thing}

    def DescribeDBInstances(self):
        name = self.p.get("DBInstanceIdentifier")
        things = [self.instance()] if name else [t for _, t in sorted(self.table("instance").items())]
        for rule in self.p.get("Filters", ()):
            member = {"db-instance-id": "DBInstanceIdentifier", "db-cluster-id": "DBClusterIdentifier", "engine": "Engine",
                      "dbi-resource-id": "DbiResourceId"}.get(rule["Name"])
            if member is None:
                raise Error("InvalidParameterValue", "Unrecognized filter name: " + rule["Name"], 400)
            wanted = [v.rpartition(":")[2].lower() for v in rule["Values"]]
            things = [t for t in things if str(t.get(member, "")).lower() in wanted]
        for thing in things:
            if thing["DBInstanceStatus"] == "available" and thing["BackupRetentionPeriod"] and "DBClusterIdentifier" not in thing:
                thing["LatestRestorableTime"] = max(thing["InstanceCreateTime"], utcnow() - datetime.timedelta(minutes=2))
        page, marker = self.page(things, "MaxRecords", "Marker")
        return {"DBInstances": page, "Marker": marker}

    def DeleteDBInstance(self):
        p, thing = self.p, self.instance()
        if thing["DBInstanceStatus"] == "deleting":
            raise Error("InvalidDBInstanceState", "Instance %s is already being deleted." % thing["DBInstanceIdentifier"])
        if thing["DeletionProtection"]:
            raise Error("InvalidParameterCombination", "Cannot delete protected DB Instance, please disable deletion protection and try again.", 400)
        final = p.get("FinalDBSnapshotIdentifier")
        if not p.get("SkipFinalSnapshot") and not final and not thing.get("DBClusterIdentifier") and "ReadReplicaSourceDBInstanceIdentifier" not in thing:
            raise Error("InvalidParameterCombination", "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.", 400)
        if final:
            self.take_snapshot(final, thing)
        thing["DBInstanceStatus"] = "deleting"
        self.course(thing, "DBInstanceStatus", ("rds.delete", "deleted", self.is_gone))
        self.note(object=thing["DBInstanceIdentifier"])
        return {"DBInstance": thing}

    def is_gone(self, thing):
        self.table("instance", thing["_region"]).pop(thing["DBInstanceIdentifier"], None)
        self.unlink(thing)
        if thing.get("DBClusterIdentifier"):
            self.leave(thing)

    def ModifyDBInstance(self):
        thing = self.must_be(self.instance(), "available", "storage-optimization")
        changed = self.asked()
        new = self.p.get("NewDBInstanceIdentifier")
        if new and new.lower() in self.table("instance"):
            raise Error("DBInstanceAlreadyExists", "DB instance already exists")
        now = self.p.get("ApplyImmediately") or new
        thing["PendingModifiedValues"] = {k: v for k, v in changed.items() if k in ("DBInstanceClass", "AllocatedStorage", "MultiAZ", "EngineVersion", "BackupRetentionPeriod")}

        def done(thing):
            thing.update(changed, PendingModifiedValues={})
            if new:
                table = self.table("instance")
                table.pop(thing["DBInstanceIdentifier"])
                thing.update(DBInstanceIdentifier=new.lower(), DBInstanceArn=self.arn("db:" + new.lower()))
                table[new.lower()] = thing
                self.is_up(thing)
        if now:
            self.course(thing, "DBInstanceStatus", (2, "renaming" if new else "modifying"), ("rds.modify", "available", done))
        self.note(object=thing["DBInstanceIdentifier"], changed=sorted(changed) + (["NewDBInstanceIdentifier"] if new else []))
        return {"DBInstance": thing}

    def RebootDBInstance(self):
        thing = self.must_be(self.instance(), "available")
        if self.p.get("ForceFailover") and not thing["MultiAZ"]:
            raise Error("InvalidParameterCombination", "The specified instance is not a Multi-AZ instance.", 400)
        return self.pass_through(thing, "rebooting", "rds.reboot", "available")

    def StopDBInstance(self):
        thing = self.must_be(self.instance(), "available")
        if self.p.get("DBSnapshotIdentifier"):
            self.take_snapshot(self.p["DBSnapshotIdentifier"], thing)
        return self.pass_through(thing, "stopping", "rds.stop", "stopped")

    def StartDBInstance(self):
        return self.pass_through(self.must_be(self.instance(), "stopped"), "starting", "rds.start", "available")

    def pass_through(self, thing, meanwhile, how_long, end, *more):
        thing["DBInstanceStatus"] = meanwhile
        self.course(thing, "DBInstanceStatus", (how_long, end, *more))
        self.note(object=thing["DBInstanceIdentifier"])
        return {"DBInstance": thing}

    def CreateDBInstanceReadReplica(self):
        p = self.p
        if not p.get("SourceDBInstanceIdentifier"):
            raise Error("InvalidParameterCombination", "You must specify a source.", 400)
        source = self.instance(p["SourceDBInstanceIdentifier"])
        far = source["_region"] != self.region
        if far:
            self.presigned("CreateDBInstanceReadReplica", source["_region"])
        if source["DBInstanceStatus"] not in ("available", "backing-up") or not source["BackupRetentionPeriod"]:
            raise Error("InvalidDBInstanceState", "Automated backups are not enabled for this database instance. To enable automated backups, "
                        "use ModifyDBInstance to set the backup retention period to a non-zero value.")
        name = source["DBInstanceArn"] if far else source["DBInstanceIdentifier"]
        members = dict({k: source[k] for k in COPIED if k in source}, **self.asked())
        members.update(AvailabilityZone=p.get("AvailabilityZone"), BackupRetentionPeriod=0, ReadReplicaSourceDBInstanceIdentifier=name,
                       StatusInfos=[{"StatusType": "read replication", "Normal": True, "Status": "replicating"}])
        thing = self.new_instance(p["DBInstanceIdentifier"], "creating", **members)
        set_metric(self.world, self.region, "AWS/RDS:ReplicaLag:" + thing["DBInstanceIdentifier"], 90.0, 1.0)
        source["ReadReplicaDBInstanceIdentifiers"].append(thing["DBInstanceArn"] if far else thing["DBInstanceIdentifier"])
        self.course(thing, "DBInstanceStatus", ("rds.create", "available", self.is_up))
        self.note(object=thing["DBInstanceIdentifier"], source=name)
        return {"DBInstance": thing}

    def source_of(self, thing):
        name = thing.get("ReadReplicaSourceDBInstanceIdentifier")
        try:
            return self.instance(name, thing["_region"]) if name else None
        except Error:
            return None

    def unlink(self, thing):
        """A replica is no longer one."""
        source = self.source_of(thing)
        if source is not None:
            source["ReadReplicaDBInstanceIdentifiers"] = [n for n in source["ReadReplicaDBInstanceIdentifiers"]
                                                          if n not in (thing["DBInstanceIdentifier"], thing["DBInstanceArn"])]
        thing.pop("ReadReplicaSourceDBInstanceIdentifier", None)
        self.world.table("cloudwatch.metric", thing["_region"]).pop("AWS/RDS:ReplicaLag:" + thing["DBInstanceIdentifier"], None)
        thing["StatusInfos"] = []

    def PromoteReadReplica(self):
        thing = self.must_be(self.instance(), "available")
        if "ReadReplicaSourceDBInstanceIdentifier" not in thing:
            raise Error("InvalidDBInstanceState", "DB Instance is not a read replica")

        def done(thing):
            self.unlink(thing)
            self.is_up(thing)
        retention = self.p.get("BackupRetentionPeriod", 1)

        def reboots(thing):
            thing["BackupRetentionPeriod"] = retention
        thing["DBInstanceStatus"] = "modifying"
        takes = self.world.clock.takes["rds.promote"]
        self.course(thing, "DBInstanceStatus", (takes / 2, "rebooting", reboots), (takes / 4, "backing-up", done), (takes / 4, "available"))
        self.note(object=thing["DBInstanceIdentifier"])
        return {"DBInstance": thing}

    def SwitchoverReadReplica(self):
        thing = self.must_be(self.instance(), "available")
        source = self.source_of(thing)
        if source is None:
            raise Error("InvalidDBInstanceState", "DB Instance is not a read replica")
        self.must_be(source, "available")

        def done(thing):
            self.unlink(thing)
            far = source["_region"] != thing["_region"]
            names = [t["DBInstanceArn"] if far else t["DBInstanceIdentifier"] for t in (thing, source)]
            source.update(ReadReplicaSourceDBInstanceIdentifier=names[0], DBInstanceStatus="available",
                          StatusInfos=[{"StatusType": "read replication", "Normal": True, "Status": "replicating"}])
            thing["ReadReplicaDBInstanceIdentifiers"].append(names[1])
            thing["BackupRetentionPeriod"] = thing["BackupRetentionPeriod"] or 1
        source["DBInstanceStatus"] = "modifying"
        return self.pass_through(thing, "modifying", "rds.switchover", "available", done)
