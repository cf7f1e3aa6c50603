"""What there is in the lab's account before anything was done."""
import datetime

from cloud.acm import Acm
from cloud.autoscaling import AutoScaling
from cloud.backup import Backup
from cloud.balancers import Balancers
from cloud.cloudfront import CloudFront
from cloud.cloudwatch import set_metric
from cloud.ec2 import Ec2
from cloud.ecs import Ecs
from cloud.elasticache import ElastiCache
from cloud.functions import Lambda
from cloud.logs import Logs
from cloud.rds import Rds
from cloud.secretsmanager import SecretsManager
from cloud.ssm import Ssm
from cloud.world import ACCOUNT, utcnow


def first(world, net):
    """net: the lab's. The names of databases are those of the lab's own PostgreSQL."""
    at = {name: (name + ".lab-dns.net", 5432) for name in ("production", "staging")}
    databases(world, at)
    aurora(world, at)
    backups(world)
    recovery(world)
    rest(world)
    fleet(world, net)


def databases(world, at):
    home, far = Rds(world, "us-west-1"), Rds(world, "us-west-2")
    for name, place in (("meshgen-prod", "production"), ("meshgen-staging", "staging")):
        home.is_up(home.new_instance(name, "available", DBName="meshgen_db", _at=at[place], InstanceCreateTime=utcnow()))
    for region, name in (("us-west-2", "provability-fabric"), ("us-east-1", "provability-fabric"), ("us-east-1", "honua")):
        rds = Rds(world, region)
        rds.is_up(rds.new_instance(name, "available", _at=at["staging" if (region, name) == ("us-east-1", "provability-fabric") else "production"]))
    replica(home, "meshgen-replica", home.instance("meshgen-prod"), at["staging"])
    replica(far, "meshgen-far-replica", home.instance("meshgen-prod"), at["staging"])
    replica(far, "honua-dr", far.instance("honua", "us-east-1"), at["staging"])


def replica(rds, name, source, place):
    away = rds.region != source["_region"]
    thing = rds.new_instance(
        name, "available", DBName=source.get("DBName"), BackupRetentionPeriod=0, _at=place,
        ReadReplicaSourceDBInstanceIdentifier=source["DBInstanceArn"] if away else source["DBInstanceIdentifier"],
        StatusInfos=[{"StatusType": "read replication", "Normal": True, "Status": "replicating"}])
    rds.is_up(thing)
    source["ReadReplicaDBInstanceIdentifiers"].append(thing["DBInstanceArn"] if away else name)
    set_metric(rds.world, rds.region, "AWS/RDS:ReplicaLag:" + name, 2.0)


def aurora(world, at):
    """A cluster in us-east-1 and one of a global cluster's regions each; all of their writers are the lab's own databases."""
    for region, name, place in (("us-east-1", "apprentice-final-staging-aurora", "production"), ("us-west-2", "apprentice-final-dr-aurora", "staging"),
                                ("us-east-1", "orders-east", "production"), ("us-west-2", "orders-west", "staging")):
        rds = Rds(world, region)
        cluster = rds.new_cluster(name, "available", DatabaseName="habittracker", _at=at[place], ClusterCreateTime=utcnow() - datetime.timedelta(days=90),
                                  EarliestRestorableTime=utcnow() - datetime.timedelta(days=7))
        for n in (1, 2):
            instance = rds.new_instance("%s-%d" % (name, n), "available", Engine="aurora-postgresql", DBInstanceClass="db.r6g.large",
                                        DBClusterIdentifier=name, MasterUsername="dbadmin", AvailabilityZone=region + "ab"[n - 1], _at=at[place])
            rds.is_up(instance)
            rds.join(cluster, instance)
    group = Rds(world, "us-east-1").new_global("orders")
    for region, name in (("us-east-1", "orders-east"), ("us-west-2", "orders-west")):
        rds = Rds(world, region)
        rds.join_global(group, rds.cluster(name))


def backups(world):
    """Recovery points of the clusters, one an hour, the newest not half an hour old; the last of them failed."""
    for region, cluster, vault in (("us-east-1", "apprentice-final-staging-aurora", "apprentice-final-staging-vault"),
                                   ("us-west-2", "apprentice-final-staging-aurora", "apprentice-final-staging-vault")):
        here = Backup(world, region)
        here.table("vault")[vault] = {"points": {}}
        for n in range(7):
            made = utcnow() - datetime.timedelta(minutes=25 + 60 * n)
            here.new_point(vault, "arn:aws:rds:us-east-1:%s:cluster:%s" % (ACCOUNT, cluster), "PARTIAL" if n == 6 else "COMPLETED", CreationDate=made)


def recovery(world):
    panel = "arn:aws:route53-recovery-control::%s:controlpanel/0123456789abcdef0123456789abcdef" % ACCOUNT
    for n, (name, state) in enumerate((("east", "On"), ("west", "Off"))):
        arn = "%s/routingcontrol/%016x" % (panel, n + 1)
        world.table("route53-recovery-cluster.control")[arn] = {
            "RoutingControlArn": arn, "RoutingControlName": name, "RoutingControlState": state, "ControlPanelArn": panel, "ControlPanelName": "orders"}
    arn = "arn:aws:arc-region-switch::%s:plan/orders:a1b2c3" % ACCOUNT
    steps = [{"name": n, "executionBlockType": "ManualApproval", "executionBlockConfiguration": {
        "executionApprovalConfig": {"approvalRole": "arn:aws:iam::%s:role/approver" % ACCOUNT}}} for n in ("scale", "database", "traffic")]
    world.table("arc-region-switch.plan")[arn] = {
        "arn": arn, "name": "orders", "regions": ["us-east-1", "us-west-2"], "recoveryApproach": "activePassive", "primaryRegion": "us-east-1", "owner": ACCOUNT,
        "executionRole": "arn:aws:iam::%s:role/plan" % ACCOUNT, "version": "1", "updatedAt": utcnow(),
        "workflows": [{"steps": steps, "workflowTargetAction": action} for action in ("activate", "deactivate")]}


def rest(world):
    for region in ("us-east-1", "us-west-1", "us-west-2"):
        ssm = Ssm(world, region)
        ssm.new_parameter("/apprentice-final/staging/aurora/writer_endpoint", "old-writer.lab-dns.net")
        ssm.new_parameter("/lab/password", "lab-parameter-password", "SecureString")
        secret = SecretsManager(world, region)
        secret.new_secret("apprentice/aurora", '{"username": "dbadmin", "password": "lab-prod-password", "port": 5432}')
        secret.new_secret("apprentice/dr/aurora", "lab-staging-password")
        secret.new_secret("khorium/postgres", '{"username": "postgres", "password": "lab-prod-password"}')
        secret.new_secret("khorium/prod/postgres", "lab-prod-password")
        secret.new_secret("khorium/staging/postgres", "lab-staging-password")
        secret.new_secret("lab/plain", "lab-secret-text")
        secret.new_secret("lab/binary", b"\x00\x01lab\xff")
        world.table("sns.topic", region)["alerts"] = {}
        Lambda(world, region).new_function("apprentice-final-staging-api", Environment={"Variables": {"STAGE": "staging", "DB_POOL": "5"}})
        set_metric(world, region, "AWS/ApplicationELB:TargetResponseTime", 0.12)
        set_metric(world, region, "AWS/ECS:CPUUtilization", 35.0)
        set_metric(world, region, "AWS/Route53:HealthCheckStatus", 1.0)
        set_metric(world, region, "AWS/RDS:CPUUtilization", 20.0)
    front = CloudFront(world)
    for id, alias in (("E352AHA7L040MU", "app.khorium.ai"), ("E1STAGING0LAB", "bardhi.devops.konitron.com")):
        front.new_distribution({
            "CallerReference": id, "Comment": "lab", "Enabled": True, "Aliases": {"Quantity": 1, "Items": [alias]},
            "Origins": {"Quantity": 1, "Items": [{"Id": "site", "DomainName": "production.lab-dns.net", "CustomOriginConfig": {
                "HTTPPort": 8080, "HTTPSPort": 8443, "OriginProtocolPolicy": "https-only"}}]},
            "DefaultCacheBehavior": {"TargetOriginId": "site", "ViewerProtocolPolicy": "redirect-to-https", "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6"}},
            "Deployed", id, "d1111lab1111.cloudfront.net" if alias == "bardhi.devops.konitron.com" else None)


def fleet(world, net):
    ec2 = Ec2(world, "us-west-1")
    ec2.new_instance("i-0lab0000000000001", "mesh-gen-web", "127.77.%d.2" % net)
    ec2.new_instance("i-0lab0000000000002", "mesh-gen-web-staging", "127.77.%d.3" % net)
    elb = Balancers(world, "us-west-1")
    elb.new_balancer("arn:aws:elasticloadbalancing:us-west-1:%s:loadbalancer/app/webdev-alb-stg/f198da4d96a3d417" % ACCOUNT)
    elb.new_group("arn:aws:elasticloadbalancing:us-west-1:%s:targetgroup/webdev-app-tg-stg/cc3eef9c468b7069" % ACCOUNT, "i-0lab0000000000002")
    for region, id in (("us-west-1", "9da4dfe8-75aa-49e7-8840-9f8349193fc4"), ("us-east-1", "3461bd50-ee2c-4f96-9a5c-cf38f3c73c26")):
        Acm(world, region).new_certificate("arn:aws:acm:%s:%s:certificate/%s" % (region, ACCOUNT, id), "khorium.ai", "*.khorium.ai")
    for region in ("us-east-1", "us-west-1", "us-west-2"):
        ElastiCache(world, region).new_group("sessions")
        Ecs(world, region).new_service("honua-dr", "api")
        AutoScaling(world, region).new_group("web")
        Logs(world, region).put("/aws/lambda/apprentice-final-dr-api", "a", "START", "ERROR connection refused", "END", "ERROR timeout", "END")
