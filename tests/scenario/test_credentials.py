"""Whose keys a run has, where they come from, how long they hold, and the secrets that AWS keeps."""
import os
import subprocess
import unittest

import world
from world import DONE, FAILED, REFUSED

ROOT = world.ROOT

class Credentials(world.Scenario):
    in_lab = True

    def aws(self, text):
        """Some lines of boto3 against the lab, as an administrator."""
        path = os.path.join(self.dir, "admin.py")
        with open(path, "w", encoding="utf-8") as f:
            f.write("import boto3\n" + text)
        subprocess.run([os.path.join(ROOT, "tests/lab/lab"), "--dir", os.environ["RBX_LAB"], "python", path], check=True,
                       env=dict(os.environ, AWS_DEFAULT_REGION="us-west-1"), capture_output=True)

    def told(self, done, words):
        self.assertRegex(" ".join((done.stdout + done.stderr).split()), words)

    def check(self, top="", expect=DONE, aws="", **env):
        """Runs one read of S3 by the keys that the environment leads to."""
        return self.play("""
            %s
            defaults: {aws: {region: us-west-1%s}}
            steps:
              - id: s
                s3_check: {url: 's3://muaz-webdev-backups/nothing', expect: {absent: true}}
                retry: {attempts: 1}
            """ % (top, aws), expect=expect, **env)

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
        self.told(self.check("limits: {accounts: ['571832839665']}", expect=FAILED, **away), "could not be asked")
        self.told(self.check("limits: {accounts: ['111111111111']}", expect=FAILED), "571832839665, which is not in limits.accounts")

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
                 "boto3.client('ssm').put_parameter(Name='/prod/token', Value='from-the-store', Type='SecureString')\n")
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
