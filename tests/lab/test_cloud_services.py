"""The lab's other services of AWS, asked by boto3."""
import datetime
import unittest

import test_cloud

CLUSTER = "arn:aws:rds:us-east-1:571832839665:cluster:apprentice-final-staging-aurora"
ROLE = "arn:aws:iam::571832839665:role/backup"


def window(**back):
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"StartTime": now - datetime.timedelta(**back), "EndTime": now}


class CloudWatch(test_cloud.Cloud):
    def setUp(self):
        super().setUp()
        self.watch = self.client("cloudwatch", only="query")

    def lag(self):
        got = self.watch.get_metric_statistics(Namespace="AWS/RDS", MetricName="ReplicaLag", Period=60, Statistics=["Average", "Maximum"],
                                               Dimensions=[{"Name": "DBInstanceIdentifier", "Value": "r"}], **window(minutes=5))["Datapoints"]
        return max(got, key=lambda p: p["Timestamp"])["Average"] if got else None

    def test_cloudwatch_lag_falls(self):
        self.assertEqual(self.lag(), None)
        self.client("rds").create_db_instance_read_replica(DBInstanceIdentifier="r", SourceDBInstanceIdentifier="meshgen-prod")
        seen = []
        for _ in range(4):
            seen.append(self.lag())
            self.pass_time(40)
        self.assertEqual(seen, [90.0, 50.0, 10.0, 0.0])

    def test_cloudwatch_data_and_alarms(self):
        query = {"Id": "m1", "MetricStat": {"Metric": {"Namespace": "AWS/ECS", "MetricName": "CPUUtilization"}, "Period": 60, "Stat": "Average"}}
        got = self.watch.get_metric_data(MetricDataQueries=[query], **window(minutes=10))["MetricDataResults"][0]
        self.assertEqual((set(got["Values"]), got["StatusCode"]), ({35.0}, "Complete"))
        self.assertEqual(got["Timestamps"], sorted(got["Timestamps"], reverse=True))
        self.watch.put_metric_alarm(AlarmName="hot", Namespace="AWS/ECS", MetricName="CPUUtilization", Period=60, EvaluationPeriods=1, Statistic="Average",
                                    Threshold=80, ComparisonOperator="GreaterThanThreshold")
        self.watch.put_metric_alarm(AlarmName="blind", Namespace="X", MetricName="Y", Period=60, EvaluationPeriods=1, Statistic="Average", Threshold=1,
                                    ComparisonOperator="GreaterThanThreshold")
        states = {}
        for value in (35.0, 95.0):
            self.watch.put_metric_data(Namespace="AWS/ECS", MetricData=[{"MetricName": "CPUUtilization", "Value": value}])
            states[value] = [a["StateValue"] for a in self.watch.describe_alarms(AlarmNames=["hot", "blind"])["MetricAlarms"]]
        self.assertEqual(states, {35.0: ["INSUFFICIENT_DATA", "OK"], 95.0: ["INSUFFICIENT_DATA", "ALARM"]})
        self.refused("InvalidParameterValue", self.watch.get_metric_statistics, 400, Namespace="AWS/ECS", MetricName="CPUUtilization", Period=61,
                     Statistics=["Average"], **window(minutes=5))


class Backup(test_cloud.Cloud):
    def setUp(self):
        super().setUp()
        self.backup = self.client("backup", "us-east-1")

    def test_backup_points_come_in_pages(self):
        vault = "apprentice-final-staging-vault"
        for call, params in ((self.backup.list_recovery_points_by_backup_vault, {"BackupVaultName": vault}),
                             (self.backup.list_recovery_points_by_resource, {"ResourceArn": CLUSTER})):
            token, seen = {}, []
            while True:
                got = call(MaxResults=3, **params, **token)
                seen.append(len(got["RecoveryPoints"]))
                if "NextToken" not in got:
                    break
                token = {"NextToken": got["NextToken"]}
            self.assertEqual(seen, [3, 3, 1])
        point = self.backup.list_recovery_points_by_resource(ResourceArn=CLUSTER)["RecoveryPoints"][0]
        self.assertEqual(self.backup.describe_recovery_point(BackupVaultName=vault, RecoveryPointArn=point["RecoveryPointArn"])["Status"], "COMPLETED")
        self.refused("ResourceNotFoundException", self.backup.list_recovery_points_by_backup_vault, 400, BackupVaultName="none")

    def test_backup_restore_makes_a_cluster(self):
        point = self.backup.list_recovery_points_by_resource(ResourceArn=CLUSTER)["RecoveryPoints"][0]["RecoveryPointArn"]
        params = {"RecoveryPointArn": point, "IamRoleArn": ROLE, "Metadata": {"DBClusterIdentifier": "again", "Engine": "aurora-postgresql"}, "IdempotencyToken": "one"}
        job = self.backup.start_restore_job(**params)["RestoreJobId"]
        self.assertEqual(self.backup.start_restore_job(**params)["RestoreJobId"], job)
        self.refused("InvalidParameterValueException", self.backup.start_restore_job, **dict(params, Metadata={"DBClusterIdentifier": "other"}))
        seen = []
        for _ in range(3):
            seen.append(self.backup.describe_restore_job(RestoreJobId=job)["Status"])
            self.pass_time(41)
        self.assertEqual(seen, ["PENDING", "RUNNING", "COMPLETED"])
        self.assertEqual(self.backup.describe_restore_job(RestoreJobId=job)["CreatedResourceArn"], "arn:aws:rds:us-east-1:571832839665:cluster:again")
        self.assertEqual(self.client("rds", "us-east-1").describe_db_clusters(DBClusterIdentifier="again")["DBClusters"][0]["Status"], "available")
        self.assertEqual(self.done(), ["StartRestoreJob"])
        self.assertEqual(self.lines()[0]["key"], "one")

    def test_backup_made_and_copied(self):
        job = self.backup.start_backup_job(BackupVaultName="apprentice-final-staging-vault", ResourceArn=CLUSTER, IamRoleArn=ROLE)
        self.pass_time(61)
        self.assertEqual(self.backup.describe_backup_job(BackupJobId=job["BackupJobId"])["State"], "COMPLETED")
        copy = self.backup.start_copy_job(RecoveryPointArn=job["RecoveryPointArn"], SourceBackupVaultName="apprentice-final-staging-vault", IamRoleArn=ROLE,
                                          DestinationBackupVaultArn="arn:aws:backup:us-west-2:571832839665:backup-vault:apprentice-final-staging-vault")
        self.pass_time(61)
        self.assertEqual(self.backup.describe_copy_job(CopyJobId=copy["CopyJobId"])["CopyJob"]["State"], "COMPLETED")
        far = self.client("backup", "us-west-2").list_recovery_points_by_resource(ResourceArn=CLUSTER)["RecoveryPoints"]
        self.assertEqual((len(far), far[0]["Status"]), (8, "COMPLETED"))

    def test_backup_job_that_fails(self):
        self.script.add({"service": "backup", "op": "StartBackupJob", "ends": "FAILED"})
        job = self.backup.start_backup_job(BackupVaultName="apprentice-final-staging-vault", ResourceArn=CLUSTER, IamRoleArn=ROLE)["BackupJobId"]
        self.pass_time(61)
        self.assertEqual(self.backup.describe_backup_job(BackupJobId=job)["State"], "FAILED")


class Recovery(test_cloud.Cloud):
    def test_recovery_controls_keep_one_on(self):
        here = self.client("route53-recovery-cluster")
        east, west = [c["RoutingControlArn"] for c in here.list_routing_controls()["RoutingControls"]]
        got = self.refused("ConflictException", here.update_routing_control_state, RoutingControlArn=east, RoutingControlState="Off")
        self.assertEqual(got["resourceId"], east)
        here.update_routing_control_states(UpdateRoutingControlStateEntries=[{"RoutingControlArn": east, "RoutingControlState": "Off"},
                                                                             {"RoutingControlArn": west, "RoutingControlState": "On"}])
        far = self.client("route53-recovery-cluster", "eu-west-1")
        self.assertEqual([far.get_routing_control_state(RoutingControlArn=a)["RoutingControlState"] for a in (east, west)], ["Off", "On"])
        self.script.add({"service": "route53-recovery-cluster", "code": "EndpointTemporarilyUnavailableException"})
        self.refused("EndpointTemporarilyUnavailableException", far.get_routing_control_state, RoutingControlArn=east)
        self.assertEqual(self.done(), ["UpdateRoutingControlStates"])

    def test_recovery_plan_goes_step_by_step(self):
        here = self.client("arc-region-switch", "us-east-1", only="json")
        arn = "arn:aws:arc-region-switch::571832839665:plan/orders:a1b2c3"
        params = {"planArn": arn, "targetRegion": "us-west-2", "action": "activate"}
        run = here.start_plan_execution(**params)["executionId"]
        self.refused("IllegalStateException", here.start_plan_execution, **params)
        seen = []
        for _ in range(4):
            got = here.get_plan_execution(planArn=arn, executionId=run)
            seen.append((got["executionState"], [s["status"] for s in got["stepStates"]].count("completed")))
            self.pass_time(21)
        self.assertEqual(seen, [("inProgress", 0), ("inProgress", 1), ("inProgress", 2), ("completed", 3)])
        self.refused("ResourceNotFoundException", here.get_plan_execution, planArn=arn, executionId="none")


class Ssm(test_cloud.Cloud):
    def test_ssm_parameters(self):
        ssm = self.client("ssm")
        clear = ssm.get_parameter(Name="/lab/password", WithDecryption=True)["Parameter"]["Value"]
        self.assertEqual(clear, "lab-parameter-password")
        self.assertNotIn(clear, ssm.get_parameter(Name="/lab/password")["Parameter"]["Value"])
        self.refused("ParameterNotFound", ssm.get_parameter, 400, Name="/none")
        self.refused("ParameterAlreadyExists", ssm.put_parameter, 400, Name="/lab/password", Value="x", Type="String")
        self.assertEqual(ssm.put_parameter(Name="/lab/password", Value="new", Type="SecureString", Overwrite=True)["Version"], 2)
        got = ssm.get_parameters(Names=["/lab/password", "/none"], WithDecryption=True)
        self.assertEqual((got["Parameters"][0]["Value"], got["InvalidParameters"]), ("new", ["/none"]))
        self.assertEqual(self.done(), ["PutParameter"])

    def test_ssm_automation(self):
        ssm = self.client("ssm")
        run = ssm.start_automation_execution(DocumentName="AWS-RestartEC2Instance", Parameters={"InstanceId": ["i-1"]})["AutomationExecutionId"]
        seen = []
        for _ in range(3):
            seen.append(ssm.get_automation_execution(AutomationExecutionId=run)["AutomationExecution"]["AutomationExecutionStatus"])
            self.pass_time(20)
        self.assertEqual(seen, ["Pending", "InProgress", "Success"])
        self.refused("AutomationDefinitionNotFoundException", ssm.start_automation_execution, DocumentName="none")


class Secrets(test_cloud.Cloud):
    def test_secret_in_its_forms(self):
        keeper = self.client("secretsmanager")
        self.assertIn("lab-prod-password", keeper.get_secret_value(SecretId="apprentice/aurora")["SecretString"])
        self.assertEqual(keeper.get_secret_value(SecretId="lab/binary")["SecretBinary"], b"\x00\x01lab\xff")
        arn = keeper.describe_secret(SecretId="lab/plain")["ARN"]
        self.assertEqual(keeper.get_secret_value(SecretId=arn)["SecretString"], "lab-secret-text")
        keeper.put_secret_value(SecretId="lab/plain", SecretString="newer")
        self.assertEqual([keeper.get_secret_value(SecretId="lab/plain", VersionStage=s)["SecretString"] for s in ("AWSCURRENT", "AWSPREVIOUS")],
                         ["newer", "lab-secret-text"])
        self.refused("ResourceNotFoundException", keeper.get_secret_value, 400, SecretId="none")


class Sns(test_cloud.Cloud):
    def test_sns_message_is_kept(self):
        sns, topic = self.client("sns"), "arn:aws:sns:us-west-1:571832839665:alerts"
        self.assertTrue(sns.publish(TopicArn=topic, Message="failed over\nto staging", Subject="rbx")["MessageId"])
        self.assertEqual(self.lines()[0]["message"], "failed over\nto staging")
        self.refused("NotFound", sns.publish, 404, TopicArn=topic + "2", Message="x")


class Lambda(test_cloud.Cloud):
    def setUp(self):
        super().setUp()
        self.functions, self.name = self.client("lambda"), {"FunctionName": "apprentice-final-staging-api"}

    def test_lambda_configuration_takes_its_time(self):
        before = self.functions.get_function_configuration(**self.name)
        variables = dict(before["Environment"]["Variables"], FORCE_RESTART="1")
        change = {"Environment": {"Variables": variables}, "RevisionId": before["RevisionId"]}
        self.functions.update_function_configuration(**self.name, **change)
        now = self.functions.get_function_configuration(**self.name)
        self.assertEqual((now["LastUpdateStatus"], now["Environment"]["Variables"]), ("InProgress", variables))
        self.refused("PreconditionFailedException", self.functions.update_function_configuration, 412, **self.name, **change)
        self.refused("ResourceConflictException", self.functions.update_function_configuration, 409, **self.name, Timeout=3)
        self.pass_time(21)
        self.functions.get_waiter("function_updated").wait(**self.name)
        self.assertEqual(self.done(), ["UpdateFunctionConfiguration"])
        self.refused("ResourceNotFoundException", self.functions.get_function_configuration, 404, FunctionName="none")

    def test_lambda_invoked(self):
        got = self.functions.invoke(Payload=b'{"a": 1}', **self.name)
        self.assertEqual((got["StatusCode"], got["Payload"].read()), (200, b'{"event": {"a": 1}}'))
        self.assertEqual(self.functions.invoke(InvocationType="Event", **self.name)["StatusCode"], 202)
        self.world.door("POST", "lambda.function/us-west-1/" + self.name["FunctionName"], {"answer": {"errorMessage": "no"}})
        self.assertEqual(self.functions.invoke(**self.name)["FunctionError"], "Unhandled")
        self.script.add({"service": "lambda", "throttle": 7})
        answer = self.refused("TooManyRequestsException", self.functions.invoke, 429, **self.name)
        self.assertEqual(answer["ResponseMetadata"]["HTTPHeaders"]["retry-after"], "7")


class CloudFront(test_cloud.Cloud):
    def setUp(self):
        super().setUp()
        self.front, self.id = self.client("cloudfront"), "E352AHA7L040MU"

    def config(self, **more):
        return dict({"CallerReference": "one", "Comment": "staging", "Enabled": True, "Aliases": {"Quantity": 1, "Items": ["staging.khorium.ai"]},
                     "Origins": {"Quantity": 1, "Items": [{"Id": "a", "DomainName": "a.example.org", "CustomOriginConfig": {
                         "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}}]},
                     "DefaultCacheBehavior": {"TargetOriginId": "a", "ViewerProtocolPolicy": "redirect-to-https", "CachePolicyId": "x"},
                     "CacheBehaviors": {"Quantity": 1, "Items": [{"PathPattern": "/api/*", "TargetOriginId": "a", "ViewerProtocolPolicy": "https-only",
                                                                  "AllowedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]}}]}}, **more)

    def test_cloudfront_made_and_deployed(self):
        made = self.front.create_distribution(DistributionConfig=self.config())
        self.assertEqual(made["ResponseMetadata"]["HTTPStatusCode"], 201)
        id = made["Distribution"]["Id"]
        self.refused("DistributionAlreadyExists", self.front.create_distribution, 409, DistributionConfig=self.config())
        self.refused("CNAMEAlreadyExists", self.front.create_distribution, 409, DistributionConfig=self.config(CallerReference="two"))
        self.assertEqual(self.front.get_distribution(Id=id)["Distribution"]["Status"], "InProgress")
        self.pass_time(61)
        self.front.get_waiter("distribution_deployed").wait(Id=id)
        pages = list(self.front.get_paginator("list_distributions").paginate(PaginationConfig={"PageSize": 1}))
        self.assertEqual(len(pages), 3)
        self.assertIn(["staging.khorium.ai"], [p["DistributionList"]["Items"][0]["Aliases"]["Items"] for p in pages])
        self.assertEqual(self.done(), ["CreateDistribution"])

    def test_cloudfront_update_wants_the_tag(self):
        got = self.front.get_distribution_config(Id=self.id)
        config = dict(got["DistributionConfig"], Comment="other")
        self.refused("InvalidIfMatchVersion", self.front.update_distribution, 400, Id=self.id, DistributionConfig=config)
        self.refused("PreconditionFailed", self.front.update_distribution, 412, Id=self.id, DistributionConfig=config, IfMatch="EOLD")
        new = self.front.update_distribution(Id=self.id, DistributionConfig=config, IfMatch=got["ETag"])
        self.assertEqual((new["Distribution"]["Status"], new["ETag"] != got["ETag"]), ("InProgress", True))
        self.assertEqual(self.front.get_distribution(Id=self.id)["Distribution"]["DistributionConfig"]["Comment"], "other")

    def test_cloudfront_alias_moves(self):
        self.front.associate_alias(TargetDistributionId="E1STAGING0LAB", Alias="app.khorium.ai")
        names = {d["Id"]: d["Aliases"].get("Items") for d in self.front.list_distributions()["DistributionList"]["Items"]}
        self.assertEqual(names, {"E1STAGING0LAB": ["bardhi.devops.konitron.com", "app.khorium.ai"], self.id: None})
        self.refused("NoSuchDistribution", self.front.associate_alias, 404, TargetDistributionId="ENONE", Alias="app.khorium.ai")

    def test_cloudfront_invalidation(self):
        batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": "run-1"}
        first = self.front.create_invalidation(DistributionId=self.id, InvalidationBatch=batch)["Invalidation"]
        again = self.front.create_invalidation(DistributionId=self.id, InvalidationBatch=batch)["Invalidation"]
        self.assertEqual((first["Id"], first["Status"]), (again["Id"], "InProgress"))
        self.pass_time(41)
        self.front.get_waiter("invalidation_completed").wait(DistributionId=self.id, Id=first["Id"])
        self.assertEqual(self.done(), ["CreateInvalidation"])


if __name__ == "__main__":
    unittest.main()
