"""Every step type against a real other side: good days, and the bad ones that the lab can play."""
import email
import json
import os
import subprocess
import unittest

import world
from world import DONE, FAILED, PERSON, REFUSED, WRONG

STAGING_DB = "host: {net}.3, port: 15432, db: meshgen_db, user: postgres"


class Types(world.OneStep):
    # http_check
    def test_http_status_and_text(self):
        self.one("http_check: {{url: 'http://{net}.2:8080/api/health', expect: {{status: 200, text: healthy}}}}")
        self.fails("http_check: {{url: 'http://{net}.2:8080/status/503'}}", "503")
        self.fails("http_check: {{url: 'http://{net}.2:8080/api/health', expect: {{text: nonsense}}}}", "nonsense")

    def test_http_certificates(self):
        url = "http_check: {{url: 'https://app.khorium.ai:%d/api/health', connect_to: '{net}.3:%d'}}"
        self.one(url % (8443, 8443))
        for port, words in ((8444, "expired"), (8445, "app.khorium.ai"), (8446, "issuer|certificate")):
            with self.subTest(port=port):
                self.fails(url % (port, port), words)

    def test_http_down(self):
        down = "http_check: {{url: 'http://{net}.2:%s', control: 'http://{net}.1:8000/', expect: {{down: true}}}}"
        self.one(down % "9/")
        self.one(down % "8080/status/503")
        self.fails(down % "8080/api/health", "down|200")
        self.fails("http_check: {{url: 'http://{net}.2:9/', control: 'http://{net}.1:9/', expect: {{down: true}}}}", "control|unknown")

    def test_http_redirect(self):
        self.fails("http_check: {{url: 'http://{net}.2:8080/redirect'}}", "302")
        self.one("http_check: {{url: 'http://{net}.2:8080/redirect', redirects: 1, expect: {{status: 200}}}}")

    def test_http_bad_servers(self):
        for words in ({"drop": 1}, {"cut": 30}, {"length": 50}, {"garbage": 60}, {"before": 500}):
            with self.subTest(**words):
                self.script("webhook", op="get", **words)
                self.fails("http_check: {{url: 'http://{net}.1:8065/'}}", ".")
                self.lab.ask("DELETE", "/script")
        self.script("webhook", op="get", delay=20)
        self.fails("http_check: {{url: 'http://{net}.1:8065/'}}\ntimeout: 500ms", "time")

    # http_request
    def test_request_with_a_key_is_sent_again_with_the_same(self):
        self.script("webhook", op="post", cut=10, times=1)
        self.one("http_request: {{url: 'http://{net}.1:8065/x', json: {{a: 1}}, idempotency_key_header: Idempotency-Key}}\n"
                 "retry: {{delay: 20ms}}\nundo: none")
        keys = [l["key"] for l in self.effects("webhook", "post")]
        self.assertEqual((len(keys), len(set(keys))), (2, 1))

    def test_request_without_a_key_is_in_doubt(self):
        self.script("webhook", op="post", cut=10, times=1)
        self.one("http_request: {{url: 'http://{net}.1:8065/x', json: {{a: 1}}}}\nundo: none", expect=PERSON)
        self.assertEqual(self.states()["s"], "doubt")
        self.assertEqual(len(self.effects("webhook", "post")), 1)

    def test_request_of_which_nothing_left_is_no_doubt(self):
        self.one("http_request: {{url: 'http://{net}.1:9/x', json: {{a: 1}}}}\nundo: none\nretry: {{attempts: 2, delay: 10ms}}", expect=FAILED)

    # tcp, tls, dns, file
    def test_tcp(self):
        self.one("tcp_check: {{host: '{net}.2', port: 15432}}")
        self.fails("tcp_check: {{host: '{net}.2', port: 9}}", "refused")
        self.one("tcp_check: {{host: '{net}.2', port: 9, control: '{net}.1:8000', expect: {{down: true}}}}")

    def test_tls(self):
        check = "tls_check: {{host: '{net}.3', port: %d, server_name: app.khorium.ai%s}}"
        self.one(check % (8443, ", expect: {{days_left: 30, names: [app.khorium.ai]}}"))
        self.fails(check % (8443, ", expect: {{days_left: 30000}}"), "day")
        self.fails(check % (8444, ""), "expired")
        self.one("tls_check: {{host: '{net}.2', port: 15432, starttls: postgres}}")
        self.one("tls_check: {{host: '{net}.1', port: 2525, starttls: smtp, server_name: mail.lab}}")

    def test_dns(self):
        self.one("dns_check: {{name: app.khorium.ai, at: authoritative, expect: {{values: ['{net}.2']}}}}")
        self.fails("dns_check: {{name: app.khorium.ai, expect: {{values: ['{net}.3']}}}}", r"127\.77")
        self.one("dns_check: {{name: none.khorium.ai, expect: {{absent: true}}}}")
        self.fails("dns_check: {{name: none.khorium.ai}}", "none.khorium.ai|no such|not")
        self.script("dns", truncate=1)
        self.one("dns_check: {{name: app.khorium.ai, expect: {{values: ['{net}.2']}}}}")

    def test_dns_server_that_is_ill(self):
        self.script("dns", rcode=2)
        self.fails("dns_check: {{name: app.khorium.ai}}\ntimeout: 2s", "SERVFAIL|server")

    def test_file(self):
        self.write('{"a": 1}', "f.json")
        self.one("file_check: {{path: '{dir}/f.json', json: true, expect: {{max_age: 1h, min_size: 8}}}}\nassert:\n  - self.json.a == 1")
        self.fails("file_check: {{path: '{dir}/f.json', expect: {{min_size: 1MB}}}}", "size|small|bytes|MB")
        self.one("file_check: {{path: '{dir}/none', expect: {{absent: true}}}}")

    # exec
    def test_exec_with_more_json_than_is_kept(self):
        self.fails("exec: {{json: true, shell: 'echo [; yes 1, | head -c 200000; echo 1]'}}\nundo: none", "longer than 128 KiB: it cannot be read as JSON")

    # sql
    db = "secrets: {password: {env: STAGING_DB_PASSWORD}}"

    def sql(self, kind, rest, expect=DONE, keys="", words=None):
        text = "%s: {{%s, password: '${{{{ secrets.password }}}}', %s}}\n%s" % (kind, STAGING_DB, rest, keys)
        if words:
            return self.fails(text, words, top=self.db)
        return self.one(text, top=self.db, expect=expect)

    def test_sql_check(self):
        self.sql("sql_check", "query: 'select 1 n, true b, null z, 1.5 d'", keys="assert:\n  - self.rows[0].n == 1 && self.rows[0].b && self.rows[0].z == null")
        self.sql("sql_check", "query: select nonsense", words="42703|nonsense")
        self.sql("sql_check", "query: delete from users", words="read-only|25006")
        self.sql("sql_check", "query: 'select generate_series(1, 5)', max_rows: 4", words="4|rows")

    def test_sql_check_with_a_wrong_password(self):
        self.one("sql_check: {{%s, password: '${{{{ secrets.password }}}}', query: select 1}}\nretry: {{attempts: 1}}" % STAGING_DB,
                 top="secrets: {password: {env: PROD_DB_PASSWORD}}", expect=FAILED)

    def test_sql_happens_once(self):
        staging = self.lab.databases[1]
        staging.sql("drop table if exists t; create table t (n int)")
        self.addCleanup(staging.sql, "drop table t")
        self.sql("sql", "query: insert into t values (1)", keys="undo: none")
        self.assertEqual(staging.sql("select count(*) from t"), "1")
        self.assertEqual(staging.sql("select count(*) from rbx_dedup"), "1")
        self.sql("sql", "query: 'insert into t values (2); select nonsense'", expect=FAILED, keys="undo: none")
        self.assertEqual(staging.sql("select count(*) from t"), "1")

    # pg_dump, pg_restore
    prod = "host: {net}.2, port: 15432, db: meshgen_db, user: postgres, password: '${{{{ secrets.prod }}}}'"
    both = "secrets: {prod: {env: PROD_DB_PASSWORD}, staging: {env: STAGING_DB_PASSWORD}}"

    def test_dump_and_restore_by_file(self):
        self.one("pg_dump: {{%s, to: '{dir}/d.dump', tables: [users]}}" % self.prod, top=self.both)
        out = self.steps()["s"]["outputs"]
        self.assertEqual(out["bytes"], os.path.getsize(os.path.join(self.dir, "d.dump")))
        self.one("pg_restore: {{from: '{dir}/d.dump', host: {net}.3, port: 15432, db: meshgen_db_t, user: postgres, "
                 "password: '${{{{ secrets.staging }}}}', create: true}}\nundo: none", top=self.both)
        self.assertEqual(self.lab.databases[1].sql("select count(*) from users", "meshgen_db_t"), "20000")

    def test_dump_streams_and_leaves_nothing_when_it_fails(self):
        self.one("pg_dump: {{%s, to: 's3://muaz-webdev-backups/t/d.dump'}}" % self.prod, top=self.both)
        self.assertEqual(self.effects("s3", "PutObject") + self.effects("s3", "CompleteMultipartUpload") != [], True)
        self.one("pg_dump: {{%s, to: 's3://muaz-webdev-backups/t/bad.dump', tables: [no_such_table]}}\nretry: {{attempts: 1}}" % self.prod,
                 top=self.both, expect=FAILED)
        self.assertEqual(self.lab.s3("HEAD", "/muaz-webdev-backups/t/bad.dump")[0], 404)
        uploads = self.lab.s3("GET", "/muaz-webdev-backups", query="uploads=")[1]
        self.assertNotIn(b"<Upload>", uploads)

    def test_restore_into_a_foreign_database_is_refused(self):
        self.one("pg_dump: {{%s, to: '{dir}/d.dump', tables: [users]}}" % self.prod, top=self.both)
        self.lab.databases[1].sql("create database meshgen_db_foreign", "postgres")
        self.fails("pg_restore: {{from: '{dir}/d.dump', host: {net}.3, port: 15432, db: meshgen_db_foreign, user: postgres, "
                   "password: '${{{{ secrets.staging }}}}', create: true}}", "meshgen_db_foreign", top=self.both)

    # s3
    def test_s3(self):
        self.one("s3_put: {{to: 's3://muaz-webdev-backups/t/a b+c.json', json: {{n: 1}}}}")
        self.one("s3_check: {{url: 's3://muaz-webdev-backups/t/a b+c.json', json: true}}\nassert:\n  - self.json.n == 1")
        self.one("s3_check: {{url: 's3://muaz-webdev-backups/t/', expect: {{min_count: 1}}}}")
        self.one("s3_check: {{url: 's3://muaz-webdev-backups/none', expect: {{absent: true}}}}")
        self.fails("s3_check: {{url: 's3://muaz-webdev-backups/none'}}", "none|404|NoSuchKey")
        self.one("s3_get: {{from: 's3://muaz-webdev-backups/t/a b+c.json', to: '{dir}/got.json'}}")
        with open(os.path.join(self.dir, "got.json")) as f:
            self.assertEqual(json.load(f), {"n": 1})

    def test_s3_put_if_absent(self):
        put = "s3_put: {{to: 's3://muaz-webdev-backups/t/once', body: %s, if_absent: true}}\nretry: {{attempts: 1}}"
        self.one(put % "first")
        self.one(put % "first")
        self.one(put % "second", expect=FAILED)
        self.assertEqual(self.lab.s3("GET", "/muaz-webdev-backups/t/once")[1], b"first")

    def test_s3_bad_days(self):
        for words in ({"throttle": 1, "times": 1}, {"before": 503, "times": 1}, {"after": 500, "times": 1}, {"cut": 20, "times": 1}, {"drop": 1, "times": 1}):
            with self.subTest(**words):
                self.script("s3", op="PutObject", **words)
                self.one("s3_put: {{to: 's3://muaz-webdev-backups/t/x', body: hello}}\nretry: {{delay: 20ms}}")

    def test_wrong_key_is_refused(self):
        self.one("s3_put: {{to: 's3://muaz-webdev-backups/t/x', body: hello}}\nretry: {{attempts: 1}}", expect=None,
                 AWS_SECRET_ACCESS_KEY="not-the-key-of-the-lab")
        self.assertEqual(self.effects(), [])

    # route53_upsert
    upsert = ("route53_upsert:\n  zone: Z0KHORIUM\n  records:\n    - {{name: new.khorium.ai, type: A, ttl: 60, values: ['192.0.2.7']}}\nundo: auto\n"
              "retry: {{delay: 20ms}}")

    def test_route53(self):
        self.script("route53", op="ChangeResourceRecordSets", pending=2, times=1)
        self.one(self.upsert)
        self.assertEqual(self.alias("new.khorium.ai."), ["192.0.2.7"])
        self.one(self.upsert)
        self.assertEqual(self.steps()["s"]["how"], "unchanged")
        self.assertEqual(len(self.effects("route53")), 1)

    def test_route53_bad_days(self):
        for words in ({"throttle": 1}, {"before": 500}, {"after": 500}, {"cut": 0}, {"cut": 250}, {"drop": 1}, {"code": "PriorRequestNotComplete"}):
            with self.subTest(**words):
                self.lab.reset()
                self.script("route53", op="ChangeResourceRecordSets", times=1, **words)
                self.one(self.upsert)
                self.assertEqual(self.alias("new.khorium.ai."), ["192.0.2.7"])
                self.assertEqual(len({l["digest"] for l in self.effects("route53")}), 1)

    def test_route53_refusals(self):
        self.fails(self.upsert.replace("Z0KHORIUM", "ZNOPE").replace("\nretry: {{delay: 20ms}}", ""), "NoSuchHostedZone|ZNOPE")
        self.fails(self.upsert.replace("new.khorium.ai", "db.khorium.ai").replace("\nretry: {{delay: 20ms}}", ""), "CNAME")
        self.assertEqual(self.effects("route53"), [])

    # notify
    def test_notify(self):
        self.one("notify: {{to: slack, webhook: '${{{{ secrets.hook }}}}', text: 'a \"b\" <c>'}}", top="secrets: {hook: {env: SLACK_WEBHOOK_URL}}")
        self.assertEqual(self.texts(), ['a "b" <c>'])
        self.one("notify: {{to: pagerduty, routing_key: '${{{{ secrets.key }}}}', text: it burns}}", expect=None, top="secrets: {key: {env: PAGERDUTY_KEY}}")
        self.assertIn("hello", self.one("notify: {{to: stdout, text: hello}}").stdout)

    def test_notify_that_fails_does_not_fail_the_run(self):
        self.script("webhook", op="slack", before=500)
        self.one("notify: {{to: slack, webhook: '${{{{ secrets.hook }}}}', text: x}}\nretry: {{attempts: 2, delay: 10ms}}",
                 top="secrets: {hook: {env: SLACK_WEBHOOK_URL}}")
        self.assertEqual(self.states()["s"], "failed")

    def test_notify_too_fast_waits_as_told(self):
        self.script("webhook", op="slack", throttle=1, times=1)
        self.one("notify: {{to: slack, webhook: '${{{{ secrets.hook }}}}', text: x}}", top="secrets: {hook: {env: SLACK_WEBHOOK_URL}}")
        self.assertEqual(self.texts(), ["x"])

    def test_mail(self):
        mail = ("notify:\n  to: email\n  smtp: '{net}.1:2525'\n  user: rbx\n  password: '${{{{ secrets.mail }}}}'\n  sender: rbx@lab.example\n"
                "  recipients: [a@lab.example]\n  subject: 'Grüße'\n  text: |\n    line one\n    .\n    line three")
        self.one(mail, top="secrets: {mail: {env: SMTP_PASSWORD}}")
        line, = self.effects("smtp")
        self.assertTrue(line["key"])
        with open(os.path.join(self.lab.folder, "mail", line["request"] + ".eml"), "rb") as f:
            message = email.message_from_binary_file(f)
        self.assertEqual(message.get_payload(decode=True).decode().splitlines(), ["line one", ".", "line three"])

    sns = "notify: {{to: sns, topic: 'arn:aws:sns:us-west-1:571832839665:alerts', subject: \"%s\", text: '%s'}}"

    def test_sns(self):
        self.one(self.sns % ("Failover", "it burns"))
        message, = self.effects("sns", "Publish")
        self.assertEqual((message["subject"], message["message"]), ("Failover", "it burns"))
        outputs = self.steps()["s"]["outputs"]
        self.assertEqual(outputs["status"], 200)
        self.assertRegex(outputs["id"], "^[0-9a-f-]{36}$")

    def test_sns_subject_is_made_to_fit(self):
        self.one(self.sns % ("two\\nlines " + "ü" * 120, "x"))
        message, = self.effects("sns", "Publish")
        self.assertEqual(message["subject"], "two lines " + "ü" * 89)

    def test_sns_refusals(self):
        self.fails(self.sns.replace("alerts", "nowhere") % ("", "x"), "SNS|sns:Publish.*NotFound", expect=DONE)
        self.assertEqual(self.states()["s"], "failed")
        self.fails(self.sns.replace("us-west-1", "us-west-2") % ("", "x"), "the topic is in us-west-2", expect=WRONG)
        self.assertEqual(self.effects("sns"), [])

    def test_sns_that_answers_late(self):
        self.script("sns", before=503, times=1)
        self.script("sns", throttle=1, times=1)
        self.one(self.sns % ("", "x") + "\nretry: {{delay: 20ms}}")
        self.assertEqual(len(self.effects("sns", "Publish")), 1)

    def test_sns_keeps_its_keys(self):
        """The secret key stands neither in the store nor in what is printed; the control: the text of the message does."""
        done = self.one(self.sns % ("", "canary-of-the-text"))
        kept = done.stdout.encode() + done.stderr.encode()
        for folder, _, names in os.walk(self.store):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    kept += f.read()
        self.assertIn(b"canary-of-the-text", kept)
        self.assertNotIn(os.environ["AWS_SECRET_ACCESS_KEY"].encode(), kept)
        self.assertNotIn(b"AWS4-HMAC-SHA256", kept)

    def test_sns_in_a_dry_run(self):
        self.one(self.sns % ("", "x"), "--dry-run")
        self.assertEqual(self.effects("sns"), [])

    # manual, wait
    def test_manual_asks(self):
        text = """
            steps:
              - id: s
                manual: {text: how many?, ask: {n: {type: int, min: 0}}}
              - id: after
                assert:
                  - steps.s.outputs.n == 3
        """
        self.play(text, expect=PERSON)
        for answer, why in ((["-1"], "at least 0"), (["many"], "int"), ([], "nobody answered 'n'"), (["3", "m=4"], "asks for n")):
            args = [x for a in answer for x in ("--answer", a if "=" in a else "n=" + a)]
            with self.subTest(answer=answer):
                self.assertIn(why, self.rbx("approve", "last", "s", *args, expect=WRONG).stderr)
        self.rbx("resume", "last", expect=PERSON)
        self.rbx("approve", "last", "s", "--answer", "n=3")
        self.rbx("resume", "last")
        self.play(text, expect=PERSON)
        self.rbx("approve", "last", "s", "--no")
        self.rbx("resume", "last", expect=FAILED)

    def test_a_confirm_takes_no_answers(self):
        self.play("steps:\n  - {id: a, confirm: sure?, exec: {argv: ['true']}, undo: none}", expect=PERSON)
        self.assertIn("takes no --answer", self.rbx("approve", "last", "a", "--answer", "n=1", expect=WRONG).stderr)


class Locks(world.Scenario):
    """Advisory locks in a database, held by one session as long as the run."""
    in_lab = True

    def book(self, seconds, password="STAGING_DB_PASSWORD"):
        return self.write("""
            rbx: 1
            name: locked
            inputs: {base: {type: string, default: meshgen}}
            secrets: {pw: {env: %s}}
            locks:
              - name: db/${{ inputs.base }}
                postgres: {%s, password: '${{ secrets.pw }}'}
            steps:
              - {id: hold, exec: {argv: [sleep, '%s']}, effect: idempotent, undo: none}
              - {id: after, exec: {argv: ['true']}, effect: idempotent, undo: none}
            on_failure:
              - {id: tell, notify: {to: stdout, text: 'it ${{ failure.kind }}: ${{ failure.message }}'}}
            finally:
              - {id: clean, exec: {argv: ['true']}, effect: idempotent, undo: none}
        """ % (password, STAGING_DB.format(net=self.net), seconds), "locked-%s.yaml" % seconds)

    def sessions(self):
        return self.lab.databases[1].sql("select pid from pg_stat_activity where application_name like 'rbx %'").split()

    def other(self, *words, **how):
        """Another host: it shares the database, not the store."""
        return self.rbx("run", *words, "--store", os.path.join(self.dir, "other"), **how)

    def test_a_lock_keeps_others_out_and_goes_with_the_run(self):
        child = self.start("run", self.book('30.0731'))
        self.wait(lambda: os.path.exists(self.store) and self.runs() and "hold" in self.steps(), "the run to begin")
        held = self.other(self.book(0), expect=75).stderr
        self.assertRegex(held, "the lock db/meshgen in meshgen_db at .* is held by rbx %s locked .*, since 20" % self.last())
        self.assertEqual(self.rbx("list", "--store", os.path.join(self.dir, "other")).stdout.count("locked"), 0)
        self.other(self.book(0), "-i", "base=another")
        self.other(self.book(0), "--dry-run")
        self.rbx("cancel", self.last(), "--now")
        child.wait(60)
        self.wait(lambda: not self.sessions(), "the session to end")
        self.other(self.book(0))

    def test_a_run_waits_for_a_lock(self):
        child = self.start("run", self.book(2))
        self.wait(lambda: self.sessions(), "the lock")
        self.other(self.book(0), "--wait")
        self.assertEqual(child.wait(60), DONE)

    def test_the_loss_of_a_lock_stops_the_run(self):
        """What runs is brought to its end, nothing new begins, people are told; resume takes the lock again."""
        child = self.start("run", self.book('3.0731'))
        self.wait(lambda: os.path.exists(self.store) and self.runs() and self.steps().get("hold", {}).get("started"), "the step")
        self.lab.databases[1].sql("select pg_terminate_backend(%s)" % self.sessions()[0])
        out = child.communicate(timeout=60)[0]
        self.assertEqual(child.returncode, FAILED, out)
        self.assertRegex(out, "the lock db/meshgen in meshgen_db at .* was lost: .*nothing new is started")
        self.assertRegex(out, "it failed: the lock db/meshgen in meshgen_db at .* was lost")
        self.assertEqual(self.show()["state"], "failed")
        self.assertEqual(self.states(), {"hold": "ok", "on_failure/tell": "ok"})
        self.rbx("resume", self.last())
        self.assertEqual(self.states()["after"], "ok")

    def test_a_lock_that_cannot_be_taken_starts_nothing(self):
        done = self.rbx("run", self.book(0, "PROD_DB_PASSWORD"), expect=WRONG)
        self.assertRegex(done.stderr, "the lock db/meshgen: connect to .*password")
        self.assertEqual(self.runs(), [])


if __name__ == "__main__":
    unittest.main()
