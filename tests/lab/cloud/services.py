"""The services that the lab plays by itself; the front hands everything else to moto."""
from cloud.acm import Acm
from cloud.autoscaling import AutoScaling
from cloud.backup import Backup
from cloud.balancers import Balancers
from cloud.cloudfront import CloudFront
from cloud.cloudwatch import CloudWatch
from cloud.ec2 import Ec2
from cloud.ecs import Ecs
from cloud.elasticache import ElastiCache
from cloud.functions import Lambda
from cloud.logs import Logs
from cloud.rds import Rds
from cloud.recovery import RecoveryCluster, RegionSwitch
from cloud.secretsmanager import SecretsManager
from cloud.sns import Sns
from cloud.sso import Sso
from cloud.ssm import Ssm
from cloud.sts import Sts

SERVICES = {kind.name: kind for kind in (Acm, AutoScaling, Backup, Balancers, CloudFront, CloudWatch, Ec2, Ecs, ElastiCache, Lambda, Logs, Rds, RecoveryCluster,
                                         RegionSwitch, SecretsManager, Sns, Sso, Ssm, Sts)}
