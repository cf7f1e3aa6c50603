"""pg_dump on its bad days: disks that are full or read-only, tools that are missing or too old, and what a dry run sees of it."""
import os
import subprocess
import unittest
import unittest.mock

import world
from world import DONE, FAILED

FROM = "host: {net}.2, port: 15432, db: meshgen_db, user: postgres, password: '${{{{ secrets.prod }}}}'"
TOP = "secrets: {prod: {env: PROD_DB_PASSWORD}}"
APART = ["unshare", "--map-root-user", "--mount"]


class Dump(world.OneStep):
    def dump(self, rest, *args, **how):
        return self.one("pg_dump: {{%s, %s}}\nretry: {{attempts: 1}}" % (FROM, rest), *args, top=TOP, **how)

    def refused(self, rest, words, *args, **how):
        done = self.dump(rest, *args, expect=FAILED, **how)
        self.assertRegex(done.stdout + done.stderr, words)

    def small(self, options):
        """rbx with a disk of 1 MB at {dir}/small, for itself alone."""
        folder = os.path.join(self.dir, "small")
        os.makedirs(folder, exist_ok=True)
        if subprocess.run(APART + ["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True).returncode:
            self.skipTest("no mounts of one's own here")
        path = os.path.join(self.dir, "rbx-small")
        with open(path, "w") as f:
            f.write('#!/bin/sh\nexec %s sh -euc \'mount -t tmpfs -o size=1m tmpfs %s; %s; "$@" || code=$?; ls -A %s >%s/left; exit ${code:-0}\' sh %s "$@"\n' % (
                " ".join(APART), folder, options.format(folder), folder, self.dir, world.RBX))
        os.chmod(path, 0o700)
        return unittest.mock.patch.object(world, "RBX", path)

    def left(self):
        with open(os.path.join(self.dir, "left")) as f:
            return f.read()

    def test_a_full_disk_leaves_nothing(self):
        for rest in ("to: '{dir}/small/a.dump'", "to: '{dir}/small/a', format: directory"):
            with self.subTest(rest), self.small("true"):
                self.refused(rest, "No space left on device")
                self.assertEqual(self.left(), "")
        with self.small("true"):
            said = self.dump("to: '{dir}/small/a.dump'", "--dry-run")
            self.assertRegex(said.stdout + said.stderr, "1048576 bytes are free at the target, and the database has [0-9]{8}")

    def test_a_read_only_disk(self):
        for rest in ("to: '{dir}/small/a.dump'", "to: '{dir}/small/a', format: directory"):
            with self.subTest(rest), self.small("mount -o remount,ro {}"):
                self.refused(rest, "Read-only file system")

    def tool(self, text):
        folder = os.path.join(self.dir, "bin")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "pg_dump"), "w") as f:
            f.write("#!/bin/sh\n" + text)
        os.chmod(f.name, 0o700)
        return folder + ":" + os.environ["PATH"]

    def test_a_dry_run_sees_what_would_fail(self):
        to = "to: '{dir}/a.dump'"
        self.refused(to, "pg_dump: no such program in PATH(?s:.*)client programs", "--dry-run", PATH="/nowhere")
        old = self.tool("echo 'pg_dump (PostgreSQL) 9.6.24'\n")
        self.refused(to, "pg_dump 9.6.24 cannot dump a server of 1[0-9]", "--dry-run", PATH=old)
        self.refused("to: '{dir}/none/a.dump'", "there is no folder .*/none", "--dry-run")
        self.refused("to: 's3://no-such-bucket/a.dump'", "there is no bucket no-such-bucket", "--dry-run")
        said = self.dump(to, "--dry-run").stdout
        self.assertRegex(said, "free_at_target: [0-9]{6,}")
        self.assertEqual(self.dump("to: 's3://%s/t/a.dump'" % world.BUCKET, "--dry-run").returncode, DONE)
        self.assertEqual(self.effects(), [])

    def test_a_tool_that_is_too_old_says_both_versions(self):
        old = self.tool("echo 'pg_dump: error: aborting because of server version mismatch' >&2\n"
                        "echo 'pg_dump: detail: server version: 15.2; pg_dump version: 13.1' >&2\nexit 1\n")
        self.refused("to: '{dir}/a.dump'", r"server version mismatch \(server version: 15.2; pg_dump version: 13.1\)", PATH=old)

    def test_a_table_that_is_not_there_is_missed(self):
        self.refused("to: '{dir}/a.dump', tables: [users, no_such_table]", "no matching tables.*no_such_table")
        self.assertFalse(os.path.exists(os.path.join(self.dir, "a.dump")))

    def test_folders(self):
        to = "to: '{dir}/d', format: directory, jobs: 2, tables: [users]"
        self.dump(to)
        self.dump(to)
        self.assertIn("toc.dat", os.listdir(os.path.join(self.dir, "d")))
        self.assertEqual([n for n in os.listdir(self.dir) if "partial" in n], [])
        self.write("mine", "e")
        self.refused(to.replace("/d'", "/e'"), "/e is there, and is no dump", PATH=self.tool("echo started >%s/started\n" % self.dir))
        self.assertFalse(os.path.exists(os.path.join(self.dir, "started")))


if __name__ == "__main__":
    unittest.main()
