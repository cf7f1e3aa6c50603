"""The S3 types before a server that somebody else wrote, in another language: s3rver (npm). Skipped where there is no npm."""
import hashlib
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

import world
from world import FAILED

VERSION = "3.7.1"
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "rbx-lab", "s3rver-" + VERSION)
NAMES = ["plain", "a b", "a+b", "a%20b", "ü/ö", "deep/er/est", "x=1&y=2", "quote'\"", "tilde~(1)*!", "comma,semi;colon:", "empty"]


def program():
    """Installed once, without the scripts of its packages."""
    found = os.path.join(CACHE, "node_modules/.bin/s3rver")
    if os.path.exists(found):
        return found
    if not shutil.which("npm") or not shutil.which("node"):
        raise unittest.SkipTest("no npm")
    os.makedirs(CACHE, exist_ok=True)
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "s3rver@" + VERSION], cwd=CACHE,
                          capture_output=True, text=True, timeout=300)
    if done.returncode != 0 or not os.path.exists(found):
        raise unittest.SkipTest("s3rver cannot be installed: " + (done.stderr.strip().splitlines() or ["?"])[-1])
    return found


class S3rver(world.Scenario):
    @classmethod
    def setUpClass(cls):
        path = program()
        cls.folder = tempfile.mkdtemp(prefix="rbx-s3rver-")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            cls.port = s.getsockname()[1]
        cls.server = subprocess.Popen([path, "-d", cls.folder, "-a", "127.0.0.1", "-p", str(cls.port), "--silent", "--configure-bucket", "bucket"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", cls.port)) == 0:
                    return
            time.sleep(0.05)
        cls.tearDownClass()
        raise unittest.SkipTest("s3rver does not answer")

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()
        cls.server.wait()
        shutil.rmtree(cls.folder, True)

    def one(self, text, *args, **how):
        env = {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:%d" % self.port, "AWS_ACCESS_KEY_ID": "S3RVER", "AWS_SECRET_ACCESS_KEY": "S3RVER",
               "AWS_SESSION_TOKEN": "",
               "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9", "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
        lines = ["    " + l for l in text.strip().splitlines()]
        return self.play("steps:\n  - id: s\n" + "\n".join(lines), *args, **dict(env, **how))

    def counts(self):
        out = self.steps()["s"]["outputs"]
        return out["copied"], out["deleted"], out["unchanged"]

    def tree(self, root):
        found = {}
        for folder, _, names in os.walk(root):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    found[os.path.relpath(os.path.join(folder, name), root)] = hashlib.sha256(f.read()).hexdigest()
        return found

    def fill(self):
        self.root, self.down = os.path.join(self.dir, "root"), os.path.join(self.dir, "down")
        for i, name in enumerate(NAMES):
            path = os.path.join(self.root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(b"" if name == "empty" else name.encode() * (i + 1))
        with open(os.path.join(self.root, "large"), "wb") as f:
            f.write(random.Random(3).randbytes((21 << 20) + 5))

    def test_s3rver_sync_there_and_back(self):
        self.fill()
        up = "s3_sync: {from: %s, to: 's3://bucket/p/', delete: true}" % self.root
        down = "s3_sync: {from: 's3://bucket/p/', to: %s, delete: true}" % self.down
        self.one(up)
        self.assertEqual(self.counts(), (len(NAMES) + 1, 0, 0))
        self.one(down)
        self.assertEqual(self.tree(self.down), self.tree(self.root))
        self.one(up)
        self.assertEqual(self.counts(), (0, 0, len(NAMES) + 1))
        # It reads x-amz-copy-source by decodeURI, which leaves %2B, %26 and the like as they are.
        self.one("s3_sync: {from: 's3://bucket/p/', to: 's3://bucket/q/', exclude: ['a+b', 'a%20b', 'x=1&y=2', 'comma*']}")
        self.assertEqual(self.counts(), (len(NAMES) - 3, 0, 0))
        os.unlink(os.path.join(self.root, "a+b"))
        self.one(up)
        self.assertEqual(self.counts(), (0, 1, len(NAMES)))
        self.one(down)
        self.assertEqual(self.tree(self.down), self.tree(self.root))
        self.one("s3_delete: {url: 's3://bucket/p/', all: true}")
        self.assertEqual(self.steps()["s"]["outputs"]["deleted"], len(NAMES))
        self.one("s3_check: {url: 's3://bucket/p/', expect: {absent: true}}")

    def test_s3rver_put_copy_get(self):
        self.fill()
        large, got = os.path.join(self.root, "large"), os.path.join(self.dir, "got")
        self.one("s3_put: {to: 's3://bucket/o/large', file: %s, metadata: {color: blue}}" % large)
        self.one("s3_copy: {from: 's3://bucket/o/large', to: 's3://bucket/o/c o+p y'}")
        self.one("s3_get: {from: 's3://bucket/o/c o+p y', to: %s}" % got)
        with open(large, "rb") as a, open(got, "rb") as b:
            self.assertEqual(a.read(), b.read())
        self.one("s3_check: {url: 's3://bucket/o/c o+p y'}\nassert:\n  - self.metadata.color == 'blue'")

    def test_s3rver_knows_who_asks(self):
        done = self.one("s3_put: {to: 's3://bucket/o/x', body: x}\nretry: {attempts: 1}", expect=FAILED, AWS_ACCESS_KEY_ID="NOBODY")
        self.assertRegex(done.stdout + done.stderr, r"AWS refuses s3:GetObject at .*: HTTP 403")


if __name__ == "__main__":
    unittest.main()
