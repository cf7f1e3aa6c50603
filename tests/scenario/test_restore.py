"""pg_restore on its bad days: dumps that are no dumps, tools that are missing or too old, several jobs from S3."""
import gzip
import os
import shutil
import subprocess
import unittest

import world
from world import DONE, FAILED

TO = "host: {net}.3, port: 15432, db: %s, user: postgres, password: '${{{{ secrets.staging }}}}'"
SECRETS = "secrets: {prod: {env: PROD_DB_PASSWORD}, staging: {env: STAGING_DB_PASSWORD}}"
BUCKET = "/" + world.BUCKET + "/"


class Restore(world.OneStep):
    def setUp(self):
        super().setUp()
        self.spool = os.path.join(self.dir, "spool")
        os.mkdir(self.spool)
        self.staging = self.lab.databases[1]

    def dump(self, form="custom", tables="users", name="d.dump"):
        """One that pg_dump made; its path."""
        path = os.path.join(self.dir, name)
        subprocess.run(["pg_dump", "-h", self.net + ".2", "-p", "15432", "-U", "postgres", "--format=" + form, "--table=" + tables,
                        "--file=" + path, "meshgen_db"], check=True, env=dict(os.environ, PGPASSWORD=os.environ["PROD_DB_PASSWORD"]))
        return path

    def put(self, content, key="r/d.dump"):
        self.assertEqual(self.lab.s3("PUT", BUCKET + key, content)[0], 200)
        return "s3://%s/%s" % (world.BUCKET, key)

    def put_dump(self, **how):
        with open(self.dump(**how), "rb") as f:
            return self.put(f.read())

    def words(self, place, db="meshgen_db_t", keys="create: true"):
        return "pg_restore: {{from: '%s', %s, %s}}\nundo: none" % (place, TO % db, keys)

    def restore(self, place, *args, db="meshgen_db_t", keys="create: true", **how):
        return self.one(self.words(place, db, keys), *args, top=SECRETS, TMPDIR=self.spool, **how)

    def refused(self, place, words, db="meshgen_db_t", keys="create: true", **how):
        how.setdefault("TMPDIR", self.spool)
        return self.fails(self.words(place, db, keys), words, top=SECRETS, **how)

    def users(self, db="meshgen_db_t"):
        return self.staging.sql("select count(*) from users", db)

    def is_there(self, db="meshgen_db_t"):
        return self.staging.sql("select count(*) from pg_database where datname = '%s'" % db, "postgres") == "1"

    def test_several_jobs_from_s3_by_a_file_of_their_own(self):
        place = self.put_dump()
        said = self.restore(place, "--dry-run", keys="create: true, jobs: 2").stdout
        self.assertRegex(said, "fetched_first_to.*%s/rbx-" % self.spool)
        self.assertEqual(os.listdir(self.spool), [])
        self.restore(place, keys="create: true, jobs: 2")
        self.assertEqual(self.users(), "20000")
        self.assertEqual(os.listdir(self.spool), [])
        self.assertEqual(self.steps()["s"]["outputs"]["bytes"], os.path.getsize(os.path.join(self.dir, "d.dump")))

    def test_the_fetched_file_goes_when_the_restore_fails(self):
        place = self.put_dump()
        self.staging.sql("create database meshgen_db_t", "postgres")
        self.staging.sql("create table users (n int)", "meshgen_db_t")
        self.refused(place, "users.*already exists", keys="jobs: 2")
        self.assertEqual(os.listdir(self.spool), [])

    def test_a_place_for_the_fetched_file_that_is_not_there(self):
        self.restore(self.put_dump())
        done = self.refused(self.put_dump(), "fetching the dump to /nowhere/rbx-", keys="create: true, jobs: 2", TMPDIR="/nowhere")
        self.assertNotIn("doubt", done.stdout)
        self.assertEqual(self.users(), "20000")

    def test_a_killed_restore_leaves_a_file_that_gc_knows(self):
        place = self.put_dump()
        slow = os.path.join(self.dir, "bin")
        os.mkdir(slow)
        with open(os.path.join(slow, "pg_restore"), "w") as f:
            f.write('#!/bin/sh\n[ "$1" = --list ] && exec %s "$@"\n: > %s/started\nexec sleep 30.0911\n' % (shutil.which("pg_restore"), self.dir))
        os.chmod(f.name, 0o700)
        lines = self.words(place, keys="create: true, jobs: 2").format(net=self.net, dir=self.dir).splitlines()
        book = self.write("rbx: 1\nname: test\n%s\ndefaults: {aws: {region: us-west-1}}\nsteps:\n  - id: s\n    %s\n" % (SECRETS, "\n    ".join(lines)))
        child = self.start("run", book, TMPDIR=self.spool, PATH=slow + ":" + os.environ["PATH"])
        self.wait(lambda: os.path.exists(os.path.join(self.dir, "started")), "the restore to begin")
        child.kill()
        child.wait()
        self.assertEqual(len(os.listdir(self.spool)), 1)
        self.assertEqual(os.stat(os.path.join(self.spool, os.listdir(self.spool)[0])).st_mode & 0o777, 0o600)
        self.assertIn("fetched dump " + self.spool, self.rbx("gc", "--dry-run").stdout)
        self.rbx("resume", self.last(), TMPDIR=self.spool)
        self.assertEqual((self.users(), os.listdir(self.spool)), ("20000", []))

    def test_what_cannot_be_read_drops_nothing(self):
        """The database of an earlier run stands until a dump was seen that can be restored."""
        self.restore(self.put_dump())
        with open(os.path.join(self.dir, "d.dump"), "rb") as f:
            good = f.read()
        newer = good[:5] + bytes([1, 99]) + good[7:]
        for name, content, words in (("newer", newer, "unsupported version.*1.99(?s:.*)at least as new"), ("empty", b"", "is empty"),
                                     ("packed", gzip.compress(b"select 1;"), "gzip"), ("cut", good[:20], "pg_restore cannot read")):
            with self.subTest(name):
                self.refused(self.put(content), words)
                self.assertEqual(self.users(), "20000")
        self.refused("s3://%s/r/none" % world.BUCKET, "r/none is not there")
        self.refused("{dir}/none", "none is not there")
        self.assertEqual(self.users(), "20000")

    def test_no_tool_drops_nothing(self):
        self.restore(self.put_dump())
        self.refused(self.put_dump(), "pg_restore.*PATH(?s:.*)client programs", PATH="/nowhere")
        self.refused(self.put(b"select 1;\n", "r/d.sql"), "psql.*PATH", PATH="/nowhere")
        self.assertEqual(self.users(), "20000")

    def test_a_stream_that_breaks_is_no_doubt_and_is_repeated(self):
        for form in ("custom", "plain"):
            with self.subTest(form):
                place = self.put_dump(form=form)
                self.script("s3", op="GetObject", cut=9000 if form == "custom" else 300000, skip=1, times=1)
                said = self.one(self.words(place) + "\nretry: {{delay: 10ms}}", top=SECRETS).stdout
                self.assertIn("the dump could not be read to its end", said)
                self.assertEqual(self.users(), "20000")
                self.assertIn("again in", said)

    def test_a_dump_that_is_cut_off_fails(self):
        with open(self.dump(), "rb") as f:
            good = f.read()
        self.refused(self.put(good[:len(good) // 2]), "pg_restore ended with 1: could not read|unexpected end")

    def test_scripts(self):
        for where in ("path", "s3"):
            with self.subTest(where):
                path = self.dump("plain", name="d.sql")
                self.restore(path if where == "path" else self.put_dump(form="plain", name="d.sql"))
                self.assertEqual(self.users(), "20000")

    def test_a_script_that_is_cut_off_leaves_nothing(self):
        """psql would take the end of the file for the end of the dump, and commit a part of the data."""
        path = self.dump("plain", name="d.sql")
        with open(path, "rb") as f:
            whole = f.read()
        half = whole[:whole.index(b"\\.\n") + 3]
        with open(path, "wb") as f:
            f.write(half)
        for place in (path, self.put(half)):
            self.refused(place, "it was cut off")
            self.assertEqual(self.staging.sql("select count(*) from pg_tables where tablename = 'users'", "meshgen_db_t"), "0")
        self.restore(self.put(b"create table users (n int);\ninsert into users values (1);\n"))
        self.assertEqual(self.users(), "1")

    def test_a_script_that_fails_says_where(self):
        self.refused(self.put(b"create table users (n int);\nselect nonsense;\n"), "psql ended with 3: .*stdin.*2: ERROR:.*nonsense")

    def test_a_script_takes_no_selection(self):
        place = self.put_dump(form="plain", name="d.sql")
        for keys in ("tables: [users]", "clean: true", "jobs: 2", "ignore: [x]"):
            with self.subTest(keys):
                self.refused(place, "is a script of SQL: '%s'" % keys.split(":")[0], keys="create: true, " + keys)
        self.refused(self.put_dump(form="tar"), "is a tar archive: 'jobs'", keys="create: true, jobs: 2")
        self.assertFalse(self.is_there())

    def test_a_table_that_is_not_in_the_dump(self):
        self.refused(self.put_dump(), "no_such_table", keys="create: true, tables: [no_such_table]")

    def test_the_preview_knows_dump_and_target(self):
        place = self.put_dump()
        said = self.restore(place, "--dry-run", db="meshgen_db", keys="clean: true").stdout
        for words in ("dump_of.*meshgen_db", "dumped_from_version.*1[0-9]", "server_version.*1[0-9]", "entries"):
            self.assertRegex(said, words)
        done = self.one(self.words(place, "meshgen_db_none", "clean: true"), "--dry-run", top=SECRETS, expect=None)
        self.assertRegex(done.stdout + done.stderr, "there is no database meshgen_db_none(?s:.*)create: true makes it")
        self.assertEqual(self.effects("s3", "DeleteObject"), [])


if __name__ == "__main__":
    unittest.main()
