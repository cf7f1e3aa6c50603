#!/usr/bin/env python3
"""What rbx tells of AWS out of the models: services, operations, members, classes, waiters, codes.

usage: tests/scenario/test_aws_told.py --write      renews tests/golden/aws_classes.txt, to be read before it is kept"""
import json
import os
import re
import subprocess
import sys
import unittest

import world
from world import WRONG

GOLDEN = os.path.join(world.ROOT, "tests/golden/aws_classes.txt")
READS = re.compile("BatchGet|Describe|Filter|Get|Head|List|Lookup|Query|Scan|Search")
WHOLE = ("lambda", "rds", "route53", "s3")


def classes(text):
    """Of four services all; of the others those whose class is not what the name alone says."""
    kept = []
    for line in text.splitlines():
        effect, call = line.partition("#")[0].split()
        service, op = call.split(".")
        by_name = "pure" if READS.match(op) else "once"
        if service in WHOLE or effect != by_name:
            kept.append("%-10s  %s" % (effect, call))
    return "\n".join(kept) + "\n"


class AwsTold(world.Scenario):
    def of(self, *words):
        return json.loads(self.rbx("aws", *words, "--json").stdout)

    # Services and operations
    def test_services(self):
        told = {s["service"]: s for s in self.of()}
        self.assertEqual(len(told), 50)
        self.assertEqual(told["rds"]["title"], "Amazon Relational Database Service")
        self.assertRegex(self.rbx("aws").stdout, "(?m)^rds +%d  Amazon Relational Database Service$" % told["rds"]["operations"])

    def test_operations(self):
        told = self.of("rds")
        self.assertEqual(len(told), next(s["operations"] for s in self.of() if s["service"] == "rds"))
        one, = [o for o in told if o["operation"] == "CreateDBSnapshot"]
        self.assertEqual(one, {"service": "rds", "operation": "CreateDBSnapshot", "class": "probed",
                               "reason": "DescribeDBSnapshots looks for DBSnapshotIdentifier"})
        self.assertRegex(self.rbx("aws", "rds").stdout, r"(?m)^probed +rds\.CreateDBSnapshot$")

    # One operation
    def test_one_operation(self):
        told = self.of("rds", "DescribeDBInstances")
        self.assertEqual(told["class"], "pure")
        self.assertEqual(told["waiters"], ["DBInstanceAvailable", "DBInstanceDeleted"])
        self.assertEqual(told["errors"], ["DBInstanceNotFound"])
        self.assertIn({"name": "MaxRecords", "type": "integer", "required": False}, told["with"])
        self.assertEqual([m["name"] for m in told["result"]], ["Marker", "DBInstances"])

    def test_one_operation_for_people(self):
        text = self.rbx("aws", "rds", "DescribeDBInstances").stdout
        self.assertEqual(text, self.rbx("aws", "rds.DescribeDBInstances").stdout)
        self.assertEqual(text, self.rbx("steps", "aws", "rds.DescribeDBInstances").stdout)
        for line in ("class pure: its name begins with Describe", "waiters: DBInstanceAvailable, DBInstanceDeleted", "pages: all ",
                     "errors (of use in accept): DBInstanceNotFound"):
            self.assertRegex(text, "(?m)^" + re.escape(line))
        made = self.rbx("aws", "rds", "CreateDBSnapshot").stdout
        self.assertRegex(made, r"(?m)^  \* DBSnapshotIdentifier +text$")
        self.assertRegex(made, r"(?m)^    Tags +list of map$")
        self.assertNotIn("pages:", made)

    def test_words_of_a_member(self):
        member, = [m for m in self.of("cloudwatch", "GetMetricStatistics")["with"] if m["name"] == "StartTime"]
        self.assertEqual((member["type"], member["required"]), ("timestamp", True))
        text = self.rbx("aws", "ssm", "PutParameter").stdout
        self.assertRegex(text, r"(?m)^    Type +text  String\|StringList\|SecureString$")

    def test_every_operation_can_be_told(self):
        """The smallest, the largest, those with nothing in or out, and bodies that are streams."""
        for call in ("sts.GetCallerIdentity", "ec2.RunInstances", "route53.ChangeResourceRecordSets", "s3.PutObject", "lambda.Invoke",
                     "dynamodb.Query", "logs.StartLiveTail", "elbv2.DeleteListener", "cloudfront.CreateDistribution", "iam.CreateRole"):
            with self.subTest(call):
                told = self.of(call)
                self.assertEqual("%s.%s" % (told["service"], told["operation"]), call)
                self.assertIn("class " + told["class"], self.rbx("aws", call).stdout)

    # What is not there
    def test_wrong_names(self):
        for words, told in ((["rdss"], "AWS has no service 'rdss', did you mean 'rds'?"),
                            (["rds", "DescribeDBInstnces"], "rds has no operation 'DescribeDBInstnces', did you mean 'DescribeDBInstances'?"),
                            (["rds.DescribeDBInstnces"], "did you mean 'DescribeDBInstances'?"),
                            (["rds", "DescribeDBInstances", "x", "y"], "too many words")):
            with self.subTest(words):
                self.assertIn(told, self.rbx("aws", *words, expect=WRONG).stderr)

    # Classes
    def test_classes(self):
        with open(GOLDEN, encoding="utf-8") as f:
            self.assertEqual(classes(self.rbx("steps", "aws", "--classes").stdout), f.read(), "renew it: " + __doc__.splitlines()[-1])

    def test_classes_of_a_service(self):
        whole = self.rbx("steps", "aws", "--classes").stdout.splitlines()
        self.assertEqual(self.rbx("steps", "aws", "--classes", "rds").stdout.splitlines(), [l for l in whole if l.split()[1].startswith("rds.")])
        rows = json.loads(self.rbx("steps", "aws", "--classes", "rds", "--json").stdout)
        self.assertEqual(["%-10s  rds.%s   # %s" % (r["class"], r["operation"], r["reason"]) for r in rows],
                         self.rbx("steps", "aws", "--classes", "rds").stdout.splitlines())

    def test_the_golden_list_has_what_counts(self):
        """The control: classes that no change of the rules may lose."""
        with open(GOLDEN, encoding="utf-8") as f:
            kept = dict(reversed(l.split()) for l in f)
        for call, effect in (("ec2.RunInstances", "keyed"), ("backup.StartRestoreJob", "keyed"), ("rds.CreateDBSnapshot", "probed"),
                             ("rds.CopyDBSnapshot", "probed"), ("rds.RestoreDBInstanceToPointInTime", "probed"), ("rds.PromoteReadReplica", "once"),
                             ("rds.DeleteDBInstance", "once"), ("rds.DescribeDBInstances", "pure"), ("dynamodb.TransactGetItems", "pure"),
                             ("stepfunctions.GetActivityTask", "once"), ("lambda.UpdateFunctionConfiguration", "idempotent")):
            self.assertEqual(kept.get(call), effect, call)
        self.assertNotIn("dynamodb.TransactWriteItems", [c for c, e in kept.items() if e == "keyed"])


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        told = subprocess.run([world.RBX, "steps", "aws", "--classes"], check=True, capture_output=True, text=True).stdout
        with open(GOLDEN, "w", encoding="utf-8") as f:
            f.write(classes(told))
    else:
        unittest.main()
