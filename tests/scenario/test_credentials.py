"""Whose keys a run has, where they come from, how long they hold, and the secrets that AWS keeps."""
import hashlib
import http.server
import json
import os
import pty
import select
import signal
import subprocess
import threading
import time
import unittest

import world
from world import CANCELLED, DONE, FAILED, REFUSED

ROOT = world.ROOT
ROLE = "arn:aws:iam::571832839665:role/"

class Credentials(world.Scenario):
    in_lab = True
    has_parameter = False

    def aws(self, text):
        """Some lines of boto3 against the lab, as an administrator."""
        path = os.path.join(self.dir, "admin.py")
        with open(path, "w", encoding="utf-8") as f:
            f.write("import boto3\n" + text)
        return subprocess.run([os.path.join(ROOT, "tests/lab/lab"), "--dir", os.environ["RBX_LAB"], "python", path], check=True,
                              env=dict(os.environ, AWS_DEFAULT_REGION="us-west-1"), capture_output=True, text=True).stdout

    def told(self, done, words):
        self.assertRegex(" ".join((done.stdout + done.stderr).split()), words)

    def check(self, top="", expect=DONE, aws="", **env):
        """Runs one read of the Parameter Store by the keys that the environment leads to."""
        if not self.has_parameter:
            self.play("""
                steps:
                  - id: put
                    aws: {call: ssm.PutParameter, region: us-west-1, with: {Name: /x, Value: a-parameter, Type: SecureString}}
                    undo: none
                """)
            self.has_parameter = True
        return self.play("""
            %s
            defaults: {aws: {region: us-west-1%s}}
            secrets: {x: {aws_parameter: /x}}
            steps:
              - id: s
                exec: {argv: [sh, -c, 'test -n "$X"'], env: {X: '${{ secrets.x }}'}}
                effect: pure
            """ % (top, aws), expect=expect, **env)

    def home(self, config, credentials=None):
        """A home folder whose ~/.aws says so; the environment for it, without keys of its own."""
        home = os.path.join(self.dir, "home")
        os.makedirs(os.path.join(home, ".aws"), exist_ok=True)
        if credentials is None:
            credentials = "[base]\naws_access_key_id = %(AWS_ACCESS_KEY_ID)s\naws_secret_access_key = %(AWS_SECRET_ACCESS_KEY)s\n" % os.environ
        for name, text in (("config", config), ("credentials", credentials)):
            with open(os.path.join(home, ".aws", name), "w", encoding="utf-8") as f:
                f.write(text)
        return {"HOME": home, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}

    def who(self):
        return self.show()["notes"][0]["text"]

    # The chain
    def test_roles_one_upon_the_other(self):
        env = self.home("[profile base]\nregion = us-west-1\n"
                        "[profile middle]\nrole_arn = %smiddle\nsource_profile = base\nexternal_id = lab\n"
                        "[profile dr]\nrole_arn = %sdr\nsource_profile = middle\nrole_session_name = night\nduration_seconds = 900\n" % (ROLE, ROLE))
        self.check(aws=", profile: dr", **env)
        self.assertIn("arn:aws:sts::571832839665:assumed-role/dr/night (keys from role %sdr)" % ROLE, self.who())
        self.check(aws=", profile: dr, role: '%sthird'" % ROLE, **env)
        self.assertRegex(self.who(), "assumed-role/third/rbx-r[a-z2-7]+ ")
        self.check(**dict(env, AWS_PROFILE="middle"))
        self.assertIn("assumed-role/middle/", self.who())
        self.told(self.check(aws=", role: '%sforbidden'" % ROLE, expect=REFUSED, AWS_PROFILE="base", **env),
                  "role %sforbidden cannot be assumed: AWS refuses sts:AssumeRole .* AccessDenied" % ROLE)
        self.told(self.check(aws=", profile: nobody", expect=REFUSED, **env),
                  "no AWS credentials; tried environment: the step names a profile; profile nobody: in neither .*/credentials nor .*/config")

    def test_mfa_without_a_terminal(self):
        env = self.home("[profile dr]\nrole_arn = %smfa-dr\nsource_profile = base\nmfa_serial = arn:aws:iam::571832839665:mfa/op\n" % ROLE)
        self.told(self.check(aws=", profile: dr", expect=REFUSED, **env), r"MFA device arn:aws:iam::571832839665:mfa/op .profile dr..*RBX_MFA_CODE")
        self.check(aws=", profile: dr", RBX_MFA_CODE="123456", **env)
        self.assertIn("assumed-role/mfa-dr/", self.who())
        self.told(self.check(aws=", profile: dr", expect=REFUSED, RBX_MFA_CODE="000000", **env), "invalid MFA one time pass code")

    def test_mfa_at_a_terminal(self):
        env = self.home("[profile dr]\nrole_arn = %smfa-dr\nsource_profile = base\nmfa_serial = arn:aws:iam::571832839665:mfa/op\n" % ROLE)
        self.check()
        book = self.write("""
            rbx: 1
            name: test
            defaults: {aws: {region: us-west-1, profile: dr}}
            secrets: {x: {aws_parameter: /x}}
            steps:
              - id: s
                exec: {argv: [sh, -c, 'test -n "$X"'], env: {X: '${{ secrets.x }}'}}
                effect: pure
            """, "mfa.yaml")
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(ROOT)
            os.execve(world.RBX, [world.RBX, "run", book], self.env(TERM="xterm", COLUMNS="100", **env))
        self.addCleanup(self.end, pid, fd)
        seen = self.until(fd, b"MFA code of arn:aws:iam::571832839665:mfa/op")
        os.write(fd, b"999999\n")
        seen += self.until(fd, b"not accepted")
        os.write(fd, b"123456\n")
        seen += self.until(fd, None)
        self.assertRegex(seen, b"done  run")
        self.assertNotIn(b"123456", seen)
        self.assertIn("assumed-role/mfa-dr/", self.who())

        # Ctrl-C at the question: nothing has begun.
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(ROOT)
            os.execve(world.RBX, [world.RBX, "run", book], self.env(TERM="xterm", COLUMNS="100", **env))
        self.until(fd, b"MFA code of")
        os.write(fd, b"\x03")
        self.until(fd, None)
        ended = []
        self.wait(lambda: ended.extend(filter(None, os.waitpid(pid, os.WNOHANG))) or ended, "Ctrl-C", seconds=20)
        os.close(fd)
        self.assertEqual(os.waitstatus_to_exitcode(ended[1]), CANCELLED)

    def end(self, pid, fd):
        os.close(fd)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def until(self, fd, words, seconds=15):
        """What the terminal shows, until these words; None: to the end."""
        seen, end = b"", time.monotonic() + seconds
        while (words is None or words not in seen) and time.monotonic() < end:
            try:
                if select.select([fd], [], [], 0.1)[0]:
                    seen += os.read(fd, 4096)
            except OSError:
                return seen
        if words is not None:
            self.assertIn(words, seen)
        return seen

    def test_web_identity(self):
        token = os.path.join(self.dir, "token")
        env = dict(self.home("", ""), AWS_WEB_IDENTITY_TOKEN_FILE=token, AWS_ROLE_ARN=ROLE + "pod")
        for text, expect, words in (("a.e30.c", DONE, "done"), ("no-jwt", REFUSED, "InvalidIdentityToken"), ("expired.e30.c", REFUSED, "ExpiredTokenException")):
            with self.subTest(token=text):
                with open(token, "w", encoding="utf-8") as f:
                    f.write(text + "\n")
                self.told(self.check(expect=expect, **env), words)
                if expect == DONE:
                    self.assertIn("assumed-role/pod/", self.who())
        os.unlink(token)
        self.told(self.check(expect=REFUSED, **env), "web identity: its token file cannot be read")

    def test_a_program_that_gives_keys(self):
        program = os.path.join(self.dir, "give keys")
        with open(program, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\ntest \"$1\" = 'for me' || exit 7\ncat <<.\n%s\n.\n" % json.dumps(
                {"Version": 1, "AccessKeyId": os.environ["AWS_ACCESS_KEY_ID"], "SecretAccessKey": os.environ["AWS_SECRET_ACCESS_KEY"]}))
        os.chmod(program, 0o700)
        self.check(**self.home("[default]\ncredential_process = \"%s\" 'for me'\n" % program, ""))
        self.assertIn("keys from credential_process of profile default", self.who())
        self.told(self.check(expect=REFUSED, **self.home("[default]\ncredential_process = \"%s\"\n" % program, "")),
                  "credential_process: it ended with exit code 7")

    def login(self, env, name, **token):
        folder = os.path.join(env["HOME"], ".aws/sso/cache")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, hashlib.sha1(name.encode()).hexdigest() + ".json"), "w", encoding="utf-8") as f:
            json.dump(token, f)

    def test_sso(self):
        env = self.home("[default]\nsso_session = work\nsso_account_id = 571832839665\nsso_role_name = dr\n"
                        "[sso-session work]\nsso_region = us-west-1\nsso_start_url = https://lab.awsapps.com/start\n", "")
        self.told(self.check(expect=REFUSED, **env), "SSO: nobody has logged in.*aws sso login --profile default")
        self.login(env, "work", accessToken="old", expiresAt="2020-01-01T00:00:00Z")
        self.told(self.check(expect=REFUSED, **env), "SSO: the login has expired.*aws sso login --profile default")
        self.login(env, "work", accessToken="of-somebody-else", expiresAt="2099-01-01T00:00:00Z")
        self.told(self.check(expect=REFUSED, **env), "SSO: .*aws sso login --profile default")
        self.login(env, "work", accessToken="lab-sso-token", expiresAt="2099-01-01T00:00:00Z")
        self.check(**env)
        self.assertRegex(self.who(), "assumed-role/AWSReservedSSO_dr_.* \\(keys from SSO")
        self.assertNotIn("lab-sso-token", self.rbx("show", "last", "--json").stdout)

    def serve(self, pages):
        """A small server on loopback: {path: text}; paths that were asked for, with method and what the header says."""
        seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append((self.command, self.path, self.headers.get("Authorization") or self.headers.get("X-aws-ec2-metadata-token")))
                text = pages.get(self.path, "").encode()
                self.send_response(200 if text else 404)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_PUT = do_GET

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return "http://127.0.0.1:%d" % server.server_port, seen

    def keys(self, **more):
        return json.dumps(dict({"AccessKeyId": os.environ["AWS_ACCESS_KEY_ID"], "SecretAccessKey": os.environ["AWS_SECRET_ACCESS_KEY"],
                                "Expiration": "2099-01-01T00:00:00Z"}, **more))

    def test_the_agent_of_a_container(self):
        token = os.path.join(self.dir, "token")
        with open(token, "w", encoding="utf-8") as f:
            f.write("of-the-pod\n")
        url, seen = self.serve({"/keys": self.keys()})
        env = dict(self.home("", ""), AWS_CONTAINER_CREDENTIALS_FULL_URI=url + "/keys", AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=token)
        self.check(**env)
        self.assertIn("(keys from container)", self.who())
        self.assertEqual(seen, [("GET", "/keys", "of-the-pod")])
        self.told(self.check(expect=REFUSED, **dict(env, AWS_CONTAINER_CREDENTIALS_FULL_URI=url + "/none")), "container: HTTP 404")
        self.told(self.check(expect=REFUSED, **dict(env, AWS_CONTAINER_CREDENTIALS_FULL_URI="http://192.0.2.1/keys")), "nor an address of this machine")

    def test_the_metadata_of_an_instance(self):
        role = "/latest/meta-data/iam/security-credentials/"
        url, seen = self.serve({"/latest/api/token": "a-token", role: "the-role\n", role + "the-role": self.keys()})
        env = dict(self.home("", ""), AWS_EC2_METADATA_SERVICE_ENDPOINT=url + "/", AWS_EC2_METADATA_DISABLED="false")
        self.check(**env)
        self.assertIn("(keys from instance metadata)", self.who())
        self.assertEqual([s[:2] for s in seen], [("PUT", "/latest/api/token"), ("GET", role), ("GET", role + "the-role")])
        self.assertEqual([s[2] for s in seen[1:]], ["a-token", "a-token"])

    # Time
    def script(self, service, **words):
        self.lab.ask("POST", "/script", dict(words, service=service))

    def test_a_clock_that_is_off(self):
        self.check()
        for off, words in ((1200, "(20m00s|19m59s) behind"), (-1200, "20m0[01]s ahead of")):
            with self.subTest(skew=off):
                self.script("ssm", skew=off)
                self.script("sts", skew=off)
                self.told(self.check(), "clock: the clock of this host is (%s) that of" % words)
                self.assertEqual({n["what"] for n in self.show()["notes"]}, {"identity", "clock"})
                self.lab.ask("DELETE", "/script")
        self.told(self.check(expect=REFUSED, AWS_SECRET_ACCESS_KEY="of-somebody-else"), "its secret is another one")

    def test_a_session_that_ends_in_the_middle(self):
        env = self.home("[profile dr]\nrole_arn = %sdr\nsource_profile = base\n" % ROLE)
        self.check(**env, AWS_PROFILE="dr")
        text = """
            rbx: 1
            name: test
            defaults: {aws: {region: us-west-1, profile: %s}}
            steps:
              - id: first
                aws: {call: ssm.GetParameter, with: {Name: /x}}
              - id: expire
                exec: {argv: [%s, expire, --dir, %s], pass_env: [XDG_CACHE_HOME]}
                effect: idempotent
              - id: second
                aws: {call: ssm.GetParameter, with: {Name: /x}}
                retry: {attempts: 1}
            """
        lab = os.path.join(ROOT, "tests/lab/lab"), os.environ["RBX_LAB"]
        self.rbx("run", self.write(text % ("dr", *lab)), **env)
        self.assertEqual([n["what"] for n in self.show()["notes"]], ["identity"])
        # The control: keys that nobody can fetch anew.
        session = json.loads(self.aws("import json\nprint(json.dumps(boto3.client('sts').get_session_token()['Credentials'], default=str))"))
        env = self.home("", "[fixed]\naws_access_key_id = %(AccessKeyId)s\naws_secret_access_key = %(SecretAccessKey)s\n"
                            "aws_session_token = %(SessionToken)s\n" % session)
        done = self.rbx("run", self.write(text % ("fixed", *lab)), expect=FAILED, **env)
        self.told(done, "ExpiredToken.* log in again")
        self.assertEqual(self.states(), {"first": "ok", "expire": "ok", "second": "failed"})

    # Whose
    def test_whose_they_are_is_on_record(self):
        self.told(self.check(), "identity: AWS account 571832839665, arn:aws:iam::571832839665:user/")
        notes = self.show()["notes"]
        self.assertEqual([n["what"] for n in notes], ["identity"])
        self.assertEqual(notes[0]["of"]["account"], "571832839665")
        self.assertRegex(self.rbx("show", "last").stdout, "identity: AWS account 571832839665")

    def test_sts_out_of_reach(self):
        away = {"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9"}
        self.check(**away)
        self.assertRegex(self.show()["notes"][0]["text"], "AWS key AKIALAB00000000LAB01, of whom is unknown: .*127.0.0.1")
        self.told(self.check("limits: {accounts: ['571832839665']}", expect=REFUSED, **away), "could not be asked")
        self.told(self.check("limits: {accounts: ['111111111111']}", expect=REFUSED), "571832839665, which is not in limits.accounts")

    def test_accounts_are_looked_at_before_anything_is_done(self):
        mark = os.path.join(self.dir, "mark")
        env = self.home("[default]\nrole_arn = %sdr\nsource_profile = base\n"
                        "[profile far]\nrole_arn = arn:aws:iam::222222222222:role/dr\nsource_profile = base\n" % ROLE)
        text = """
            rbx: 1
            name: test
            limits: {accounts: ['571832839665'%s]}
            defaults: {aws: {region: us-west-1}}
            steps:
              - id: first
                exec: {argv: [touch, %s]}
                effect: idempotent
              - id: second
                when: steps.first.status == 'failed'
                aws: {call: sqs.DeleteQueue, with: {QueueUrl: x}, profile: far}
                undo: none
            """
        done = self.rbx("run", self.write(text % ("", mark)), expect=REFUSED, **env)
        self.told(done, "playbook.yaml:10:.* step 'second': the credentials belong to account 222222222222, which is not in limits.accounts")
        self.assertFalse(os.path.exists(mark))
        self.rbx("run", self.write(text % (", '222222222222'", mark)), **env)
        self.assertTrue(os.path.exists(mark))

    # Secrets
    def secret(self, source, expect=DONE, top="defaults: {aws: {region: us-west-1}}", **how):
        """Runs a step that writes how the secret looks to a file; returns it."""
        path = os.path.join(self.dir, "seen")
        done = self.play("""
            %s
            secrets: {x: {%s}}
            steps:
              - id: s
                exec: {argv: [sh, -c, 'printf %%s "$X" > %s'], env: {X: '${{ secrets.x }}'}}
                effect: idempotent
            """ % (top, source, path), expect=expect, **how)
        if expect != DONE:
            return done
        with open(path, encoding="utf-8") as f:
            return f.read()

    def test_secrets_of_aws(self):
        self.aws("s = boto3.client('secretsmanager')\n"
                 "s.create_secret(Name='prod/db', SecretString='{\"password\": \"from-the-manager\", \"port\": 5432}')\n"
                 "s.create_secret(Name='prod/key', SecretBinary=b'bytes-of-a-key')\n"
                 "boto3.client('ssm').put_parameter(Name='/prod/token', Value='from-the-store', Type='SecureString')\n"
                 "s.get_secret_value(SecretId='prod/db')\n")
        self.assertEqual(self.secret("aws_secret: prod/db, field: password"), "from-the-manager")
        self.assertEqual(self.secret("aws_secret: prod/key"), "bytes-of-a-key")
        self.assertEqual(self.secret("aws_parameter: /prod/token"), "from-the-store")
        self.assertEqual(self.secret("aws_parameter: /prod/token, region: us-west-1, account: '571832839665'", top=""), "from-the-store")
        kept = b""
        for folder, _, names in os.walk(self.store):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    kept += f.read()
        self.assertNotIn(b"from-the-", kept)
        self.assertIn(b"secrets.x", kept)                # the control: what stands in its place is found

    def test_secrets_that_cannot_be_had(self):
        self.told(self.secret("aws_secret: nobody/home", expect=REFUSED),
                  r"secret 'x': nobody/home: AWS refuses secretsmanager:GetSecretValue .* ResourceNotFoundException")
        self.told(self.secret("aws_parameter: /nobody", expect=REFUSED, AWS_SECRET_ACCESS_KEY="of-somebody-else"),
                  "AWS refuses ssm:GetParameter .* key AKIALAB00000000LAB01 .from environment. does not exist, or its secret is another one")
        self.told(self.secret("aws_secret: x, account: '111111111111'", expect=REFUSED), "belong to account 571832839665")
        self.assertEqual(self.effects(), [])


if __name__ == "__main__":
    unittest.main()
