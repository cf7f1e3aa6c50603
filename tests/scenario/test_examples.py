"""Every playbook below examples/ does what its first lines say."""
import glob
import json
import os
import unittest

import world
from world import DONE, FAILED, PERSON


class Alone(world.Scenario):
    """Those that need nothing but the machine."""

    def example(self, name, *more, **how):
        self.names = getattr(self, "names", set()) | {name}
        done = self.rbx("run", "examples/%s.yaml" % name, *more, **how)
        return done.stdout

    def path(self, name):
        return os.path.join(self.dir, name)

    def test_hello(self):
        self.assertIn("Hello ", self.example("hello"))

    def test_retry(self):
        self.example("retry", "-i", "dir=" + self.dir)
        self.assertEqual(self.steps()["flaky"]["state"], "ok")
        self.assertFalse(os.path.exists(self.path("rbx-retry-tries")))

    def test_until(self):
        self.example("until", "-i", "dir=" + self.dir)
        with open(self.path("rbx-until")) as f:
            self.assertEqual(f.read(), "4\n")

    def test_parallel(self):
        self.assertIn("application after database and cache", self.example("parallel"))

    def test_choose(self):
        self.assertIn("planned: drain first", self.example("choose"))
        self.assertIn("emergency: cut at once", self.example("choose", "-i", "mode=emergency"))

    def test_for_each(self):
        self.assertIn("0/us-west-1 1/us-east-2 2/eu-central-1", self.example("for-each"))
        self.assertIn("0/a 1/b", self.example("for-each", "-i", "regions=[a, b]"))

    def test_wait(self):
        self.assertIn("extra was skipped", self.example("wait"))
        self.assertIn("extra was done", self.example("wait", "-i", "cautious=true"))

    def test_call(self):
        self.assertIn("4 6", self.example("call"))

    def test_undo(self):
        self.example("undo", "-i", "dir=" + self.dir, expect=FAILED)
        self.assertEqual([n for n in os.listdir(self.dir) if n.startswith("rbx-undo")], [])
        self.example("undo", "-i", "dir=" + self.dir, "-i", "broken=false")
        self.assertEqual(sorted(n for n in os.listdir(self.dir) if n.startswith("rbx-undo")), ["rbx-undo-first", "rbx-undo-second"])

    def test_finally(self):
        self.assertIn("it worked", self.example("finally", "-i", "dir=" + self.dir))
        out = self.example("finally", "-i", "dir=" + self.dir, "-i", "fail=true", expect=FAILED)
        self.assertIn("use failed: told to fail", out)
        self.assertFalse(os.path.exists(self.path("rbx-finally-lock")))

    def test_confirm(self):
        open(self.path("rbx-confirm"), "w").close()
        self.example("confirm", "-i", "dir=" + self.dir, expect=PERSON)
        self.assertTrue(os.path.exists(self.path("rbx-confirm")))
        self.rbx("approve", self.last(), "remove")
        self.rbx("resume", self.last())
        self.assertFalse(os.path.exists(self.path("rbx-confirm")))
        self.example("confirm", "-i", "dir=" + self.dir, "--yes")

    def test_manual(self):
        self.example("manual", expect=PERSON)
        self.rbx("approve", self.last(), "dns", "--word", "CHANGED")
        self.assertIn("somebody says", self.rbx("resume", self.last()).stdout)

    def test_ask(self):
        self.example("ask", "-i", "dir=" + self.dir, expect=PERSON)
        self.rbx("resolve", self.last(), "risky", "--skip", "--reason", "not needed today")
        self.assertIn("risky is", self.rbx("resume", self.last()).stdout)

    def test_probe(self):
        self.example("probe", "-i", "dir=" + self.dir)
        with open(self.path("rbx-probe.json")) as f:
            self.assertEqual(len(json.load(f)["orders"]), 1)

    def test_secret(self):
        out = self.rbx("run", "examples/secret.yaml", EXAMPLE_TOKEN="canary-7f31c2")
        self.assertNotIn("canary-7f31c2", out.stdout + out.stderr)
        log = self.rbx("logs", self.last()).stdout
        self.assertIn("the token is ***", log)
        self.assertNotIn("canary-7f31c2", log)
        self.rbx("run", "examples/secret.yaml", expect=world.REFUSED, EXAMPLE_TOKEN="")

    def test_measure(self):
        self.example("measure", "-i", "down_since=-2m")
        shown = json.dumps(self.show())
        self.assertIn('"rto"', shown)
        self.assertIn('"lost_rows"', shown)

    def test_all_are_valid_and_none_is_left_out(self):
        files = sorted(glob.glob(os.path.join(world.ROOT, "examples/**/*.yaml"), recursive=True))
        files = [f for f in files if "examples/lab/" not in f]
        self.rbx("validate", *files)
        with open(os.path.join(world.ROOT, "examples/README.md")) as f:
            listed = f.read()
        for path in files:
            name = os.path.relpath(path, os.path.join(world.ROOT, "examples"))[:-5]
            with self.subTest(name):
                self.assertIn("`%s`" % name, listed)


class InTheLab(world.Scenario):
    in_lab = True

    def example(self, name, *more, **how):
        return self.rbx("run", "examples/%s.yaml" % name, *more, **how)

    def at(self):
        return ["-i", "at=" + self.net]

    def test_http(self):
        self.example("http", *self.at())
        order, = self.effects("webhook", "post")
        self.assertEqual(order["data"], {"site": "production"})
        self.assertRegex(order["key"], r"^[a-z2-7]{52}$")

    def test_names(self):
        self.example("names", *self.at())

    def test_sql(self):
        self.example("sql", *self.at())

    def test_backup(self):
        self.example("backup", *self.at(), "-i", "dir=" + self.dir)

    def test_folder(self):
        self.example("folder", "-i", "dir=" + self.dir)
        self.assertEqual(sorted(os.listdir(os.path.join(self.dir, "copy"))), ["app.js", "index.html"])

    def test_bucket(self):
        self.example("bucket", "-i", "dir=" + self.dir)

    def test_records(self):
        before = self.records("split.khorium.ai.")
        self.example("records", *self.at(), "-i", "expect=2", expect=FAILED)
        self.assertEqual(self.records("split.khorium.ai."), before)
        self.assertEqual(len(self.effects("route53")), 2)
        self.example("records", *self.at())
        self.assertNotEqual(self.records("split.khorium.ai."), before)

    def test_tell(self):
        self.example("tell", *self.at())
        self.assertEqual(len(self.effects("webhook", "slack")), 1)
        self.assertEqual(len(self.effects("webhook", "post")), 1)
        mail, = self.effects("smtp", "mail")
        self.assertEqual(mail["recipients"], ["cto@lab.example", "devops@lab.example"])

    def test_drill(self):
        before, unused = self.records(), self.records("drill.khorium.ai.")
        self.rbx("drill", "examples/drill.yaml", *self.at())
        self.assertEqual((self.records(), self.records("drill.khorium.ai.")), (before, unused))
        self.assertEqual(len(self.effects("route53")), 2)


if __name__ == "__main__":
    unittest.main()
