"""The site's four playbooks in the lab, as on the day itself."""
import json
import os
import unittest

import world
from world import CANCELLED, DONE, FAILED, HELD, PERSON, PRODUCTION, REFUSED, STAGING


class Playbooks(world.Scenario):
    in_lab = True

    def users(self, cluster, db="meshgen_db"):
        return int(cluster.sql("select count(*) from users", db))

    def test_sync_failover_and_the_way_back(self):
        production, staging = self.lab.databases
        before = self.records()
        self.assertLess(self.users(staging), self.users(production))
        self.sync()
        self.assertEqual(self.users(staging), self.users(production))
        self.assertEqual(self.users(staging, "meshgen_db_old"), 15000)
        marker = json.loads(self.lab.s3("GET", "/%s/db/LAST_RESTORED" % world.BUCKET)[1])
        self.assertEqual(marker["users"], 20000)

        self.break_production()
        self.rbx("run", "playbooks/emergency-failover.yaml", "--inputs", self.inputs, "-i", "down_since=" + self.down_since,
                 "-i", "grace=0s", "--yes")
        self.assertEqual(self.alias(), STAGING)
        self.assertEqual([json.loads(r)["type"] for r in self.records()], ["A", "TXT"])     # the HTTPS record is gone
        shown = self.show()
        self.assertEqual((shown["state"], shown["exit"], shown["playbook"]), ("done", 0, "emergency-failover"))
        self.assertEqual(set(shown["measures"]), {"rto", "rpo"})
        self.assertTrue(self.texts()[-1].startswith("STOP: FAILOVER EXECUTED"))
        changes = self.effects("route53")
        self.assertEqual(len(changes), 1)

        # After a failover Staging is production: db-sync must keep off, and say so.
        self.lab.sites[0].start()
        self.sync(expect=REFUSED)
        self.assertIn("Staging is stale: db-sync refused at preconditions/production_is_live", self.texts()[-1])

        self.rbx("run", "playbooks/rollback-to-production.yaml", "--inputs", self.inputs, expect=PERSON)
        run = self.last()
        self.rbx("approve", run, "merge", "--word", "MERGED", "--answer", "lost=0")
        self.rbx("resume", run, expect=PERSON)
        self.rbx("approve", run, "move/back", "--word", "ROLLBACK")
        self.rbx("resume", run)
        self.assertEqual(self.records(), before)
        self.assertEqual(self.alias(), PRODUCTION)
        self.assertTrue(self.texts()[-1].startswith("[x] ROLLBACK COMPLETE"))

    def test_readiness(self):
        self.sync()
        args = "run", "playbooks/staging-readiness.yaml", "--inputs", self.inputs
        self.rbx(*args)
        self.lab.databases[1].sql("alter table users add column drifted int")
        self.addCleanup(self.lab.databases[1].sql, "alter table users drop column if exists drifted")
        self.rbx(*args, expect=FAILED)
        self.assertIn("the schema of Staging is not that of Production", self.texts()[-1])

    def test_not_before_it_is_down(self):
        self.sync()
        self.down_since = "-1h"
        self.failover(expect=REFUSED)
        self.assertEqual((self.alias(), self.effects("route53")), (PRODUCTION, []))

    def test_not_onto_stale_data(self):
        self.lab.s3("PUT", "/%s/db/LAST_RESTORED" % world.BUCKET, b'{"taken_at": "2020-01-01T00:00:00Z"}')
        self.break_production()
        done = self.failover(expect=REFUSED)
        self.assertIn("older than the RPO allows", done.stdout + done.stderr)
        self.assertEqual((self.alias(), self.effects("route53")), (PRODUCTION, []))

    def test_record_goes_back_when_staging_does_not_answer(self):
        self.sync()
        before = self.records()
        self.break_production()
        child = self.start(*self.failover_args("--yes"))
        self.wait(lambda: self.effects("route53"), "the cutover")
        self.lab.sites[1].stop()
        self.addCleanup(self.lab.sites[1].start)
        out, _ = child.communicate(timeout=400)
        self.assertEqual(child.returncode, FAILED, out)
        self.assertEqual(self.records(), before)

    def test_dry_run_changes_nothing(self):
        self.sync()
        self.break_production()
        count = len(self.effects())
        before = self.records()
        out = self.failover("--dry-run").stdout
        self.assertEqual(len(self.effects()), count)
        self.assertEqual(self.records(), before)
        self.assertIn(STAGING, out)
        for grade in ("checked", "predicted"):
            self.assertIn(grade, out)
        self.rbx("run", "playbooks/db-sync.yaml", "--inputs", self.inputs, "--dry-run", expect=None)
        self.assertEqual(len(self.effects()), count)

    def test_drill_leaves_nothing_behind(self):
        self.sync()
        before = self.records(), self.records("drill.khorium.ai.")
        self.rbx("drill", self.quick("emergency-failover.yaml"), "--inputs", self.inputs, "--yes", expect=None)
        self.assertEqual((self.records(), self.records("drill.khorium.ai.")), before)
        self.assertEqual(len(self.effects("route53")), 2)
        self.assertTrue(any(t.startswith("[drill]") for t in self.texts()))

    def test_failed_sync_raises_the_alarm(self):
        self.lab.databases[1].stop()
        self.addCleanup(lambda: self.lab.databases[1].running() or self.lab.databases[1].start())
        self.sync(expect=FAILED)
        self.assertIn("Staging is stale: db-sync failed at fill", self.texts()[-1])

    def test_killed_in_the_middle(self):
        """SIGKILL when the cutover has happened and its answer is on its way: resume must not send it again in silence."""
        self.sync()
        self.break_production()
        self.lab.ask("POST", "/script", {"service": "route53", "op": "ChangeResourceRecordSets", "late": 5, "times": 1})
        child = self.start(*self.failover_args("--yes"))
        self.wait(lambda: self.effects("route53"), "the cutover")
        child.kill()
        child.wait()
        run = self.last()
        self.rbx("resume", run, "--yes")
        shown = self.show(run)
        self.assertEqual((shown["state"], self.alias()), ("done", STAGING))
        made = {json.dumps(c["record"], sort_keys=True) for l in self.effects("route53") for c in l["changes"] if c["action"] != "DELETE"}
        self.assertEqual(len(made), 1)                    # idempotent: at most the very same record again
        self.assertEqual(len([t for t in self.texts() if t.startswith("STOP")]), 1)

    def test_lost_answers(self):
        """Every answer of Route 53 and S3 is cut once: after the effect, and at different bytes."""
        for cut in (0, 40, 300):
            with self.subTest(cut=cut):
                self.lab.reset()
                for service, op in (("s3", "UploadPart"), ("s3", "PutObject"), ("s3", "CompleteMultipartUpload"),
                                    ("route53", "ChangeResourceRecordSets"), ("route53", "GetChange")):
                    self.lab.ask("POST", "/script", {"service": service, "op": op, "cut": cut, "times": 1})
                self.sync()
                self.break_production()
                self.failover()
                self.assertEqual(self.alias(), STAGING)

    def test_throttled(self):
        for service in ("s3", "route53", "webhook"):
            self.lab.ask("POST", "/script", {"service": service, "throttle": 1, "times": 1})
        self.sync()
        self.break_production()
        self.failover()
        self.assertEqual(len(self.effects("route53")), 1)

    def test_second_owner_is_turned_away(self):
        self.sync()
        self.break_production()
        self.lab.ask("POST", "/script", {"service": "route53", "op": "ChangeResourceRecordSets", "pending": 6})
        child = self.start(*self.failover_args("--yes"))
        self.wait(lambda: self.effects("route53"), "the cutover")
        run = self.last()
        done = self.rbx("resume", run, expect=HELD)
        self.assertIn(run, done.stderr + done.stdout)
        self.lab.sites[0].start()
        done = self.sync(expect=HELD)                     # the lock db/khorium-staging
        self.assertIn("db/khorium-staging", done.stderr + done.stdout)
        out, _ = child.communicate(timeout=200)
        self.assertEqual(child.returncode, DONE, out)

    def test_cancel(self):
        self.sync()
        self.break_production()
        self.lab.ask("POST", "/script", {"service": "route53", "op": "ChangeResourceRecordSets", "pending": 3600})
        child = self.start(*self.failover_args("--yes"))
        self.wait(lambda: self.effects("route53"), "the cutover")
        run = self.last()
        self.rbx("cancel", run)
        out, _ = child.communicate(timeout=400)
        self.assertEqual(child.returncode, CANCELLED, out)
        self.assertEqual(self.show(run)["state"], "cancelled")

    def test_no_secret_anywhere(self):
        out = self.sync()
        self.break_production()
        text = out.stdout + out.stderr
        out = self.failover()
        text += out.stdout + out.stderr
        run = self.last()
        for args in (("show", run), ("show", run, "--json"), ("logs", run)):
            text += self.rbx(*args).stdout
        raw = text.encode()
        for top, _, names in os.walk(self.dir):
            for name in names:
                with open(os.path.join(top, name), "rb") as f:
                    raw += f.read()
        for name in ("AWS_SECRET_ACCESS_KEY", "PROD_DB_PASSWORD", "STAGING_DB_PASSWORD", "SLACK_WEBHOOK_URL"):
            with self.subTest(name):
                self.assertNotIn(os.environ[name].encode(), raw)

    def test_record_is_whole(self):
        self.sync()
        self.rbx("verify", self.last())


if __name__ == "__main__":
    unittest.main()
