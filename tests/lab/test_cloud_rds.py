"""The lab's RDS, asked by boto3: snapshots, clusters, global clusters, and how they come and go with time."""
import datetime
import unittest

import test_cloud

CLUSTER = "apprentice-final-staging-aurora"


class Instances(test_cloud.Cloud):
    def setUp(self):
        super().setUp()
        self.rds = self.client("rds")

    def status(self, name):
        return self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBInstanceStatus"]

    def test_rds_instance_comes_and_goes(self):
        self.rds.create_db_instance(DBInstanceIdentifier="New", DBInstanceClass="db.t4g.micro", Engine="postgres", MasterUsername="u",
                                    MasterUserPassword="password1", AllocatedStorage=20, VpcSecurityGroupIds=["sg-1", "sg-2"], Tags=[{"Key": "a", "Value": "b"}])
        self.refused("DBInstanceAlreadyExists", self.rds.create_db_instance, 400, DBInstanceIdentifier="new", DBInstanceClass="db.t4g.micro",
                     Engine="postgres", MasterUsername="u")
        seen = []
        for _ in range(3):
            seen.append(self.status("new"))
            self.pass_time(50)
        self.assertEqual(seen, ["creating", "creating", "available"])
        thing = self.rds.describe_db_instances(Filters=[{"Name": "db-instance-id", "Values": ["new"]}])["DBInstances"][0]
        self.assertEqual([g["VpcSecurityGroupId"] for g in thing["VpcSecurityGroups"]], ["sg-1", "sg-2"])
        self.assertEqual(thing["TagList"], [{"Key": "a", "Value": "b"}])
        self.refused("InvalidParameterCombination", self.rds.delete_db_instance, 400, DBInstanceIdentifier="new")
        self.rds.delete_db_instance(DBInstanceIdentifier="new", SkipFinalSnapshot=True)
        self.assertEqual(self.status("new"), "deleting")
        self.refused("InvalidDBInstanceState", self.rds.delete_db_instance, 400, DBInstanceIdentifier="new", SkipFinalSnapshot=True)
        self.pass_time(41)
        self.refused("DBInstanceNotFound", self.rds.describe_db_instances, 404, DBInstanceIdentifier="new")
        self.assertEqual(self.done(), ["CreateDBInstance", "DeleteDBInstance"])

    def test_rds_modified_stopped_started(self):
        self.rds.modify_db_instance(DBInstanceIdentifier="meshgen-prod", DBInstanceClass="db.r6g.large", ApplyImmediately=True)
        self.pass_time(3)
        self.assertEqual(self.status("meshgen-prod"), "modifying")
        self.refused("InvalidDBInstanceState", self.rds.reboot_db_instance, 400, DBInstanceIdentifier="meshgen-prod")
        self.pass_time(40)
        self.assertEqual(self.rds.describe_db_instances(DBInstanceIdentifier="meshgen-prod")["DBInstances"][0]["DBInstanceClass"], "db.r6g.large")
        for call, ends in ((self.rds.reboot_db_instance, "available"), (self.rds.stop_db_instance, "stopped"), (self.rds.start_db_instance, "available")):
            call(DBInstanceIdentifier="meshgen-prod")
            self.assertNotEqual(self.status("meshgen-prod"), ends)
            self.pass_time(61)
            self.assertEqual(self.status("meshgen-prod"), ends)

    def test_rds_switchover_turns_the_pair_round(self):
        self.rds.switchover_read_replica(DBInstanceIdentifier="meshgen-replica")
        self.pass_time(51)
        pair = [self.rds.describe_db_instances(DBInstanceIdentifier=n)["DBInstances"][0] for n in ("meshgen-prod", "meshgen-replica")]
        self.assertEqual([t.get("ReadReplicaSourceDBInstanceIdentifier") for t in pair], ["meshgen-replica", None])
        self.assertEqual(pair[1]["ReadReplicaDBInstanceIdentifiers"], ["meshgen-prod"])

    def test_rds_pages(self):
        names = [t["DBInstanceIdentifier"] for page in self.rds.get_paginator("describe_db_instances").paginate(PaginationConfig={"PageSize": 2})
                 for t in page["DBInstances"]]
        self.assertEqual(names, ["meshgen-prod", "meshgen-replica", "meshgen-staging"])


class Snapshots(test_cloud.Cloud):
    def test_rds_snapshot_and_restore(self):
        rds = self.client("rds")
        rds.create_db_snapshot(DBInstanceIdentifier="meshgen-prod", DBSnapshotIdentifier="before")
        one = rds.describe_db_snapshots(DBSnapshotIdentifier="before")["DBSnapshots"][0]
        self.assertEqual((one["Status"], one["PercentProgress"]), ("creating", 0))
        self.refused("InvalidDBSnapshotState", rds.restore_db_instance_from_db_snapshot, 400, DBInstanceIdentifier="again", DBSnapshotIdentifier="before")
        self.pass_time(61)
        self.refused("DBSnapshotAlreadyExists", rds.create_db_snapshot, 400, DBInstanceIdentifier="meshgen-prod", DBSnapshotIdentifier="before")
        self.refused("DBSnapshotNotFound", rds.describe_db_snapshots, 404, DBSnapshotIdentifier="nobody")
        rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="before")
        rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="again", DBSnapshotIdentifier="before")
        self.script.add({"service": "rds", "op": "RestoreDBInstanceFromDBSnapshot", "ends": "restore-error"})
        rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="broken", DBSnapshotIdentifier="before")
        self.pass_time(101)
        things = {t["DBInstanceIdentifier"]: t for t in rds.describe_db_instances()["DBInstances"]}
        self.assertEqual([things[n]["DBInstanceStatus"] for n in ("again", "broken")], ["available", "restore-error"])
        self.assertEqual(things["again"]["Endpoint"]["Address"], "production.lab-dns.net")
        rds.delete_db_snapshot(DBSnapshotIdentifier="before")
        self.refused("DBSnapshotNotFound", rds.delete_db_snapshot, 404, DBSnapshotIdentifier="before")

    def test_rds_copy_far_away(self):
        home, far = self.client("rds"), self.client("rds", "us-east-2")
        home.create_db_snapshot(DBInstanceIdentifier="meshgen-prod", DBSnapshotIdentifier="s")
        self.pass_time(61)
        source = home.describe_db_snapshots(DBSnapshotIdentifier="s")["DBSnapshots"][0]["DBSnapshotArn"]
        params = {"SourceDBSnapshotIdentifier": source, "TargetDBSnapshotIdentifier": "t"}
        self.refused("KMSKeyNotAccessibleFault", far.copy_db_snapshot, SourceRegion="us-west-1", **params)
        self.refused("InvalidParameterValue", far.copy_db_snapshot, KmsKeyId="alias/aws/rds", **params)
        far.copy_db_snapshot(SourceRegion="us-west-1", KmsKeyId="alias/aws/rds", **params)
        self.pass_time(61)
        self.assertEqual(far.describe_db_snapshots(DBSnapshotIdentifier="t")["DBSnapshots"][0]["Status"], "available")
        self.assertEqual(self.done(), ["CreateDBSnapshot", "CopyDBSnapshot"])


class Clusters(test_cloud.Cloud):
    def setUp(self):
        super().setUp()
        self.rds = self.client("rds", "us-east-1")

    def cluster(self, name=CLUSTER):
        return self.rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]

    def test_rds_cluster_to_a_point_in_time(self):
        self.refused("InvalidParameterCombination", self.rds.restore_db_cluster_to_point_in_time, 400, DBClusterIdentifier="fixed", SourceDBClusterIdentifier=CLUSTER)
        self.rds.restore_db_cluster_to_point_in_time(DBClusterIdentifier="fixed", SourceDBClusterIdentifier=CLUSTER, UseLatestRestorableTime=True,
                                                     VpcSecurityGroupIds=["sg-9"], DBSubnetGroupName="private")
        self.assertEqual(self.cluster("fixed")["Status"], "creating")
        self.pass_time(81)
        self.rds.get_waiter("db_cluster_available").wait(DBClusterIdentifier="fixed")
        self.rds.create_db_instance(DBInstanceIdentifier="fixed-1", DBClusterIdentifier="fixed", Engine="aurora-postgresql", DBInstanceClass="db.serverless")
        self.pass_time(61)
        self.assertEqual(self.cluster("fixed")["DBClusterMembers"][0]["DBInstanceIdentifier"], "fixed-1")
        self.refused("InvalidDBClusterStateFault", self.rds.delete_db_cluster, 400, DBClusterIdentifier="fixed", SkipFinalSnapshot=True)
        self.rds.delete_db_instance(DBInstanceIdentifier="fixed-1", SkipFinalSnapshot=True)
        self.rds.delete_db_cluster(DBClusterIdentifier="fixed", SkipFinalSnapshot=True)
        self.pass_time(41)
        self.refused("DBClusterNotFoundFault", self.rds.describe_db_clusters, 404, DBClusterIdentifier="fixed")

    def test_rds_cluster_restored_within_its_window(self):
        window = self.cluster()["EarliestRestorableTime"], self.cluster()["LatestRestorableTime"]
        hour = datetime.timedelta(hours=1)
        for name, at, good in (("a", window[0] - hour, False), ("b", window[1] + hour, False), ("c", window[0] + hour, True)):
            params = {"DBClusterIdentifier": name, "SourceDBClusterIdentifier": CLUSTER, "RestoreToTime": at}
            if good:
                self.rds.restore_db_cluster_to_point_in_time(**params)
            else:
                self.refused("InvalidRestoreFault", self.rds.restore_db_cluster_to_point_in_time, 400, **params)
        self.assertEqual(self.done(), ["RestoreDBClusterToPointInTime"])

    def test_rds_cluster_snapshot_copied_and_restored(self):
        west = self.client("rds", "us-west-2")
        west.create_db_cluster_snapshot(DBClusterIdentifier="apprentice-final-dr-aurora", DBClusterSnapshotIdentifier="back")
        self.pass_time(61)
        arn = west.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier="back")["DBClusterSnapshots"][0]["DBClusterSnapshotArn"]
        params = {"SourceDBClusterSnapshotIdentifier": arn, "TargetDBClusterSnapshotIdentifier": "back", "KmsKeyId": "alias/aws/rds"}
        self.refused("InvalidParameterValue", self.rds.copy_db_cluster_snapshot, 400, **params)
        self.rds.copy_db_cluster_snapshot(SourceRegion="us-west-2", **params)
        self.pass_time(61)
        self.rds.restore_db_cluster_from_snapshot(DBClusterIdentifier="restored", SnapshotIdentifier="back", Engine="aurora-postgresql",
                                                  ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 4.0})
        self.pass_time(81)
        thing = self.cluster("restored")
        self.assertEqual((thing["Status"], thing["ServerlessV2ScalingConfiguration"]["MaxCapacity"]), ("available", 4.0))
        self.assertEqual(self.done(), ["CreateDBClusterSnapshot", "CopyDBClusterSnapshot", "RestoreDBClusterFromSnapshot"])

    def test_rds_cluster_renamed(self):
        self.rds.modify_db_cluster(DBClusterIdentifier=CLUSTER, NewDBClusterIdentifier="old", ApplyImmediately=True)
        self.assertEqual(self.cluster()["Status"], "renaming")
        self.pass_time(31)
        self.refused("DBClusterNotFoundFault", self.rds.describe_db_clusters, 404, DBClusterIdentifier=CLUSTER)
        self.assertEqual(self.rds.describe_db_instances(DBInstanceIdentifier=CLUSTER + "-1")["DBInstances"][0]["DBClusterIdentifier"], "old")

    def test_rds_cluster_fails_over(self):
        self.rds.failover_db_cluster(DBClusterIdentifier=CLUSTER, TargetDBInstanceIdentifier=CLUSTER + "-2")
        self.refused("InvalidDBClusterStateFault", self.rds.failover_db_cluster, DBClusterIdentifier=CLUSTER)
        self.pass_time(31)
        self.assertEqual([m["IsClusterWriter"] for m in self.cluster()["DBClusterMembers"]], [False, True])

    def group(self):
        return self.rds.describe_global_clusters(GlobalClusterIdentifier="orders")["GlobalClusters"][0]

    def test_rds_global_cluster_moves(self):
        west = "arn:aws:rds:us-west-2:571832839665:cluster:orders-west"
        for call, word, more in ((self.rds.switchover_global_cluster, "switching-over", {}), (self.rds.failover_global_cluster, "failing-over", {"AllowDataLoss": True})):
            with self.subTest(word=word):
                target = next(m["DBClusterArn"] for m in self.group()["GlobalClusterMembers"] if not m["IsWriter"])
                call(GlobalClusterIdentifier="orders", TargetDbClusterIdentifier=target, **more)
                self.pass_time(11)
                thing = self.group()
                self.assertEqual((thing["Status"], thing["FailoverState"]["Status"]), (word, word))
                self.refused("InvalidGlobalClusterStateFault", call, 400, GlobalClusterIdentifier="orders", TargetDbClusterIdentifier=target, **more)
                self.pass_time(41)
                thing = self.group()
                self.assertEqual((thing["Status"], "FailoverState" in thing), ("available", False))
                self.assertEqual([m["DBClusterArn"] for m in thing["GlobalClusterMembers"] if m["IsWriter"]], [target])
        self.rds.remove_from_global_cluster(GlobalClusterIdentifier="orders", DbClusterIdentifier=west)
        self.assertEqual(len(self.group()["GlobalClusterMembers"]), 1)
        self.assertEqual(self.client("rds", "us-west-2").describe_db_clusters(DBClusterIdentifier="orders-west")["DBClusters"][0]["Status"], "promoting")


if __name__ == "__main__":
    unittest.main()
