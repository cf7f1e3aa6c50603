"""route53_upsert: what is refused before anything is asked, and what a person is told before saying yes."""
import unittest

import world
from world import DONE, FAILED, PERSON, WRONG


class Route53(world.OneStep):
    def change(self, record, *args, more="", keys="undo: none\nretry: {{attempts: 1}}", **how):
        return self.one("route53_upsert:\n  zone: Z0KHORIUM\n  records:\n    - {{%s}}\n%s\n%s" % (record, more, keys), *args, **how)

    def test_records_that_cannot_be(self):
        for record, words in (("name: w.khorium.ai, type: A, values: [192.0.2.1], weight: 5", "needs 'set'"),
                              ("name: w.khorium.ai, type: A, values: [192.0.2.1], set: a", "'set' needs one of weight"),
                              ("name: w.khorium.ai, type: A, alias: {{to: x.example, zone: Z1}}, ttl: 5", "an alias has no 'ttl'"),
                              ("name: w.khorium.ai, type: A, values: [w.example]", "'w.example' is no IPv4 address"),
                              ("name: w.khorium.ai, type: AAAA, values: [192.0.2.1]", "no IPv6 address"),
                              ("name: w.khorium.ai, type: A, values: []", "'values' is empty"),
                              ("name: w.khorium.ai, type: A, absent: false", "says nothing"),
                              ("name: w.khorium.ai, type: CNAME, values: [a.example, b.example]", "a CNAME has one value"),
                              ("name: w.khorium.ai, type: A, values: [192.0.2.1]}}\n    - {{name: w.khorium.ai, type: A, values: [192.0.2.2]",
                               "stands above already")):
            with self.subTest(record):
                self.assertRegex(self.change(record, expect=WRONG).stderr, words)
        self.assertEqual(self.effects("route53"), [])

    def test_a_warning_is_seen_in_a_dry_run_and_before_the_question(self):
        record = "name: app.khorium.ai, type: A, values: [192.0.2.1]"
        said = self.change(record, "--dry-run")
        self.assertIn("app.khorium.ai HTTPS stays as it is", said.stdout + said.stderr)
        asked = self.change(record, keys="undo: none\nconfirm: sure?", expect=PERSON)
        self.assertIn("app.khorium.ai HTTPS stays as it is", asked.stdout + asked.stderr)
        gone = self.change(record, "--dry-run", more="  delete_others: true")
        self.assertNotIn("stays", gone.stdout + gone.stderr)
        weight = self.change("name: w.khorium.ai, type: A, set: a, weight: 0, alias: {{to: x.example, zone: Z1, evaluate_target_health: true}}", "--dry-run")
        self.assertIn("answers with it when the others are unhealthy", weight.stdout + weight.stderr)
        self.assertEqual(self.effects("route53"), [])

    def test_undo_leaves_alone_what_others_changed(self):
        mine = "route53_upsert: {zone: Z0KHORIUM, records: [{name: new.khorium.ai, type: A, ttl: 60, values: [%s]}]}"
        self.play("defaults: {aws: {region: us-west-1}}\nsteps:\n  - id: s\n    %s\n    undo: auto\n" % (mine % "192.0.2.7"))
        run = self.last()
        self.play("defaults: {aws: {region: us-west-1}}\nsteps:\n  - id: s\n    %s\n    undo: none\n" % (mine % "192.0.2.99"))
        done = self.rbx("undo", run, "--yes", expect=None)
        self.assertNotEqual(done.returncode, DONE)
        self.assertIn("neither as it was nor as this run left it", done.stdout + done.stderr)
        self.assertEqual(self.alias("new.khorium.ai."), ["192.0.2.99"])


if __name__ == "__main__":
    unittest.main()
