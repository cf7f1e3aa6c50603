"""What there is in the lab's account before anything was done."""
from cloud.rds import Rds
from cloud.world import utcnow


def first(world, net):
    """net: the lab's; databases have their addresses where the lab's PostgreSQL answers."""
    at = {"production": ("127.77.%d.2" % net, 15432), "staging": ("127.77.%d.3" % net, 15432)}
    databases(world, at)
    aurora(world, at)


def databases(world, at):
    home, far = Rds(world, "us-west-1"), Rds(world, "us-west-2")
    for name, place in (("meshgen-prod", "production"), ("meshgen-staging", "staging")):
        home.is_up(home.new_instance(name, "available", DBName="meshgen_db", _at=at[place], InstanceCreateTime=utcnow()))
    source = home.instance("meshgen-prod")
    for region, name, place in ((home, "meshgen-replica", "staging"), (far, "meshgen-far-replica", "staging")):
        away = region.region != home.region
        thing = region.new_instance(
            name, "available", DBName="meshgen_db", BackupRetentionPeriod=0, _at=at[place], _lag=(0.0, 0.0),
            ReadReplicaSourceDBInstanceIdentifier=source["DBInstanceArn"] if away else "meshgen-prod",
            StatusInfos=[{"StatusType": "read replication", "Normal": True, "Status": "replicating"}])
        region.is_up(thing)
        source["ReadReplicaDBInstanceIdentifiers"].append(thing["DBInstanceArn"] if away else name)


def aurora(world, at):
    """A cluster in us-east-1 and one of a global cluster's regions each; all of their writers are the lab's own databases."""
    for region, name, place in (("us-east-1", "apprentice-final-staging-aurora", "production"), ("us-west-2", "apprentice-final-dr-aurora", "staging"),
                                ("us-east-1", "orders-east", "production"), ("us-west-2", "orders-west", "staging")):
        rds = Rds(world, region)
        cluster = rds.new_cluster(name, "available", DatabaseName="habittracker", _at=at[place])
        for n in (1, 2):
            instance = rds.new_instance("%s-%d" % (name, n), "available", Engine="aurora-postgresql", DBInstanceClass="db.r6g.large",
                                        DBClusterIdentifier=name, MasterUsername="dbadmin", AvailabilityZone=region + "ab"[n - 1], _at=at[place])
            rds.is_up(instance)
            rds.join(cluster, instance)
    group = Rds(world, "us-east-1").new_global("orders")
    for region, name in (("us-east-1", "orders-east"), ("us-west-2", "orders-west")):
        rds = Rds(world, region)
        rds.join_global(group, rds.cluster(name))
