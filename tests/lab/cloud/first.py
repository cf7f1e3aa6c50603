"""What there is in the lab's account before anything was done."""
from cloud.rds import Rds
from cloud.world import utcnow


def first(world, net):
    """net: the lab's; databases have their addresses where the lab's PostgreSQL answers."""
    at = {"production": ("127.77.%d.2" % net, 15432), "staging": ("127.77.%d.3" % net, 15432)}
    databases(world, at)


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
