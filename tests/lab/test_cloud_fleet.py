"""The lab's compute, balancers, logs and sources of keys, asked by boto3."""
import datetime
import os
import unittest
import urllib.error
import urllib.request
from unittest import mock

import botocore.config
import botocore.exceptions
import botocore.session
import botocore.utils

import route53
import servers
import test_cloud
import web
import zone
from cloud import metadata

BALANCER = "arn:aws:elasticloadbalancing:us-west-1:571832839665:loadbalancer/app/webdev-alb-stg/f198da4d96a3d417"
GROUP = "arn:aws:elasticloadbalancing:us-west-1:571832839665:targetgroup/webdev-app-tg-stg/cc3eef9c468b7069"


class Fleet(test_cloud.Cloud):
    def test_ecs_service_follows(self):
        ecs = self.client("ecs")

        def seen():
            one = ecs.describe_services(cluster="honua-dr", services=["api"])["services"][0]
            return one["runningCount"], one["desiredCount"], one["deployments"][0]["rolloutState"]
        self.assertEqual(seen(), (2, 2, "COMPLETED"))
        ecs.update_service(cluster="honua-dr", service="api", desiredCount=5, forceNewDeployment=True)
        self.assertEqual(seen(), (2, 5, "IN_PROGRESS"))
        self.pass_time(41)
        ecs.get_waiter("services_stable").wait(cluster="honua-dr", services=["api"])
        self.assertEqual(seen(), (5, 5, "COMPLETED"))
        self.assertEqual(ecs.describe_services(cluster="honua-dr", services=["none"])["failures"][0]["reason"], "MISSING")
        self.refused("ClusterNotFoundException", ecs.describe_services, 400, cluster="none", services=["api"])
        self.refused("ServiceNotFoundException", ecs.update_service, 400, cluster="honua-dr", service="none")

    def test_autoscaling_follows(self):
        auto = self.client("autoscaling")

        def seen():
            return [i["LifecycleState"] for i in auto.describe_auto_scaling_groups(AutoScalingGroupNames=["web"])["AutoScalingGroups"][0]["Instances"]]
        auto.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=4)
        self.assertEqual(seen(), ["InService"] * 2 + ["Pending"] * 2)
        self.pass_time(41)
        self.assertEqual(seen(), ["InService"] * 4)
        self.refused("ValidationError", auto.set_desired_capacity, 400, AutoScalingGroupName="web", DesiredCapacity=9)
        auto.update_auto_scaling_group(AutoScalingGroupName="web", MinSize=1, MaxSize=9, DesiredCapacity=1)
        self.pass_time(41)
        self.assertEqual(seen(), ["InService"])

    def test_elbv2_listener(self):
        elb = self.client("elbv2")
        params = {"LoadBalancerArn": BALANCER, "Port": 443, "Protocol": "HTTPS", "Certificates": [{"CertificateArn": "arn:aws:acm:us-west-1:571832839665:certificate/1"}],
                  "DefaultActions": [{"Type": "forward", "TargetGroupArn": GROUP}]}
        self.assertEqual(elb.describe_listeners(LoadBalancerArn=BALANCER)["Listeners"], [])
        arn = elb.create_listener(**params)["Listeners"][0]["ListenerArn"]
        self.refused("DuplicateListener", elb.create_listener, 400, **dict(params, Protocol="HTTP"))
        self.refused("TargetGroupNotFound", elb.create_listener, 400, **dict(params, Port=80, DefaultActions=[{"Type": "forward", "TargetGroupArn": GROUP + "0"}]))
        self.assertEqual(elb.describe_listeners(LoadBalancerArn=BALANCER)["Listeners"][0]["ListenerArn"], arn)
        elb.delete_listener(ListenerArn=arn)
        self.refused("ListenerNotFound", elb.delete_listener, 400, ListenerArn=arn)
        self.assertEqual(self.done(), ["CreateListener", "DeleteListener"])

    def test_elbv2_targets_become_healthy(self):
        elb = self.client("elbv2")

        def seen():
            return {t["Target"]["Id"]: t["TargetHealth"]["State"] for t in elb.describe_target_health(TargetGroupArn=GROUP)["TargetHealthDescriptions"]}
        elb.register_targets(TargetGroupArn=GROUP, Targets=[{"Id": "i-new"}])
        elb.deregister_targets(TargetGroupArn=GROUP, Targets=[{"Id": "i-0lab0000000000002"}])
        self.assertEqual(seen(), {"i-new": "initial", "i-0lab0000000000002": "draining"})
        self.pass_time(31)
        self.assertEqual(seen(), {"i-new": "healthy"})

    def test_ec2_instances(self):
        ec2 = self.client("ec2")

        def seen():
            got = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["mesh-gen-web-staging"]}])["Reservations"]
            return [(i["PrivateIpAddress"], i["State"]["Name"]) for r in got for i in r["Instances"]]
        self.assertEqual(seen(), [("127.77.250.3", "running")])
        ec2.stop_instances(InstanceIds=["i-0lab0000000000002"])
        self.assertEqual(seen(), [("127.77.250.3", "stopping")])
        self.pass_time(31)
        self.assertEqual(seen(), [("127.77.250.3", "stopped")])
        self.refused("InvalidInstanceID.NotFound", ec2.describe_instances, 400, InstanceIds=["i-none"])

    def test_ec2_snapshot_copied_far_away(self):
        near, far = self.client("ec2"), self.client("ec2", "us-east-1")
        made = near.create_snapshot(VolumeId="vol-1", TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": "a", "Value": "b"}]}])["SnapshotId"]
        self.refused("IncorrectState", far.copy_snapshot, SourceRegion="us-west-1", SourceSnapshotId=made)
        self.pass_time(61)
        copy = far.copy_snapshot(SourceRegion="us-west-1", SourceSnapshotId=made)["SnapshotId"]
        self.refused("InvalidParameterValue", far.copy_snapshot, SourceRegion="us-west-1", SourceSnapshotId=made, PresignedUrl="https://ec2.us-west-1.amazonaws.com/?Action=CopySnapshot")
        self.pass_time(61)
        far.get_waiter("snapshot_completed").wait(SnapshotIds=[copy])
        self.refused("AuthFailure", self.client("ec2", secret="wrong").describe_instances)
        self.assertEqual(self.done(), ["CreateSnapshot", "CopySnapshot"])

    def test_ssm_command_on_an_instance(self):
        ssm, host = self.client("ssm"), "i-0lab0000000000002"
        sent = ssm.send_command(Targets=[{"Key": "tag:Name", "Values": ["mesh-gen-web-staging"]}], DocumentName="AWS-RunShellScript",
                                Parameters={"commands": ["systemctl restart app"]})["Command"]["CommandId"]
        self.refused("InvocationDoesNotExist", ssm.get_command_invocation, 400, CommandId=sent, InstanceId=host)
        self.pass_time(2)
        self.assertEqual(ssm.get_command_invocation(CommandId=sent, InstanceId=host)["Status"], "InProgress")
        self.pass_time(21)
        got = ssm.get_command_invocation(CommandId=sent, InstanceId=host)
        self.assertEqual((got["Status"], got["ResponseCode"], got["StandardOutputContent"]), ("Success", 0, "systemctl restart app\n"))
        self.refused("InvalidInstanceId", ssm.send_command, 400, InstanceIds=["i-none"], DocumentName="AWS-RunShellScript")

    def test_elasticache_fails_over(self):
        cache = self.client("elasticache")

        def seen():
            group = cache.describe_replication_groups(ReplicationGroupId="sessions")["ReplicationGroups"][0]
            return group["Status"], [m["CurrentRole"] for m in group["NodeGroups"][0]["NodeGroupMembers"]]
        cache.test_failover(ReplicationGroupId="sessions", NodeGroupId="0001")
        self.assertEqual(seen(), ("modifying", ["primary", "replica"]))
        self.pass_time(31)
        self.assertEqual(seen(), ("available", ["replica", "primary"]))
        self.refused("ReplicationGroupNotFoundFault", cache.test_failover, 404, ReplicationGroupId="none", NodeGroupId="0001")
        self.assertEqual(self.done(), ["TestFailover"])

    def test_acm_certificate(self):
        acm = self.client("acm", "us-east-1")
        arn = acm.list_certificates()["CertificateSummaryList"][0]["CertificateArn"]
        left = acm.describe_certificate(CertificateArn=arn)["Certificate"]["NotAfter"] - datetime.datetime.now(datetime.timezone.utc)
        self.assertEqual(left.days, 299)
        self.refused("ResourceNotFoundException", acm.describe_certificate, 400, CertificateArn=arn[:-1] + "0")

    def test_logs_in_pages_that_may_be_empty(self):
        logs, seen, token = self.client("logs"), [], {}
        while True:
            got = logs.filter_log_events(logGroupName="/aws/lambda/apprentice-final-dr-api", filterPattern="ERROR", limit=1, **token)
            seen.append([e["message"] for e in got["events"]])
            if "nextToken" not in got:
                break
            token = {"nextToken": got["nextToken"]}
        self.assertEqual(seen, [[], ["ERROR connection refused"], [], ["ERROR timeout"], []])
        self.refused("ResourceNotFoundException", logs.filter_log_events, 400, logGroupName="none")


class Made(test_cloud.Cloud):
    """What a client makes, it finds again by the reads that the lab plays."""

    def test_made_things_are_found(self):
        def found(service, make, params, read, where, name, **key):
            with self.subTest(service=service):
                client = self.client(service)
                getattr(client, make)(**params)
                self.assertIn(name, str(getattr(client, read)(**key)[where]))
        found("secretsmanager", "create_secret", {"Name": "new/one", "SecretString": "s"}, "get_secret_value", "SecretString", "s", SecretId="new/one")
        found("sns", "create_topic", {"Name": "new"}, "list_topics", "Topics", ":new")
        found("logs", "create_log_group", {"logGroupName": "/new"}, "describe_log_groups", "logGroups", "/new")
        found("ecs", "create_cluster", {"clusterName": "new"}, "describe_clusters", "clusters", "ACTIVE", clusters=["new"])
        found("ecs", "create_service", {"cluster": "honua-dr", "serviceName": "new", "desiredCount": 3}, "describe_services", "services", "IN_PROGRESS",
              cluster="honua-dr", services=["new"])
        found("lambda", "create_function", {"FunctionName": "new", "Role": "arn:aws:iam::571832839665:role/lambda", "Code": {"ZipFile": b"x"}, "Runtime": "python3.12",
                                            "Handler": "a.b"}, "get_function_configuration", "State", "Pending", FunctionName="new")
        found("autoscaling", "create_auto_scaling_group", {"AutoScalingGroupName": "new", "MinSize": 1, "MaxSize": 2, "AvailabilityZones": ["us-west-1a"]},
              "describe_auto_scaling_groups", "AutoScalingGroups", "Pending", AutoScalingGroupNames=["new"])
        found("elbv2", "create_target_group", {"Name": "new", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1ab0"}, "describe_target_groups", "TargetGroups", "new")
        found("ec2", "run_instances", {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1}, "describe_instances", "Reservations", "pending")
        found("acm", "request_certificate", {"DomainName": "new.example.org"}, "list_certificates", "CertificateSummaryList", "new.example.org")
        found("backup", "create_backup_vault", {"BackupVaultName": "new"}, "list_backup_vaults", "BackupVaultList", "new")


class HealthChecks(test_cloud.Cloud):
    def setUp(self):
        super().setUp()
        self.store = zone.Store(settle=0)
        servers.first_state(self.store, 250)
        server = web.Server((test_cloud.LAB, 0), route53.Handler, script=self.script, store=self.store, ledger=self.book, keys=servers.KEYS).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.url = "http://%s:%d" % server.server_address
        self.route53 = self.client("route53", "us-east-1")

    def address(self):
        return [r[3] for r in self.store.lookup("db.provability-fabric.org", "CNAME")[2]]

    def test_route53_check_inverted(self):
        check = {"HealthCheckId": servers.CHECK}
        self.assertEqual(self.address(), ["production.lab-dns.net"])
        changed = self.route53.update_health_check(Inverted=True, HealthCheckVersion=1, **check)["HealthCheck"]
        self.assertEqual((changed["HealthCheckVersion"], changed["HealthCheckConfig"]["Inverted"]), (2, True))
        self.assertEqual(self.address(), ["staging.lab-dns.net"])
        self.refused("HealthCheckVersionMismatch", self.route53.update_health_check, 409, HealthCheckVersion=1, Inverted=False, **check)
        self.assertTrue(self.route53.get_health_check(**check)["HealthCheck"]["HealthCheckConfig"]["Inverted"])
        self.assertEqual(self.done(), ["UpdateHealthCheck"])
        self.refused("NoSuchHealthCheck", self.route53.get_health_check, 404, HealthCheckId="none")

    def test_route53_check_status(self):
        def seen():
            got = self.route53.get_health_check_status(HealthCheckId=servers.CHECK)["HealthCheckObservations"]
            self.assertIsInstance(got[0]["StatusReport"]["CheckedTime"], datetime.datetime)
            return {o["StatusReport"]["Status"].partition(":")[0] for o in got}
        self.assertEqual(seen(), {"Success"})
        self.store.down.add("production.lab-dns.net.")
        self.assertEqual((seen(), self.address()), ({"Failure"}, ["staging.lab-dns.net"]))


class Sources(test_cloud.Cloud):
    """Where keys come from: each kind that the lab hands out must be taken by the lab, and by botocore's own fetchers."""

    def serve_metadata(self):
        server = web.Server((test_cloud.LAB, 0), metadata.Handler, script=self.script, cloud=lambda: self.world, ledger=self.book).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return "http://%s:%d" % server.server_address

    def taken(self, **environment):
        """The identity that a session with nothing but this environment has."""
        with mock.patch.dict(os.environ, dict(environment, AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null")):
            sts = botocore.session.Session().create_client("sts", "us-west-1", endpoint_url=self.url)
            return sts.get_caller_identity()["Arn"]

    def test_keys_of_an_instance(self):
        url = self.serve_metadata()
        self.assertIn("/lab-instance-role/", self.taken(AWS_EC2_METADATA_SERVICE_ENDPOINT=url + "/"))
        with self.assertRaises(urllib.error.HTTPError) as got:
            urllib.request.urlopen(url + "/latest/meta-data/iam/security-credentials/")
        self.assertEqual(got.exception.code, 401)

    def test_keys_of_a_container(self):
        url = self.serve_metadata()
        with mock.patch.object(botocore.utils.ContainerMetadataFetcher, "_is_loopback_address", lambda *_: True):
            self.assertIn("/lab-task-role/", self.taken(AWS_CONTAINER_CREDENTIALS_FULL_URI=url + "/v2/credentials/lab"))
            self.assertIn("/lab-task-role/", self.taken(AWS_CONTAINER_CREDENTIALS_FULL_URI=url + "/v2/credentials/token",
                                                       AWS_CONTAINER_AUTHORIZATION_TOKEN=metadata.CONTAINER_TOKEN))
            with self.assertRaises(botocore.exceptions.CredentialRetrievalError):
                self.taken(AWS_CONTAINER_CREDENTIALS_FULL_URI=url + "/v2/credentials/token", AWS_CONTAINER_AUTHORIZATION_TOKEN="other")

    def test_keys_of_a_sign_on(self):
        sso = test_cloud.session().client("sso", region_name="us-west-1", endpoint_url=self.url, config=botocore.config.Config(signature_version=botocore.UNSIGNED))
        got = sso.get_role_credentials(roleName="Admin", accountId="123456789012", accessToken="lab-sso-token")["roleCredentials"]
        self.assertGreater(got["expiration"], 1e12)
        sts = self.client("sts", access=got["accessKeyId"], secret=got["secretAccessKey"], token=got["sessionToken"])
        self.assertEqual(sts.get_caller_identity()["Account"], "123456789012")
        self.refused("UnauthorizedException", sso.get_role_credentials, 401, roleName="Admin", accountId="1", accessToken="other")
        self.world.keys.expire()
        self.refused("ExpiredToken", sts.get_caller_identity, 403)

    def test_keys_expired_where_json_is_spoken(self):
        got = self.world.keys.issue(900, "arn:aws:sts::1:assumed-role/a/b", "A:b")
        ssm = self.client("ssm", access=got["AccessKeyId"], secret=got["SecretAccessKey"], token=got["SessionToken"])
        self.assertTrue(ssm.get_parameter(Name="/lab/password"))
        self.pass_time(901)
        self.refused("ExpiredTokenException", ssm.get_parameter, Name="/lab/password")
        self.refused("UnrecognizedClientException", self.client("ssm", access="AKIANOBODY").get_parameter, Name="/lab/password")
        self.refused("InvalidSignatureException", self.client("ssm", secret="wrong").get_parameter, Name="/lab/password")


if __name__ == "__main__":
    unittest.main()
