"""sql and sql_check on their bad days: statements that leave their transaction, sessions that end, servers that refuse TLS."""
import os
import subprocess
import unittest

import peers
import world
from world import DONE, FAILED, WRONG

AT = "host: {net}.3, port: 15432, db: meshgen_db, user: postgres, password: '${{{{ secrets.password }}}}'"
TOP = "secrets: {password: {env: STAGING_DB_PASSWORD}}"


class Sql(world.OneStep):
    def setUp(self):
        super().setUp()
        self.staging = self.lab.databases[1]
        self.staging.sql("drop table if exists t; create table t (n int)")
        self.addCleanup(self.staging.sql, "drop table if exists t")

    def rows(self):
        return self.staging.sql("select coalesce(string_agg(n::text, ',' order by n), '') from t")

    def sql(self, query, words=None, keys="retry: {{delay: 20ms}}", more="", **how):
        text = "sql:\n  %s\n  query: |-\n    %s\n%s\nundo: none\n%s" % (AT.replace(", ", "\n  "), query.replace("\n", "\n    "), more, keys)
        how.setdefault("top", TOP)
        done = self.one(text, **how)
        if words:
            self.assertRegex(done.stdout + done.stderr, words)
        return done

    def test_a_commit_in_the_middle_is_refused(self):
        """The row of the key would stand, and the next attempt would take it for the whole."""
        for query in ("insert into t values (1); commit; select nonsense", "insert into t values (1);\n-- so\nEND", "begin; insert into t values (1); ROLLBACK",
                      "prepare transaction 'x'"):
            with self.subTest(query):
                self.sql(query, "ends the transaction in which all statements stand(?s:.*)transaction: false", expect=WRONG)
        path = self.write("insert into t values (1);\ncommit;\n", "f.sql")
        self.one("sql: {{%s, file: '%s'}}\nundo: none\nretry: {{attempts: 1}}" % (AT, path), top=TOP, expect=FAILED)
        self.assertEqual(self.rows(), "")
        self.sql("insert into t values (1); commit", more="  transaction: false")
        self.assertEqual(self.rows(), "1")

    def test_what_only_looks_like_a_commit(self):
        self.sql("insert into t values (1); savepoint a; insert into t values (2); rollback to a;\n/* commit; /* end */ ; */ select ';commit' as \"x;end\";\n"
                 "do $x$ begin insert into t values (3); end $x$;\nselect case when true then 1 end;\n"
                 "create or replace function pg_temp.f() returns int language sql begin atomic select 1; select case when true then 2 end; end;\n"
                 "select E'it\\'s; commit'; insert into t values (4)")
        self.assertEqual(self.rows(), "1,3,4")

    def test_too_few_parameters_are_no_lost_connection(self):
        done = self.one("sql: {{%s, query: 'insert into t select $1::int + $2::int', params: [1]}}\nundo: none" % AT, top=TOP, expect=FAILED)
        self.assertIn("08P01", done.stdout)
        self.assertNotIn("again in", done.stdout)

    def test_a_lock_that_is_held_is_waited_for(self):
        held = subprocess.Popen(["psql", "-XAtq", "-h", self.net + ".3", "-p", "15432", "-U", "postgres", "-d", "meshgen_db", "-c",
                                 "begin; lock table t; select pg_sleep(1.5); commit"], stdout=subprocess.DEVNULL,
                                env=dict(os.environ, PGPASSWORD=os.environ["STAGING_DB_PASSWORD"]))
        self.wait(lambda: self.staging.sql("select count(*) from pg_locks where relation = 't'::regclass and mode = 'AccessExclusiveLock'") == "1", "the lock")
        self.sql("set local lock_timeout = '100ms'; insert into t values (1)", "55P03", keys="retry: {{attempts: 50, delay: 100ms, backoff: 1}}")
        held.wait()
        self.assertEqual(self.rows(), "1")

    def test_a_session_that_is_ended_in_the_middle(self):
        """Nothing of the statements held: they are carried out once more, and once in all."""
        child = self.start("run", self.write(
            "rbx: 1\nname: test\n%s\nsteps:\n  - id: s\n    sql: {%s, query: \"insert into t values (1); select pg_sleep(1) from t having count(*) < 9\"}\n"
            "    undo: none\n    retry: {delay: 20ms}\n" % (TOP, AT.format(net=self.net))))
        self.wait(lambda: self.staging.sql("select count(*) from pg_stat_activity where wait_event = 'PgSleep' and application_name = 'rbx'") == "1", "the statement")
        self.staging.sql("select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'")
        out = child.communicate(timeout=60)[0]
        self.assertEqual(child.returncode, DONE, out)
        self.assertIn("terminating connection due to administrator command", out)
        self.assertEqual(self.rows(), "1")

    def test_tls(self):
        check = "sql_check: {{%s, query: select 1, sslmode: %s}}"
        self.one(check % (AT, "require"), top=TOP)
        self.one(check % (AT, "verify-full, ca: '%s'" % os.environ["RBX_CA_FILE"]), top=TOP)
        self.fails(check % (AT, "verify-full"), "certificate verify failed(?s:.*)name the authority's certificate in `ca`", top=TOP)
        plain = peers.Peer(lambda link, number: (link.recv(8), link.sendall(b"N"), link.recv(1)))
        self.addCleanup(plain.close)
        at = AT.replace("{net}.3, port: 15432", "127.0.0.1, port: %d" % plain.port)
        self.fails(check % (at, "require"), "server does not support SSL", top=TOP)


if __name__ == "__main__":
    unittest.main()
