"""The services that the lab plays by itself; the front hands everything else to moto."""
from cloud.backup import Backup
from cloud.cloudfront import CloudFront
from cloud.cloudwatch import CloudWatch
from cloud.functions import Lambda
from cloud.rds import Rds
from cloud.recovery import RecoveryCluster, RegionSwitch
from cloud.secretsmanager import SecretsManager
from cloud.sns import Sns
from cloud.ssm import Ssm
from cloud.sts import Sts

SERVICES = {kind.name: kind for kind in (Backup, CloudFront, CloudWatch, Lambda, Rds, RecoveryCluster, RegionSwitch, SecretsManager, Sns, Ssm, Sts)}
