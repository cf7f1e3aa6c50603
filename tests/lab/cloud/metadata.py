"""Where an instance or a container gets its keys: IMDSv2, and the credentials endpoint of ECS and EKS."""
import json
import secrets

import web
from cloud import world

ROLE, CONTAINER_TOKEN = "lab-instance-role", "lab-container-token"


class Handler(web.Handler):
    """IMDSv1, without a token, is refused. /v2/credentials/ID wants CONTAINER_TOKEN as its Authorization where ID is `token`."""
    service = "imds"
    tokens = {}

    def op_of(self):
        path = self.path.partition("?")[0]
        self.service = "container" if path.startswith("/v2/credentials/") else "imds"
        return "token" if path == "/latest/api/token" else "keys" if "credentials" in path else "data"

    def refuse(self, status, code, message):
        return web.Reply(status, json.dumps({"code": code, "message": message}))

    def keys(self, kind, **names):
        here = self.server.cloud()
        arn = "arn:aws:sts::%s:assumed-role/%s/i-1ab" % (world.ACCOUNT, kind)
        got = here.keys.issue(21600, arn, "AROALAB:" + kind)
        return web.Reply(200, json.dumps(dict(names, AccessKeyId=got["AccessKeyId"], SecretAccessKey=got["SecretAccessKey"], Token=got["SessionToken"],
                                              Expiration=got["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"))))

    def act(self, op, fault):
        path = self.path.partition("?")[0]
        if self.service == "container":
            if path.endswith("/token") and self.headers.get("Authorization") != CONTAINER_TOKEN:
                return self.refuse(401, "AccessDeniedException", "the token is not the pod's")
            return self.keys("lab-task-role", RoleArn="arn:aws:iam::%s:role/lab-task-role" % world.ACCOUNT)
        if op == "token":
            seconds = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
            if self.command != "PUT" or not seconds.isdigit() or not 1 <= int(seconds) <= 21600 or "X-Forwarded-For" in self.headers:
                return web.Reply(403 if self.command == "PUT" else 405, "", kind="text/plain")
            token = secrets.token_urlsafe(32)
            self.tokens[token] = self.server.cloud().keys.time() + int(seconds)
            return web.Reply(200, token, [("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", seconds)], "text/plain")
        if self.tokens.get(self.headers.get("X-aws-ec2-metadata-token"), 0) <= self.server.cloud().keys.time():
            return web.Reply(401, "", kind="text/plain")
        if path.rstrip("/") == "/latest/meta-data/iam/security-credentials":
            return web.Reply(200, ROLE, kind="text/plain")
        if path == "/latest/meta-data/iam/security-credentials/" + ROLE:
            return self.keys(ROLE, Code="Success", Type="AWS-HMAC", LastUpdated="2026-01-01T00:00:00Z")
        if path == "/latest/meta-data/placement/region":
            return web.Reply(200, "us-west-1", kind="text/plain")
        if path == "/latest/dynamic/instance-identity/document":
            return web.Reply(200, json.dumps({"region": "us-west-1", "accountId": world.ACCOUNT, "instanceId": "i-1ab"}), kind="text/plain")
        return web.Reply(404, "", kind="text/plain")
