"""The lab's AWS, asked by boto3, which read the protocols for itself: what it answers, keeps, refuses, and how time changes it."""
import functools
import http.client
import json
import os
import tempfile
import unittest

import boto3
import botocore.config
import botocore.exceptions
import botocore.loaders
import botocore.session

import faults
import ledger
import s3front
import servers
import web
from cloud import front, world

LAB = "127.77.250.1"
ACCESS, SECRET = next(iter(servers.KEYS.items()))


class Cloud(unittest.TestCase):
    """A world of its own whose clock stands still: only advance() moves it."""

    def setUp(self):
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            del os.environ[name]
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.book = ledger.Ledger(os.path.join(self.folder.name, "ledger.jsonl"))
        self.script, self.world = faults.Script(), world.World(self.book, servers.KEYS, 250)
        self.world.clock.set_speed(0)
        server = web.Server((LAB, 0), front.Handler, script=self.script, cloud=lambda: self.world, ledger=self.book,
                            behind=(LAB, 1)).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.url = "http://%s:%d" % server.server_address

    def client(self, service, region="us-west-1", access=ACCESS, secret=SECRET, token=None, only=None, **config):
        """only: the one protocol to speak; botocore prefers CBOR where a service has it, and the lab has not."""
        return session(service, only).client(service, region_name=region, endpoint_url=self.url, aws_access_key_id=access, aws_secret_access_key=secret,
                                aws_session_token=token, config=botocore.config.Config(retries={"total_max_attempts": 1}, **config))

    def pass_time(self, seconds):
        self.world.clock.advance(seconds)

    def lines(self):
        return ledger.read(self.book.path)

    def done(self):
        return [line["op"] for line in self.lines()]

    def refused(self, code, call, status=None, **params):
        """The error of a call that must be refused."""
        with self.assertRaises(botocore.exceptions.ClientError) as got:
            call(**params)
        answer = got.exception.response
        self.assertEqual(answer["Error"]["Code"], code, answer)
        if status:
            self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], status)
        return answer


@functools.lru_cache(None)
def session(service=None, only=None):
    loader = botocore.loaders.Loader()
    if only:
        read = loader.load_service_model

        def narrowed(name, kind, **more):
            data = read(name, kind, **more)
            if name == service and kind == "service-2":
                data = dict(data, metadata=dict(data["metadata"], protocol=only, protocols=[only]))
            return data
        loader.load_service_model = narrowed
    core = botocore.session.Session()
    core.register_component("data_loader", loader)
    return boto3.session.Session(botocore_session=core)


class Signatures(Cloud):
    def test_aws_wrong_secret(self):
        rds = self.client("rds", secret="wrong")
        self.refused("SignatureDoesNotMatch", rds.promote_read_replica, 403, DBInstanceIdentifier="meshgen-replica")
        self.assertEqual(self.lines(), [])

    def test_aws_unknown_key(self):
        self.refused("InvalidClientTokenId", self.client("sts", access="AKIANOBODY").get_caller_identity, 403)

    def test_aws_clock_that_is_off(self):
        self.script.add({"service": "rds", "skew": 3600})
        self.assertIn("Signature expired", self.refused("SignatureDoesNotMatch", self.client("rds").describe_db_instances)["Error"]["Message"])


class Faults(Cloud):
    def test_aws_throttled_or_broken(self):
        rds = self.client("rds")
        for rule, code, status in (({"throttle": 1}, "Throttling", 400), ({"before": 503}, "InternalError", 503),
                                   ({"code": "InsufficientDBInstanceCapacity"}, "InsufficientDBInstanceCapacity", 400)):
            with self.subTest(rule=rule):
                self.script.add(dict(rule, service="rds", op="RebootDBInstance", times=1))
                self.refused(code, rds.reboot_db_instance, status, DBInstanceIdentifier="meshgen-prod")
        self.assertEqual(self.lines(), [])

    def test_aws_effect_without_answer(self):
        for n, rule in enumerate(({"after": 500}, {"cut": 10}, {"cut": 250}, {"garbage": 200})):
            with self.subTest(rule=rule):
                self.script.add(dict(rule, service="rds", op="RebootDBInstance", times=1))
                with self.assertRaises((botocore.exceptions.ClientError, botocore.exceptions.HTTPClientError)):
                    self.client("rds").reboot_db_instance(DBInstanceIdentifier="meshgen-prod")
                self.assertEqual(self.done(), ["RebootDBInstance"] * (n + 1))
                self.pass_time(60)


class Strictness(Cloud):
    """What a client has misspelt or left out is refused, where AWS's parsers and boto3's own check would hide it."""

    def ask(self, service, method, path, body, query="", region="us-west-1", headers=()):
        host = self.url.partition("//")[2]
        signed = s3front.sign(servers.KEYS, method, host, path, body, query, region, service, more=dict(headers).items())
        link = http.client.HTTPConnection(host, timeout=10)
        try:
            link.request(method, path + ("?" + query if query else ""), body, signed)
            got = link.getresponse()
            return got.status, got.read().decode()
        finally:
            link.close()

    def test_aws_form_names(self):
        form, good = {"Content-Type": "application/x-www-form-urlencoded"}, b"Action=RebootDBInstance&Version=2014-10-31&DBInstanceIdentifier=meshgen-prod"
        for body, word in ((good + b"&Colour=red", "Colour"), (good.replace(b"2014", b"2013"), "Version=2013"),
                           (good.replace(b"Identifier", b"Identifer"), "DBInstanceIdentifer"), (good + b"&ForceFailover.member.1=x", "ForceFailover.member.1")):
            with self.subTest(word=word):
                status, text = self.ask("rds", "POST", "/", body, headers=form)
                self.assertEqual((status, "ValidationError" in text, word in text), (400, True, True), text)
        self.assertEqual(self.lines(), [])
        self.assertEqual(self.ask("rds", "POST", "/", good, headers=form)[0], 200)

    def test_aws_json_names_and_types(self):
        head = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonSSM.PutParameter"}
        for body, word in (({"Name": "a", "Value": "b", "Kind": "String"}, ".Kind"), ({"Name": "a", "Value": 5, "Type": "String"}, "Value"),
                           ({"Name": "a", "Value": "b", "Overwrite": "true"}, "Overwrite"), ({"Name": "a"}, "Value"), ([], "")):
            with self.subTest(word=word):
                status, text = self.ask("ssm", "POST", "/", json.dumps(body).encode(), headers=head)
                self.assertEqual((status, "ValidationException" in text, word in text), (400, True, True), text)
        self.assertEqual(self.ask("ssm", "POST", "/", b'{"Name": "a", "Value": "b", "Type": "String"}', headers=head)[0], 200)

    def test_aws_xml_names(self):
        path = "/2020-05-31/distribution/E352AHA7L040MU/invalidation"
        good = ('<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Paths><Quantity>1</Quantity><Items><Path>/*</Path></Items></Paths>'
                "<CallerReference>a</CallerReference></InvalidationBatch>")
        for old, new, word in (("Quantity>", "Quality>", "Quality"), ("Path>", "member>", "member"), ("2020-05-31", "2019-01-01", "the root"), ("InvalidationBatch", "Batch", "the root")):
            with self.subTest(word=word):
                status, text = self.ask("cloudfront", "POST", path, good.replace(old, new).encode(), region="us-east-1")
                self.assertEqual((status, "InvalidArgument" in text, word in text), (400, True, True), text)
        self.assertEqual(self.ask("cloudfront", "POST", path, good.encode(), region="us-east-1")[0], 201)
        self.assertIn("?Max", self.ask("cloudfront", "GET", "/2020-05-31/distribution", b"", "Max=1", "us-east-1")[1])


class Tokens(Cloud):
    def keys(self, **params):
        return self.client("sts").assume_role(RoleArn="arn:aws:iam::571832839665:role/failover", RoleSessionName="rbx", **params)["Credentials"]

    def test_sts_session_keys(self):
        c = self.keys()
        sts = self.client("sts", access=c["AccessKeyId"], secret=c["SecretAccessKey"], token=c["SessionToken"])
        self.assertEqual(sts.get_caller_identity()["Arn"], "arn:aws:sts::571832839665:assumed-role/failover/rbx")
        for token in (None, "other"):
            other = self.client("sts", access=c["AccessKeyId"], secret=c["SecretAccessKey"], token=token)
            self.refused("InvalidClientTokenId", other.get_caller_identity, 403)
        self.pass_time(3601)
        self.refused("ExpiredToken", sts.get_caller_identity, 403)

    def test_sts_second_factor(self):
        sts = self.client("sts")
        params = {"RoleArn": "arn:aws:iam::571832839665:role/with-mfa", "RoleSessionName": "rbx"}
        device = {"SerialNumber": "arn:aws:iam::571832839665:mfa/lab"}
        self.refused("AccessDenied", sts.assume_role, 403, **params)
        self.refused("AccessDenied", sts.assume_role, 403, TokenCode="000000", **params, **device)
        self.assertTrue(sts.assume_role(TokenCode="123456", **params, **device)["Credentials"])
        self.assertTrue(sts.get_session_token(TokenCode="123456", **device)["Credentials"])

    def test_sts_web_identity_is_not_signed(self):
        sts = session().client("sts", region_name="us-west-1", endpoint_url=self.url, config=botocore.config.Config(signature_version=botocore.UNSIGNED))
        params = {"RoleArn": "arn:aws:iam::571832839665:role/pod", "RoleSessionName": "rbx"}
        self.assertTrue(sts.assume_role_with_web_identity(WebIdentityToken="a.e30.c", **params)["Credentials"])
        self.refused("InvalidIdentityToken", sts.assume_role_with_web_identity, WebIdentityToken="no-jwt", **params)


class Instances(Cloud):
    def status(self, name, region="us-west-1"):
        return self.client("rds", region).describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]

    def test_rds_promotion(self):
        self.client("rds").promote_read_replica(DBInstanceIdentifier="meshgen-replica")
        seen = []
        for _ in range(5):
            thing = self.status("meshgen-replica")
            seen.append((thing["DBInstanceStatus"], "ReadReplicaSourceDBInstanceIdentifier" in thing))
            self.pass_time(10)
        self.assertEqual(seen, [("modifying", True), ("modifying", True), ("rebooting", True), ("backing-up", False), ("available", False)])
        self.assertEqual(self.status("meshgen-prod")["ReadReplicaDBInstanceIdentifiers"],
                         ["arn:aws:rds:us-west-2:571832839665:db:meshgen-far-replica"])
        self.refused("InvalidDBInstanceState", self.client("rds").promote_read_replica, 400, DBInstanceIdentifier="meshgen-replica")
        self.assertEqual(self.done(), ["PromoteReadReplica"])

    def test_rds_unknown_instance(self):
        self.refused("DBInstanceNotFound", self.client("rds").describe_db_instances, 404, DBInstanceIdentifier="nobody")

    def test_rds_replica_far_away_wants_a_signed_address(self):
        rds = self.client("rds", "eu-west-1")
        source = "arn:aws:rds:us-west-1:571832839665:db:meshgen-prod"
        rds.create_db_instance_read_replica(DBInstanceIdentifier="far", SourceDBInstanceIdentifier=source, SourceRegion="us-west-1")
        self.pass_time(61)
        self.assertEqual(self.status("far", "eu-west-1")["DBInstanceStatus"], "available")
        self.refused("InvalidParameterValue", rds.create_db_instance_read_replica, DBInstanceIdentifier="far2", SourceDBInstanceIdentifier=source,
                     PreSignedUrl="https://rds.us-west-1.amazonaws.com/?Action=CreateDBInstanceReadReplica")
        other = self.client("rds", "eu-west-1", secret="wrong")
        self.refused("SignatureDoesNotMatch", other.create_db_instance_read_replica, DBInstanceIdentifier="far3", SourceDBInstanceIdentifier=source,
                     SourceRegion="us-west-1")
        self.assertEqual(self.done(), ["CreateDBInstanceReadReplica"])

    def test_rds_an_end_that_was_asked_for(self):
        self.script.add({"service": "rds", "op": "RebootDBInstance", "ends": "failed"})
        self.client("rds").reboot_db_instance(DBInstanceIdentifier="meshgen-prod")
        self.pass_time(60)
        self.assertEqual(self.status("meshgen-prod")["DBInstanceStatus"], "failed")


if __name__ == "__main__":
    unittest.main()
