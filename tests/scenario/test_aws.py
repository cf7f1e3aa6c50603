"""Any operation of AWS by its model, against the lab's scripted cloud: waiters, pages, classes and what becomes of them after a
doubt, copies between regions, refusals."""
import os
import signal
import unittest

import world
from world import CANCELLED, DONE, FAILED, PERSON, WRONG

MAKE = """
  - id: make
    aws: {call: rds.CreateDBSnapshot, with: {DBInstanceIdentifier: meshgen-prod, DBSnapshotIdentifier: before}%s}
    timeout: 3s
    deadline: 10m
    retry: {attempts: 3, delay: 100ms}
    outputs:
      status: self.DBSnapshot.Status
"""


class Cloud(world.Scenario):
    in_lab = True

    def setUp(self):
        super().setUp()
        self.addCleanup(self.lab.ask, "POST", "/reset")

    def steps_of(self, text, *args, **how):
        return self.play("defaults:\n  aws: {region: us-west-1}\nsteps:" + text.rstrip() + "\n", *args, **how)

    def script(self, service, **rule):
        self.lab.ask("POST", "/script", dict(rule, service=service))

    def snapshots(self):
        return self.effects("rds", "CreateDBSnapshot")


class Waiters(Cloud):
    def test_a_read_asks_until_it_is_so(self):
        self.steps_of(MAKE % "" + """
  - id: ready
    aws: {call: rds.DescribeDBSnapshots, with: {DBSnapshotIdentifier: before}, waiter: DBSnapshotAvailable}
    every: 100ms
    deadline: 1m
    outputs:
      status: self.DBSnapshots[0].Status
""")
        self.assertEqual(self.steps()["make"]["outputs"]["status"], "creating")
        self.assertEqual(self.steps()["ready"]["outputs"]["status"], "available")

    def test_a_failure_of_the_waiter_ends_it(self):
        self.script("rds", op="CreateDBSnapshot", ends="failed")
        done = self.steps_of(MAKE % ", waiter: DBSnapshotAvailable", expect=FAILED)
        self.assertIn("DBSnapshotAvailable will not come to be: it says [\"failed\"]", done.stdout + done.stderr)

    def test_what_a_change_began_is_waited_for(self):
        self.steps_of("""
  - id: make
    aws: {call: rds.CreateDBSnapshot, with: {DBInstanceIdentifier: meshgen-prod, DBSnapshotIdentifier: before}, waiter: DBSnapshotAvailable}
    deadline: 10m
""")
        self.assertEqual(self.states(), {"make": "ok"})
        self.assertEqual(self.steps()["make"]["outputs"], {})
        self.assertEqual(len(self.snapshots()), 1)

    def test_what_the_answer_names_is_waited_for(self):
        self.steps_of("""
  - id: clear
    aws:
      call: cloudfront.CreateInvalidation
      with: {DistributionId: E352AHA7L040MU, InvalidationBatch: {CallerReference: once, Paths: {Quantity: 1, Items: [/*]}}}
      waiter: InvalidationCompleted
    deadline: 5m
""")
        self.assertEqual(len(self.effects("cloudfront", "CreateInvalidation")), 1)

    def test_a_wait_for_who_knows_what_is_refused(self):
        done = self.steps_of("""
  - id: reboot
    aws: {call: rds.RebootDBInstance, with: {DBInstanceIdentifier: meshgen-prod}, waiter: DBClusterAvailable}
    deadline: 5m
""", expect=WRONG)
        self.assertIn("does not say what the waiter DBClusterAvailable is to look at", done.stderr)

    def test_a_crash_in_the_wait_repeats_nothing(self):
        self.lab.ask("POST", "/cloud/clock", {"speed": 0})
        text = "rbx: 1\nname: test\ndefaults:\n  aws: {region: us-west-1}\nsteps:" + MAKE % ", waiter: DBSnapshotAvailable"
        child = self.start("run", self.write(text))
        self.wait(lambda: "waits until it holds" in child.stdout.readline(), "the wait")
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        self.lab.ask("POST", "/cloud/clock", {"speed": 200})
        self.rbx("resume", "last")
        self.assertEqual(self.states(), {"make": "ok"})
        self.assertEqual(len(self.snapshots()), 1)

    def test_a_cancelled_wait_says_what_was_begun(self):
        self.lab.ask("POST", "/cloud/clock", {"speed": 0})
        text = "rbx: 1\nname: test\ndefaults:\n  aws: {region: us-west-1}\nsteps:" + MAKE % ", waiter: DBSnapshotAvailable"
        child = self.start("run", self.write(text))
        self.wait(lambda: len(self.snapshots()) == 1, "the effect")
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(30), CANCELLED)
        self.assertEqual(len(self.snapshots()), 1)


class Doubts(Cloud):
    def test_a_create_that_was_done_is_found(self):
        self.script("rds", op="CreateDBSnapshot", after=500, times=1)
        self.steps_of(MAKE % "")
        self.assertEqual(self.steps()["make"]["how"], "adopted")
        self.assertEqual(len(self.snapshots()), 1)

    def test_a_copy_that_was_done_is_found(self):
        """It is looked for by another member than names it: TargetDBSnapshotIdentifier, DBSnapshotIdentifier."""
        copy = """
  - id: copy
    aws: {call: rds.CopyDBSnapshot, with: {SourceDBSnapshotIdentifier: before, TargetDBSnapshotIdentifier: %s}}
    timeout: 3s
    retry: {attempts: 3, delay: 100ms}
    outputs:
      id: self.DBSnapshot.DBSnapshotIdentifier
"""
        for name, fault, how in (("after", {"after": 500}, "adopted"), ("lost", {"before": 500}, "ran")):
            with self.subTest(name):
                self.lab.ask("POST", "/reset")
                self.script("rds", op="CopyDBSnapshot", times=1, **fault)
                self.steps_of(MAKE % ", waiter: DBSnapshotAvailable" + copy % name)
                self.assertEqual((self.steps()["copy"]["how"], self.steps()["copy"]["outputs"]), (how, {"id": name}))
                self.assertEqual(len(self.effects("rds", "CopyDBSnapshot")), 1)

    def test_a_create_that_was_lost_is_made(self):
        self.script("rds", op="CreateDBSnapshot", before=500, times=1)
        self.steps_of(MAKE % "")
        self.assertEqual(self.steps()["make"]["how"], "ran")
        self.assertEqual(len(self.snapshots()), 1)

    def test_a_cut_answer_is_looked_after(self):
        self.script("rds", op="CreateDBSnapshot", cut=20, times=1)
        self.steps_of(MAKE % "")
        self.assertEqual(len(self.snapshots()), 1)

    def test_what_nobody_can_look_for_waits_for_a_person(self):
        self.script("rds", op="RebootDBInstance", after=503, times=1)
        self.steps_of("""
  - id: reboot
    aws: {call: rds.RebootDBInstance, with: {DBInstanceIdentifier: meshgen-prod}}
    retry: {attempts: 3, delay: 100ms}
""", expect=PERSON)
        self.assertEqual(len(self.effects("rds", "RebootDBInstance")), 1)

    def test_a_throttle_did_nothing(self):
        self.script("rds", op="RebootDBInstance", throttle=1, times=1)
        self.steps_of("""
  - id: reboot
    aws: {call: rds.RebootDBInstance, with: {DBInstanceIdentifier: meshgen-prod}}
    retry: {attempts: 3, delay: 100ms}
""")
        self.assertEqual(len(self.effects("rds", "RebootDBInstance")), 1)

    def test_a_read_is_asked_again(self):
        self.script("rds", op="DescribeDBInstances", before=503, times=1)
        self.script("rds", op="DescribeDBInstances", drop=1, times=1)
        self.steps_of("""
  - id: see
    aws: {call: rds.DescribeDBInstances, with: {DBInstanceIdentifier: meshgen-prod}}
    outputs:
      status: self.DBInstances[0].DBInstanceStatus
""")
        self.assertEqual(self.steps()["see"]["outputs"]["status"], "available")


class Answers(Cloud):
    def test_an_accepted_error_is_an_answer(self):
        self.steps_of("""
  - id: see
    aws: {call: rds.DescribeDBInstances, with: {DBInstanceIdentifier: nosuch}}
    accept: [DBInstanceNotFound]
    outputs:
      code: self.code
""")
        self.assertEqual(self.steps()["see"]["outputs"]["code"], "DBInstanceNotFound")

    def test_an_error_names_action_and_reason(self):
        done = self.steps_of("""
  - id: see
    aws: {call: rds.DescribeDBInstances, with: {DBInstanceIdentifier: nosuch}}
""", expect=FAILED)
        self.assertIn("AWS refuses rds:DescribeDBInstances", done.stdout + done.stderr)
        self.assertIn("DBInstanceNotFound (HTTP 404)", done.stdout + done.stderr)

    def test_pages_are_joined(self):
        self.steps_of("""
  - id: some
    aws: {call: rds.DescribeDBInstances, with: {MaxRecords: 20}}
    outputs:
      n: size(self.DBInstances)
  - id: all
    aws: {call: ec2.DescribeInstances, with: {MaxResults: 5}, pages: all}
    outputs:
      n: size(self.Reservations)
      token: "'NextToken' in self"
  - id: whole
    aws: {call: ec2.DescribeInstances}
    outputs:
      n: size(self.Reservations)
""")
        steps = self.steps()
        self.assertEqual(steps["all"]["outputs"]["n"], steps["whole"]["outputs"]["n"])
        self.assertFalse(steps["all"]["outputs"]["token"])

    def test_a_secret_parameter_stays_hidden(self):
        self.steps_of("""
  - id: put
    aws: {call: ssm.PutParameter, with: {Name: /app/word, Value: open-sesame-9, Type: SecureString, Overwrite: true}}
    effect: idempotent
  - id: get
    aws: {call: ssm.GetParameter, with: {Name: /app/word, WithDecryption: true}}
    outputs:
      type: self.Parameter.Type
    assert:
      - check: self.Parameter.Value == 'open-sesame-9'
        message: another word
""")
        self.assertEqual(self.steps()["get"]["outputs"], {"type": "SecureString"})

    def test_a_copy_between_regions_carries_its_signed_address(self):
        self.steps_of(MAKE % ", waiter: DBSnapshotAvailable" + """
  - id: copy
    aws:
      call: rds.CopyDBSnapshot
      region: us-west-2
      with:
        SourceDBSnapshotIdentifier: arn:aws:rds:us-west-1:571832839665:snapshot:before
        TargetDBSnapshotIdentifier: after
        KmsKeyId: alias/aws/rds
        SourceRegion: us-west-1
""")
        self.assertEqual(len(self.effects("rds", "CopyDBSnapshot")), 1)


class Others(Cloud):
    def test_services_of_moto(self):
        """What somebody else reads and answers: names and values in each protocol, binary, times, escapes."""
        self.rbx("run", "tests/scenario/aws_services.yaml")
        self.assertEqual([p for p, s in self.states().items() if s != "ok"], [])
        self.assertGreater(len(self.states()), 40)


class Rehearsal(Cloud):
    def test_a_dry_run_reads_and_changes_nothing(self):
        done = self.steps_of("""
  - id: see
    aws: {call: rds.DescribeDBInstances, with: {DBInstanceIdentifier: meshgen-prod}}
    outputs:
      status: self.DBInstances[0].DBInstanceStatus
  - id: reboot
    aws: {call: rds.RebootDBInstance, with: {DBInstanceIdentifier: meshgen-prod}}
""", "--dry-run")
        self.assertRegex(done.stdout, "reboot +assumed")
        self.assertEqual(self.effects("rds"), [])
        self.assertEqual(self.steps()["see"]["outputs"]["status"], "available")

    def test_a_misspelt_member_ends_before_anything(self):
        done = self.steps_of("""
  - id: reboot
    aws: {call: rds.RebootDBInstance, with: {DBInstanceIdentifer: meshgen-prod}}
""", expect=WRONG)
        self.assertIn("did you mean 'DBInstanceIdentifier'?", done.stderr)
        self.assertEqual(self.effects("rds"), [])

    def test_a_model_of_ones_own_is_known(self):
        path = self.write(
            'operation Ping\t{"http":"GET /ping/{Name}","input":"PingIn","output":"Pong"}\n'
            'service pinger\t{"id":"Pinger","title":"Pinger","protocol":"rest-json","signing":"pinger","hosts":{"":"127.0.0.1:9"}}\n'
            'shape PingIn\t{"type":"structure","required":["Name"],"members":{"Name":{"shape":"Text","location":"uri","locationName":"Name"}}}\n'
            'shape Pong\t{"type":"structure","members":{"at":"Text"}}\n'
            'shape Text\t{"type":"string","max":5}\n', "pinger.model")
        self.assertIn("pinger.Ping", self.rbx("aws", "pinger", "Ping", RBX_AWS_MODELS=path).stdout)
        text = "rbx: 1\nname: test\nsteps:\n  - id: ping\n    aws: {call: pinger.Ping, with: {Name: %s}}\n    effect: idempotent\n"
        self.assertIn("at most 5", self.rbx("validate", self.write(text % "too-long"), expect=WRONG, RBX_AWS_MODELS=path).stderr)
        done = self.rbx("run", self.write(text % "abc"), expect=FAILED, RBX_AWS_MODELS=path, AWS_ENDPOINT_URL_PINGER="http://127.0.0.1:9")
        self.assertIn("127.0.0.1", done.stdout + done.stderr)

    def test_a_region_outside_of_the_limits_is_refused(self):
        done = self.play("""
limits: {regions: [us-west-1]}
steps:
  - id: see
    aws: {call: route53.ListHostedZones}
""", expect=FAILED, AWS_REGION="us-west-1")
        self.assertIn("us-east-1 is not in limits.regions", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
