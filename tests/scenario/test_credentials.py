"""Whose keys a run has, where they come from, how long they hold, and the secrets that AWS keeps."""
import os
import subprocess
import unittest

import world
from world import DONE, REFUSED

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
