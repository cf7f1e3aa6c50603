"""S3 with real backups in mind: copies, removals, and what undo makes of them, before moto with a front that plays bad days."""
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import unittest

import world
from world import BUCKET, DONE, FAILED, PERSON

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

    def test_delete_goes_on_after_a_crash_and_is_taken_back(self):
        self.versioned()
        self.fill_fast(["old/%04d" % i for i in range(2200)])
        self.script(op="DeleteObjects", skip=1, delay=60)
        path = self.write("rbx: 1\nname: test\ndefaults: {aws: {region: us-west-1}}\nsteps:\n  - id: s\n    %s\n    undo: auto\n" % self.all)
        child = self.start("run", path, "--yes")
        self.wait(lambda: self.effects("s3", "DeleteObjects"), "a thousand keys gone")
        child.kill()
        child.wait()
        self.lab.ask("DELETE", "/script")
        self.rbx("resume", "last")
        self.assertEqual(self.keys("old/"), [])
        # A thousand before, the rest after: no key twice, which would make a second marker.
        self.assertEqual(len(self.effects("s3", "DeleteObjects")), 3)
        self.undo()
        self.assertEqual(len(self.keys("old/0")), 1000)
        self.assertEqual(len(self.keys("old/2")), 200)

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


class Parts(S3):
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

    def killed_after(self, parts, more="", seen="UploadPart", **words):
        self.script(**dict({"op": "UploadPart", "skip": parts, "delay": 60}, **words))
        path = self.write("rbx: 1\nname: test\ndefaults: {aws: {region: us-west-1}}\nsteps:\n  - id: s\n    %s\n"
                          % self.step(more).replace("\n", "\n    "))
        child = self.start("run", path, "--yes")
        self.wait(lambda: len(self.effects("s3", "UploadPart")) >= parts and self.effects("s3", seen), "the parts")
        child.kill()
        child.wait()
        self.lab.ask("DELETE", "/script")


class Put(Parts):
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
        self.killed_after(5, seen="CompleteMultipartUpload", op="CompleteMultipartUpload", skip=0, delay=0, late=60)
        self.rbx("resume", "last")
        self.same()
        self.assertEqual(self.numbers(), [1, 2, 3, 4, 5])

    def test_put_if_absent_in_parts(self):
        self.one(self.step(", if_absent: true"))
        self.one(self.step(", if_absent: true"))
        self.same()

    def test_put_a_store_that_damages_a_part_is_found_out(self):
        self.script(op="UploadPart", times=1, etag="00000000000000000000000000000000")
        done = self.one(self.step().replace("delay: 20ms", "attempts: 1"), expect=FAILED)
        self.assertIn("S3 keeps other bytes than were sent", done.stdout + done.stderr)
        self.assertIsNone(self.get("big"))
        # What the store lists has the right MD5s: nothing is wrong with it, and resume goes on.
        self.rbx("resume", "last")
        self.same()

    def test_put_follows_the_bucket_to_its_region(self):
        self.script(region="eu-central-1")
        self.one(self.step())
        self.one("s3_put: {to: 's3://%s/small', body: hello}" % BUCKET)
        self.lab.ask("DELETE", "/script")
        self.same()
        self.assertEqual(self.get("small"), b"hello")


class Gc(Parts):
    """What a run that died left behind: found by its saved id, shown, and removed."""

    def gc(self, *args, expect=DONE, **how):
        done = self.rbx("gc", *args, expect=expect, **how)
        return done.stdout + done.stderr

    def test_gc_removes_what_a_dead_run_began(self):
        self.killed_after(2)
        self.assertEqual(len(self.uploads()), 1)
        self.forget()
        self.assertIn("upload to s3://%s/big, 2 parts, 16777216 bytes" % BUCKET, self.gc("--dry-run"))
        self.assertIn("nobody can be asked here", self.gc(expect=PERSON))
        self.assertEqual(self.effects("s3"), [])
        self.assertEqual(len(self.uploads()), 1)
        self.assertIn("removed  upload to", self.gc("--yes"))
        self.assertEqual([l["op"] for l in self.effects("s3")], ["AbortMultipartUpload"])
        self.assertEqual(self.uploads(), [])
        self.assertIn("nothing was left behind", self.gc())
        self.rbx("resume", "last")
        self.same()

    def test_gc_finds_what_was_never_saved(self):
        """Killed when the store had begun the upload and rbx did not know it yet."""
        self.killed_after(0, seen="CreateMultipartUpload", op="CreateMultipartUpload", skip=0, delay=0, late=60)
        self.assertEqual(len(self.uploads()), 1)
        self.forget()
        self.assertIn("left behind  upload to s3://%s/big, 0 parts" % BUCKET, self.gc("--dry-run"))
        self.assertIn("removed  upload to", self.gc("--yes"))
        self.assertEqual([l["op"] for l in self.effects("s3")], ["AbortMultipartUpload"])
        self.assertEqual(self.uploads(), [])
        self.rbx("resume", "last")
        self.same()

    def test_gc_leaves_what_is_carried_out(self):
        self.script(op="UploadPart", skip=2, times=1, delay=3)
        path = self.write("rbx: 1\nname: test\ndefaults: {aws: {region: us-west-1}}\nsteps:\n  - id: s\n    %s\n"
                          % self.step().replace("\n", "\n    "))
        child = self.start("run", path, "--yes")
        self.wait(lambda: len(self.effects("s3", "UploadPart")) >= 2, "the parts")
        self.assertIn("nothing was left behind", self.gc("--yes"))
        self.assertEqual(child.wait(), DONE)
        self.same()
        self.assertIn("nothing was left behind", self.gc("--yes"))

    def test_gc_says_what_it_could_not_ask(self):
        self.killed_after(2)
        text = self.gc("--yes", expect=FAILED, AWS_SECRET_ACCESS_KEY="not-the-key-of-the-lab")
        self.assertIn("SignatureDoesNotMatch", text)
        self.assertEqual(len(self.uploads()), 1)

    def test_gc_as_json(self):
        self.killed_after(2)
        line, = self.rbx("gc", "--dry-run", "--json").stdout.splitlines()
        found = json.loads(line)
        self.assertEqual((found["step"], found["type"], found["found"]["bytes"], found["removed"]), ("s", "s3_put", 16 << 20, False))


class Sync(S3):
    """Up, down and from bucket to bucket."""
    up = "s3_sync: {from: %s, to: 's3://%s/p/'%s}\nretry: {delay: 20ms}"
    files = {"index.html": b"<html>", "a/b.js": b"1;", "a/c d+e.txt": b"text", "a/deep/er/x.map": b"{}", "empty": b""}

    def setUp(self):
        super().setUp()
        self.root = os.path.join(self.dir, "root")
        for path, body in self.files.items():
            self.file(path, body)

    def file(self, path, body, root=None):
        path = os.path.join(root or self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(body)

    def tree(self, root):
        found = {}
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as f:
                    found[os.path.relpath(path, root)] = f.read()
        return found

    def go_up(self, more="", *args, **how):
        return self.one(self.up % (self.root, BUCKET, more), *args, **how)

    def go_down(self, more="", *args, **how):
        self.down = os.path.join(self.dir, "down")
        return self.one("s3_sync: {from: 's3://%s/p/', to: %s%s}\nretry: {delay: 20ms}" % (BUCKET, self.down, more), *args, **how)

    def counts(self):
        out = self.steps()["s"]["outputs"]
        return out["copied"], out["deleted"], out["unchanged"]

    def test_sync_up_and_down(self):
        self.go_up()
        self.assertEqual(self.counts(), (5, 0, 0))
        self.assertEqual(self.keys(), sorted("p/" + k for k in self.files))
        self.assertEqual(self.get("p/a/c%20d%2Be.txt"), b"text")
        self.go_down()
        self.assertEqual(self.tree(self.down), self.files)
        self.assertEqual(self.counts(), (5, 0, 0))

    def test_sync_of_the_same_is_unchanged(self):
        self.go_up()
        self.forget()
        self.go_up()
        self.assertEqual(self.counts(), (0, 0, 5))
        self.go_down()
        self.go_down()
        self.assertEqual(self.counts(), (0, 0, 5))
        self.assertEqual(self.effects("s3"), [])

    def test_sync_finds_another_content_of_the_same_length(self):
        self.go_up()
        self.file("a/b.js", b"2;")
        self.forget()
        self.go_up()
        self.assertEqual(self.counts(), (1, 0, 4))
        self.assertEqual(self.get("p/a/b.js"), b"2;")
        self.assertEqual([l["object"] for l in self.effects("s3")], [BUCKET + "/p/a/b.js"])

    def test_sync_deletes_only_where_it_is_said(self):
        self.go_up()
        os.unlink(os.path.join(self.root, "a/b.js"))
        self.put("other", b"outside")
        self.go_up()
        self.assertIn("p/a/b.js", self.keys())
        self.go_up(", delete: true")
        self.assertEqual(self.counts(), (0, 1, 4))
        self.assertNotIn("p/a/b.js", self.keys())
        self.assertIn("other", self.keys())
        self.go_down()
        self.file("more/stale", b"x", self.down)
        self.go_down(", delete: true")
        self.assertEqual(self.counts(), (0, 1, 4))
        self.assertNotIn("more/stale", self.tree(self.down))

    def test_sync_filters(self):
        self.put("p/keep.map", b"excluded, so it stays")
        self.go_up(", include: ['*.js', '*.map', 'a/**'], exclude: ['*.map'], delete: true")
        self.assertEqual(self.keys(), ["p/a/b.js", "p/a/c d+e.txt", "p/keep.map"])

    def test_sync_dry_run_lists_each_change_and_does_none(self):
        self.go_up()
        self.file("a/b.js", b"longer;")
        self.file("new", b"123")
        os.unlink(os.path.join(self.root, "index.html"))
        self.forget()
        shown = self.go_up(", delete: true", "--dry-run").stdout
        for words in ("copy: 2", "copy_bytes: 10", "delete: 1", "delete_bytes: 6", "unchanged: 3",
                      "{do: replace, path: a/b.js, bytes: 7, was: 2}", "{do: add, path: new, bytes: 3}",
                      "{do: delete, path: index.html, bytes: 6}"):
            self.assertIn(words, shown)
        self.assertEqual(self.effects("s3"), [])

    def test_sync_from_bucket_to_bucket(self):
        self.go_up()
        self.forget()
        copy = "s3_sync: {from: 's3://%s/p/', to: 's3://%s/q/', delete: true}" % (BUCKET, BUCKET)
        self.put("q/old", b"goes")
        self.forget()
        self.one(copy)
        self.assertEqual(self.counts(), (5, 1, 0))
        self.assertEqual(self.keys("q/"), sorted("q/" + k for k in self.files))
        self.assertEqual({l["op"] for l in self.effects("s3")}, {"CopyObject", "DeleteObjects"})
        self.one(copy)
        self.assertEqual(self.counts(), (0, 0, 5))

    def test_sync_refuses_to_sync_into_itself(self):
        done = self.one("s3_sync: {from: 's3://%s/p/', to: 's3://%s/p/q/'}\nretry: {attempts: 1}" % (BUCKET, BUCKET), expect=FAILED)
        self.assertIn("lie in each other", done.stdout + done.stderr)

    def test_sync_refuses_links(self):
        os.symlink("/etc/passwd", os.path.join(self.root, "a/passwd"))
        done = self.go_up(expect=FAILED)
        self.assertIn("'a/passwd' is a symbolic link", done.stdout + done.stderr)
        self.assertEqual(self.keys(), [])
        self.go_up(", exclude: [passwd]")
        self.assertEqual(len(self.keys()), 5)

    def test_sync_refuses_keys_that_leave_the_folder(self):
        for key in ("p/../up", "p//abs", "p/a/../../up", "p/./x"):
            with self.subTest(key=key):
                self.lab.reset()
                self.fill_fast([key])
                done = self.go_down(expect=FAILED)
                self.assertIn("would be no file below the folder", done.stdout + done.stderr)
                self.assertFalse(os.path.exists(self.down))

    def test_sync_does_not_go_through_a_link_at_the_target(self):
        self.go_up()
        outside = os.path.join(self.dir, "outside")
        os.makedirs(outside)
        down = os.path.join(self.dir, "down")
        os.makedirs(down)
        os.symlink(outside, os.path.join(down, "a"))
        self.go_down(expect=FAILED)
        self.assertEqual(os.listdir(outside), [])
        self.go_down(", exclude: [a]", expect=None)
        self.assertEqual(os.listdir(outside), [])

    def test_sync_passes_by_the_marks_of_folders(self):
        self.go_up()
        self.put("p/", b"")
        self.put("p/folder/", b"")
        self.go_down()
        self.assertEqual(self.tree(self.down), self.files)

    def big(self):
        body = random.Random(7).randbytes((20 << 20) + 7)
        self.file("big/one", body)
        self.file("big/two", body[:9 << 20])
        self.files = dict(self.files, **{"big/one": body, "big/two": body[:9 << 20]})

    def test_sync_large_files_go_in_parts(self):
        self.big()
        self.go_up()
        self.assertEqual(len(self.effects("s3", "CreateMultipartUpload")), 2)
        self.assertEqual(self.counts(), (7, 0, 0))
        self.go_down()
        self.assertEqual(self.tree(self.down), self.files)
        self.forget()
        self.go_up()
        self.assertEqual(self.counts(), (0, 0, 7))
        self.go_down()
        self.assertEqual(self.counts(), (0, 0, 7))
        self.assertEqual(self.effects("s3"), [])

    def test_sync_bad_days_up(self):
        for op in ("PutObject", "ListObjects", "UploadPart"):
            for words in ({"throttle": 1}, {"before": 503}, {"after": 500}, {"cut": 20}, {"drop": 1}):
                with self.subTest(op=op, **words):
                    self.lab.reset()
                    self.big() if op == "UploadPart" else None
                    self.script(op=op, times=1, skip=0 if op == "ListObjects" else 1, **words)
                    self.go_up()
                    self.assertEqual(len(self.keys()), len(self.files))

    def test_sync_bad_days_down(self):
        self.big()
        self.go_up()
        for words in ({"throttle": 1}, {"before": 503}, {"cut": 20}, {"cut": 240}, {"drop": 1}, {"cut": 3 << 20, "path": "*/big/*"}):
            with self.subTest(**words):
                shutil.rmtree(os.path.join(self.dir, "down"), True)
                self.script(**dict({"op": "GetObject", "times": 1, "skip": 1}, **words))
                self.go_down()
                self.assertEqual(self.tree(self.down), self.files)

    def test_sync_goes_on_after_a_crash(self):
        many = {"n/%03d" % i: b"%d" % i for i in range(200)}
        for path, body in many.items():
            self.file(path, body)
        self.script(op="PutObject", skip=60, delay=60)
        path = self.write("rbx: 1\nname: test\ndefaults: {aws: {region: us-west-1}}\nsteps:\n  - id: s\n    s3_sync: {from: %s, to: 's3://%s/p/'}\n"
                          % (self.root, BUCKET))
        child = self.start("run", path, "--yes")
        self.wait(lambda: len(self.effects("s3", "PutObject")) >= 60, "sixty objects")
        child.kill()
        child.wait()
        self.lab.ask("DELETE", "/script")
        self.rbx("resume", "last")
        self.assertEqual(len(self.keys("p/")), 205)
        objects = [l["object"] for l in self.effects("s3", "PutObject")]
        self.assertEqual(len(set(objects)), 205)
        # Nothing twice: what was there was seen by its content.
        self.assertEqual(len(objects), 205)

    def test_sync_large_file_goes_on_after_a_crash(self):
        self.big()
        self.script(op="UploadPart", skip=2, delay=60, path="*big/one*")
        path = self.write("rbx: 1\nname: test\ndefaults: {aws: {region: us-west-1}}\nsteps:\n  - id: s\n    s3_sync: {from: %s, to: 's3://%s/p/'}\n"
                          % (self.root, BUCKET))
        child = self.start("run", path, "--yes")
        self.wait(lambda: len(self.effects("s3", "UploadPart")) >= 2, "two parts")
        child.kill()
        child.wait()
        self.lab.ask("DELETE", "/script")
        self.rbx("resume", "last")
        parts = [l["query"].split("&")[0] for l in self.effects("s3", "UploadPart") if "big/one" in l["object"]]
        self.assertEqual(sorted(parts), ["partNumber=1", "partNumber=2", "partNumber=3"])
        self.go_down()
        self.assertEqual(self.tree(self.down), self.files)

    def test_reads_follow_the_bucket_to_its_region(self):
        self.put("o/%C3%BC%2B", b"hello")
        self.script(region="eu-central-1")
        self.one("s3_check: {url: 's3://%s/o/ü+'}" % BUCKET)
        self.one("s3_check: {url: 's3://%s/o/', expect: {min_count: 1}}" % BUCKET)
        self.assertEqual(self.steps()["s"]["outputs"]["newest"]["url"], "s3://%s/o/ü+" % BUCKET)
        self.one("s3_get: {from: 's3://%s/o/ü+', to: %s/got}" % (BUCKET, self.dir))
        with open(os.path.join(self.dir, "got"), "rb") as f:
            self.assertEqual(f.read(), b"hello")

    def test_get_of_other_bytes_makes_no_file(self):
        self.put("o", b"hello")
        self.script(op="HeadObject", etag="00000000000000000000000000000000")
        self.script(op="GetObject", etag="00000000000000000000000000000000")
        done = self.one("s3_get: {from: 's3://%s/o', to: %s/got}\nretry: {attempts: 1}" % (BUCKET, self.dir), expect=FAILED)
        self.assertRegex(done.stdout + done.stderr, "other bytes came|412")
        self.assertFalse(os.path.exists(os.path.join(self.dir, "got")))

    def test_sync_follows_the_bucket_to_its_region(self):
        self.script(region="eu-central-1")
        self.go_up()
        self.go_down()
        self.assertEqual(self.tree(self.down), self.files)
        self.lab.ask("DELETE", "/script")


if __name__ == "__main__":
    unittest.main()
