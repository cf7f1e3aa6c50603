"""What all scenarios share: the binary, a store of their own, the lab and its ledger."""
import base64
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
import urllib.parse

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tests/lab"))

import ledger        # noqa: E402

RBX = os.environ.get("RBX") or os.path.join(ROOT, "build/rbx")
with open(RBX, "rb") as _binary:
    SANITIZED = b"__asan_init" in _binary.read()         # locks no memory, leaves by no signal, needs much more memory
PRODUCTION = "webdev-alb-1882895883.us-west-1.elb.amazonaws.com"
STAGING = "webdev-alb-stg-699722072.us-west-1.elb.amazonaws.com"
BUCKET = "muaz-webdev-backups"
DONE, FAILED, WRONG, REFUSED, PERSON, CANCELLED, LATE, HELD = 0, 1, 2, 3, 4, 5, 6, 75


def load_lab():
    """The lab of `lab run`, as a Lab to be asked and scripted."""
    path = os.path.join(ROOT, "tests/lab/lab")
    loader = importlib.machinery.SourceFileLoader("lab_command", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("lab_command", loader))
    loader.exec_module(module)
    return module.Lab(os.environ["RBX_LAB"])


def forms(text):
    """A secret as it may show in whatever stands around it: as it is, in hex, in base64 at three offsets."""
    shifted = [(shift, base64.b64encode(b"x" * shift + text.encode()).decode()) for shift in range(3)]
    whole = [coded[4 if shift else 0:len(coded) - 4] for shift, coded in shifted]
    return [text, text.encode().hex(), text.encode().hex().upper(), *whole, *(w.translate(str.maketrans("+/", "-_")) for w in whole),
            json.dumps(text)[1:-1], urllib.parse.quote(text, ""), urllib.parse.quote_plus(text)]


class Scenario(unittest.TestCase):
    """One store a test, thrown away."""
    maxDiff = None
    in_lab = False

    @classmethod
    def setUpClass(cls):
        if cls.in_lab:
            if "RBX_LAB" not in os.environ:
                raise unittest.SkipTest("no lab; start by: tests/lab/lab run -- tests/lab/tap " + cls.__module__ + ".py")
            cls.lab = load_lab()
            cls.inputs = cls.lab.copy_inputs()
            cls.net = "127.77.%d" % cls.lab.net

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="rbx-scenario-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        os.chmod(self.dir, 0o700)
        self.store = os.path.join(self.dir, "runs")
        if self.in_lab:
            self.lab.reset()

    def env(self, **more):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MESON", "NINJA"))}
        return dict(kept, RBX_STORE=self.store, NO_COLOR="1", **more)

    def rbx(self, *args, expect=DONE, stdin="", **env):
        done = subprocess.run([RBX, *map(str, args)], input=stdin, text=True, capture_output=True, env=self.env(**env),
                              cwd=ROOT, timeout=300)
        if expect is not None:
            self.assertEqual(done.returncode, expect, "rbx %s\n%s%s" % (" ".join(map(str, args)), done.stdout, done.stderr))
        return done

    def write(self, text, name="playbook.yaml"):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(textwrap.dedent(text))
        os.chmod(path, 0o600)
        return path

    def play(self, text, *args, expect=DONE, **how):
        """Runs a playbook that is given from `steps:` on; returns what came out."""
        text = textwrap.dedent(text).strip("\n")
        return self.rbx("run", self.write("rbx: 1\nname: test\n" + text + "\n"), *args, expect=expect, **how)

    def file(self, name):
        return os.path.join(self.dir, name)

    def there(self, name):
        return os.path.exists(self.file(name))

    def refused(self, text, *args, why, expect=WRONG, **how):
        """A playbook that ends badly for this reason; wrong means before anything was done."""
        done = self.play(text, *args, expect=expect, **how)
        self.assertIn(why, done.stdout + done.stderr)
        return done

    def states(self, run=None):
        return {path: s["state"] for path, s in self.steps(run).items()}

    def start(self, *args, **env):
        child = subprocess.Popen([RBX, *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, env=self.env(**env), cwd=ROOT, start_new_session=True)
        self.addCleanup(lambda: child.poll() is None and child.kill())
        return child

    def runs(self):
        """All runs of the store, the newest last."""
        lines = [json.loads(l) for l in self.rbx("list", "--json").stdout.splitlines() if l.strip()]
        return sorted(lines, key=lambda r: r.get("started") or "")

    def last(self):
        return self.runs()[-1]["run"]

    def show(self, run=None):
        return json.loads(self.rbx("show", run or self.last(), "--json").stdout)

    def steps(self, run=None):
        return {s["path"]: s for s in self.show(run)["steps"]}

    def effects(self, service=None, op=None):
        lines = ledger.read(os.path.join(self.lab.folder, "ledger.jsonl"))
        return [l for l in lines if service in (None, l["service"]) and op in (None, l["op"])]

    def texts(self):
        return [l["data"]["text"] for l in self.effects("webhook", "slack")]

    def wait(self, holds, what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if holds():
                return
            time.sleep(0.02)
        self.fail("waited in vain: " + what)

    def alias(self, name="app.khorium.ai."):
        for records in json.loads(self.lab.ask("GET", "/records")).values():
            for r in records:
                if r["name"] == name and r["type"] == "A":
                    return r["alias"]["to"].rstrip(".") if "alias" in r else r["values"]
        return None

    def records(self, name="app.khorium.ai."):
        return sorted(json.dumps(r, sort_keys=True) for records in json.loads(self.lab.ask("GET", "/records")).values()
                      for r in records if r["name"] == name)

    def quick(self, name):
        """A copy of one of the four playbooks with shorter pauses, else as it is."""
        with open(os.path.join(ROOT, "playbooks", name), encoding="utf-8") as f:
            return self.write(re.sub(r"every: [35]s", "every: 200ms", f.read()).replace("deadline: 2m", "deadline: 20s"), name)

    # The four playbooks, as an operator types them.
    def sync(self, *more, **how):
        return self.rbx("run", "playbooks/db-sync.yaml", "--inputs", self.inputs, "--yes", *more, **how)

    def break_production(self):
        self.lab.sites[0].stop()
        self.down_since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def failover_args(self, *more):
        return ["run", self.quick("emergency-failover.yaml"), "--inputs", self.inputs, "-i", "down_since=" + self.down_since,
                "-i", "grace=0s", *more]

    def failover(self, *more, **how):
        return self.rbx(*self.failover_args("--yes", *more), **how)


class OneStep(Scenario):
    """Playbooks of one step `s`, given by its type and keys; {net} and {dir} stand for the lab's net and the test's folder."""
    in_lab = True

    def one(self, text, *args, expect=DONE, top="", **how):
        lines = ["    " + l for l in text.format(net=self.net, dir=self.dir).strip().splitlines()]
        return self.play("%s\ndefaults: {aws: {region: us-west-1}}\nsteps:\n  - id: s\n%s" % (top, "\n".join(lines)), *args,
                         expect=expect, **how)

    def fails(self, text, words, **how):
        how.setdefault("expect", FAILED)
        done = self.one(text + "\nretry: {{attempts: 1}}", **how)
        self.assertRegex(done.stdout + done.stderr, words)
        return done

    def script(self, service, **words):
        self.lab.ask("POST", "/script", dict(words, service=service))
