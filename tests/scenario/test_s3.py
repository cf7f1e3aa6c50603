"""S3 with real backups in mind: copies, removals, and what undo makes of them, before moto with a front that plays bad days."""
import hashlib
import http.client
import os
import random
import re
import unittest

import world
from world import BUCKET, DONE, FAILED

VERSIONED = b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>'

AUTHORIZED = ("AWS4-HMAC-SHA256 Credential=AKIALAB00000000LAB01/20260101/us-west-1/s3/aws4_request, "
              "SignedHeaders=host, Signature=0")


class S3(world.Scenario):
    in_lab = True

    def one(self, text, *args, expect=DONE, more="", **how):
        """A playbook of one step `s`; `more` stands below it."""
        lines = ["    " + l for l in text.strip().splitlines()]
        return self.play("defaults: {aws: {region: us-west-1}}\nsteps:\n  - id: s\n%s\n%s" % ("\n".join(lines), more), *args,
                         expect=expect, **how)

    def script(self, **words):
        self.lab.ask("POST", "/script", dict(words, service="s3"))

    def put(self, key, body=b"x"):
        status, text = self.lab.s3("PUT", "/%s/%s" % (BUCKET, key), body)
        self.assertEqual(status, 200, text)

    def fill_fast(self, keys, body=b"x"):
        """Past the front, over one connection: nothing of it stands in the ledger."""
        link = http.client.HTTPConnection(self.lab.ip, 9001, timeout=60)
        for key in sorted(keys):
            link.request("PUT", "/%s/%s" % (BUCKET, key), body, {"Authorization": AUTHORIZED})
            self.assertEqual(link.getresponse().read(), b"")
        link.close()

    def get(self, key):
        status, body = self.lab.s3("GET", "/%s/%s" % (BUCKET, key))
        return body if status == 200 else None

    def keys(self, prefix=""):
        body = self.lab.s3("GET", "/" + BUCKET, query="list-type=2&prefix=" + prefix)[1].decode()
        return re.findall("<Key>([^<]*)</Key>", body)

    def versioned(self):
        status, text = self.lab.s3("PUT", "/" + BUCKET, VERSIONED, "versioning=")
        self.assertEqual(status, 200, text)

    def forget(self):
        """What the test itself did to the store is no effect of rbx."""
        open(os.path.join(self.lab.folder, "ledger.jsonl"), "w").close()

    def undo(self, expect=DONE):
        return self.rbx("undo", self.last(), "--yes", expect=expect)


class Copy(S3):
    copy = "s3_copy: {from: 's3://%s/a b+c', to: 's3://%s/d/e'}" % (BUCKET, BUCKET)

    def test_copy_is_made_by_the_server(self):
        self.put("a%20b%2Bc", b"content")
        self.forget()
        self.one(self.copy)
        self.assertEqual(self.get("d/e"), b"content")
        out = self.steps()["s"]["outputs"]
        self.assertEqual((out["bytes"], out["url"]), (7, "s3://%s/d/e" % BUCKET))
        self.assertEqual([l["op"] for l in self.effects("s3")], ["CopyObject"])
        self.one(self.copy)
        self.assertEqual(self.steps()["s"]["how"], "unchanged")

    def test_copy_dry_run_shows_both_and_changes_nothing(self):
        self.put("a%20b%2Bc", b"content")
        self.forget()
        shown = self.one(self.copy, "--dry-run").stdout
        self.assertEqual(self.effects("s3"), [])
        self.assertIn("- exists: false", shown)
        self.assertIn("+ bytes: 7", shown)

    def test_copy_of_nothing(self):
        done = self.one(self.copy + "\nretry: {attempts: 1}", expect=FAILED)
        self.assertIn("is not there", done.stdout + done.stderr)

    def test_copy_bad_days(self):
        self.put("a%20b%2Bc", b"content")
        for words in ({"throttle": 1}, {"before": 503}, {"after": 500}, {"cut": 20}, {"drop": 1}):
            with self.subTest(**words):
                self.lab.s3("DELETE", "/%s/d/e" % BUCKET)
                self.script(op="CopyObject", times=1, **words)
                self.one(self.copy + "\nretry: {delay: 20ms}")
                self.assertEqual(self.get("d/e"), b"content")

    def test_copy_undo_removes_what_was_not_there(self):
        self.put("a%20b%2Bc", b"content")
        self.one(self.copy + "\nundo: auto")
        self.undo()
        self.assertIsNone(self.get("d/e"))

    def test_copy_undo_puts_the_former_version_back(self):
        self.versioned()
        self.put("a%20b%2Bc", b"new")
        self.put("d/e", b"former")
        self.one(self.copy + "\nundo: auto")
        self.assertEqual(self.get("d/e"), b"new")
        self.undo()
        self.assertEqual(self.get("d/e"), b"former")

    def test_copy_undo_leaves_what_others_wrote(self):
        self.put("a%20b%2Bc", b"content")
        self.one(self.copy + "\nundo: auto")
        self.put("d/e", b"somebody's")
        self.undo(expect=None)
        self.assertEqual(self.get("d/e"), b"somebody's")

    def test_copy_follows_the_bucket_to_its_region_once_and_says_so(self):
        self.put("a%20b%2Bc", b"content")
        self.script(region="eu-central-1")
        self.one(self.copy)
        self.assertIn("is in eu-central-1, not in us-west-1", self.rbx("logs", "last").stdout)
        self.lab.ask("DELETE", "/script")
        self.assertEqual(self.get("d/e"), b"content")

    def test_copy_does_not_go_to_a_region_that_is_not_allowed(self):
        self.put("a%20b%2Bc", b"content")
        self.script(region="eu-central-1")
        self.play("defaults: {aws: {region: us-west-1}}\nlimits: {regions: [us-west-1]}\nsteps:\n  - id: s\n    %s\n    retry: {attempts: 1}"
                  % self.copy, expect=FAILED)
        self.lab.ask("DELETE", "/script")
        self.assertIsNone(self.get("d/e"))


class Delete(S3):
    all = "s3_delete: {url: 's3://%s/old/', all: true}" % BUCKET

    def fill(self, n=5):
        for i in range(n):
            self.put("old/%03d%%20%%3C%%26%%3E" % i, b"x" * i)
        self.put("other", b"stays")

    def test_delete_one(self):
        self.fill()
        self.one("s3_delete: {url: 's3://%s/old/003 <&>'}" % BUCKET)
        self.assertEqual(self.steps()["s"]["outputs"]["deleted"], 1)
        self.assertEqual(len(self.keys("old/")), 4)
        self.one("s3_delete: {url: 's3://%s/old/003 <&>'}" % BUCKET)
        self.assertEqual(self.steps()["s"]["outputs"]["deleted"], 0)

    def test_delete_all_below_a_prefix(self):
        self.fill()
        self.forget()
        self.one(self.all)
        self.assertEqual(self.steps()["s"]["outputs"]["deleted"], 5)
        self.assertEqual(self.keys(), ["other"])
        self.assertEqual([l["op"] for l in self.effects("s3")], ["DeleteObjects"])

    def test_delete_more_than_a_page(self):
        many = {"old/%04d" % i for i in range(1200)}
        self.fill_fast(many)
        self.put("other", b"stays")
        self.one(self.all)
        self.assertEqual(self.steps()["s"]["outputs"]["deleted"], 1200)
        self.assertEqual(self.keys(), ["other"])
        self.assertEqual(len(self.effects("s3", "DeleteObjects")), 2)

    def test_delete_dry_run(self):
        self.fill()
        self.forget()
        shown = self.one(self.all, "--dry-run").stdout
        self.assertEqual(self.effects("s3"), [])
        for words in ("- count: 5", "- bytes: 10", "{key: old/001 <&>, bytes: 1}", "+ count: 0"):
            self.assertIn(words, shown)

    def test_delete_of_a_prefix_must_be_meant(self):
        self.one("s3_delete: {url: 's3://%s/old/'}" % BUCKET, expect=world.WRONG)

    def test_delete_bad_days(self):
        for words in ({"throttle": 1}, {"before": 503}, {"after": 500}, {"cut": 20}, {"drop": 1}):
            with self.subTest(**words):
                self.fill()
                self.script(op="DeleteObjects", times=1, **words)
                self.one(self.all + "\nretry: {delay: 20ms}")
                self.assertEqual(self.keys(), ["other"])

    def test_delete_undo_removes_the_markers(self):
        self.versioned()
        self.fill()
        self.one(self.all + "\nundo: auto")
        self.assertEqual(self.keys("old/"), [])
        self.undo()
        self.assertEqual(len(self.keys("old/")), 5)
        self.assertEqual(self.get("old/003%20%3C%26%3E"), b"xxx")

    def test_delete_undo_of_one(self):
        self.versioned()
        self.put("one", b"first")
        self.put("one", b"second")
        self.one("s3_delete: {url: 's3://%s/one'}\nundo: auto" % BUCKET)
        self.assertIsNone(self.get("one"))
        self.undo()
        self.assertEqual(self.get("one"), b"second")

    def test_delete_undo_without_versions_says_what_is_gone(self):
        self.fill()
        self.one(self.all + "\nundo: auto")
        done = self.undo(expect=None)
        self.assertNotEqual(done.returncode, DONE)
        self.assertIn("gone for good", done.stdout + done.stderr + self.rbx("show", "last").stdout)

    def test_delete_undo_leaves_what_was_written_since(self):
        self.versioned()
        self.put("one", b"first")
        self.one("s3_delete: {url: 's3://%s/one'}\nundo: auto" % BUCKET)
        self.put("one", b"anew")
        self.undo(expect=None)
        self.assertEqual(self.get("one"), b"anew")


class Put(S3):
    """A file of five parts, the last one short."""
    size = (4 * 8 << 20) + 12345

    def file(self, seed=1):
        path = os.path.join(self.dir, "file")
        with open(path, "wb") as f:
            f.write(random.Random(seed).randbytes(self.size))
        return path

    def step(self, more=""):
        return "s3_put: {to: 's3://%s/big', file: %s, metadata: {color: blue}%s}\nretry: {delay: 20ms}" % (BUCKET, self.path, more)

    def same(self):
        with open(self.path, "rb") as f:
            self.assertEqual(hashlib.sha256(f.read()).digest(), hashlib.sha256(self.get("big") or b"").digest())

    def numbers(self):
        """Of the parts that came, as often as they came."""
        return sorted(int(re.search(r"partNumber=(\d+)", l["query"]).group(1)) for l in self.effects("s3", "UploadPart"))

    def uploads(self):
        return re.findall("<UploadId>([^<]*)", self.lab.s3("GET", "/" + BUCKET, query="uploads=")[1].decode())

    def setUp(self):
        super().setUp()
        self.path = self.file()

    def test_put_in_parts(self):
        self.one(self.step())
        self.same()
        self.assertEqual(self.numbers(), [1, 2, 3, 4, 5])
        self.assertEqual(self.steps()["s"]["outputs"]["bytes"], self.size)
        self.one(self.step())
        self.assertEqual(self.steps()["s"]["how"], "unchanged")
        self.assertEqual(self.numbers(), [1, 2, 3, 4, 5])

    def test_put_parts_are_sent_again_one_by_one(self):
        for words in ({"throttle": 1}, {"before": 503}, {"after": 500}, {"cut": 20}, {"drop": 1}, {"code": "RequestTimeout"}):
            with self.subTest(**words):
                self.lab.reset()
                self.script(op="UploadPart", skip=1, times=1, **words)
                self.one(self.step())
                self.same()
                self.assertEqual(len(self.effects("s3", "CreateMultipartUpload")), 1)
                numbers = self.numbers()
                self.assertEqual(sorted(set(numbers)), [1, 2, 3, 4, 5])
                self.assertLessEqual(len(numbers), 6)

    def test_put_completion_whose_answer_is_lost(self):
        for words in ({"after": 500}, {"cut": 20}, {"cut": 0}):
            with self.subTest(**words):
                self.lab.reset()
                self.script(op="CompleteMultipartUpload", times=1, **words)
                self.one(self.step())
                self.same()
                self.assertEqual(self.uploads(), [])
                self.assertEqual(self.numbers(), [1, 2, 3, 4, 5])

    def killed_after(self, parts, more="", **words):
        self.script(**dict({"op": "UploadPart", "skip": parts, "delay": 60}, **words))
        path = self.write("rbx: 1\nname: test\ndefaults: {aws: {region: us-west-1}}\nsteps:\n  - id: s\n    %s\n"
                          % self.step(more).replace("\n", "\n    "))
        child = self.start("run", path, "--yes")
        self.wait(lambda: len(self.effects("s3", "UploadPart")) >= parts, "the parts")
        child.kill()
        child.wait()
        self.lab.ask("DELETE", "/script")

    def test_put_goes_on_after_a_crash(self):
        self.killed_after(2)
        before = self.numbers()
        self.assertEqual(len(before), 2)
        self.rbx("resume", "last")
        self.same()
        self.assertEqual(len(self.effects("s3", "CreateMultipartUpload")), 1)
        self.assertEqual(self.numbers(), [1, 2, 3, 4, 5])
        self.assertEqual(self.uploads(), [])

    def test_put_of_another_content_begins_anew_after_a_crash(self):
        self.killed_after(2)
        self.file(seed=2)
        self.rbx("resume", "last", expect=None)
        if self.get("big") is not None:
            self.same()
        self.assertEqual(self.uploads(), [])

    def test_put_crash_behind_the_completion(self):
        self.killed_after(5, op="CompleteMultipartUpload", skip=0, delay=0, late=60)
        self.wait(lambda: self.effects("s3", "CompleteMultipartUpload"), "the object", 5)
        self.rbx("resume", "last")
        self.same()
        self.assertEqual(self.numbers(), [1, 2, 3, 4, 5])

    def test_put_if_absent_in_parts(self):
        self.one(self.step(", if_absent: true"))
        self.one(self.step(", if_absent: true"))
        self.same()

    def test_put_a_store_that_damages_a_part_is_found_out(self):
        self.script(op="UploadPart", times=9, etag="00000000000000000000000000000000")
        done = self.one(self.step() + "\n", expect=None)
        self.assertIn("S3 keeps other bytes than were sent", done.stdout + done.stderr)
        self.assertIsNone(self.get("big"))

    def test_put_follows_the_bucket_to_its_region(self):
        self.script(region="eu-central-1")
        self.one(self.step())
        self.one("s3_put: {to: 's3://%s/small', body: hello}" % BUCKET)
        self.lab.ask("DELETE", "/script")
        self.same()
        self.assertEqual(self.get("small"), b"hello")


if __name__ == "__main__":
    unittest.main()
