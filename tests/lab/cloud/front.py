"""One address for all of AWS: tells the service, verifies the signature, lets the service act, and writes the ledger."""
import http.client
import json
import re
import traceback

import sigv4
import web
from cloud import strict, wire, world
from cloud.services import SERVICES

# Services that stand at ports of their own; the request goes there as it came.
DOORS = {"s3": 9000, "route53": 8053}
UNSIGNED = {("sts", "AssumeRoleWithWebIdentity"), ("sts", "AssumeRoleWithSAML"), ("sso", "GetRoleCredentials"),
            ("sso-oidc", "CreateToken")}
# What the common errors are called where the protocol is JSON.
JSON_CODES = {"InvalidClientTokenId": "UnrecognizedClientException", "SignatureDoesNotMatch": "InvalidSignatureException",
              "MissingAuthenticationToken": "MissingAuthenticationTokenException", "ExpiredToken": "ExpiredTokenException",
              "IncompleteSignature": "IncompleteSignatureException", "InternalFailure": "InternalServerError"}
EC2_CODES = {"InvalidClientTokenId": "AuthFailure", "SignatureDoesNotMatch": "AuthFailure", "ExpiredToken": "RequestExpired"}
THROTTLES = {"ec2": ("RequestLimitExceeded", 503), "lambda": ("TooManyRequestsException", 429), "route53": ("Throttling", 400),
             "sqs": ("RequestThrottled", 403), "cloudwatch": ("Throttling", 400), "backup": ("ThrottlingException", 429),
             "route53-recovery-cluster": ("ThrottlingException", 429), "arc-region-switch": ("ThrottlingException", 429)}
TOKENS = {"ExpiredToken": "The security token included in the request is expired",
          "InvalidClientTokenId": "The security token included in the request is invalid."}
MISMATCH = {"backup": "InvalidParameterValueException", "arc-region-switch": "ConflictException"}
HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length", "expect"}


class Handler(web.Handler):
    service = "aws"

    def op_of(self):
        self.scope, self.request, self.region, self.access = None, None, "us-east-1", None
        query = self.path.partition("?")[2]
        found = re.search(r"Credential=([^/,&]+)/\d+/([\w-]+)/([\w-]+)/", self.headers.get("Authorization") or "")
        if not found:
            found = re.search(r"X-Amz-Credential=([^/,&%]+)(?:/|%2F)\d+(?:/|%2F)([\w-]+)(?:/|%2F)([\w-]+)(?:/|%2F)", query)
        if found:
            self.access, self.region, self.scope = found.groups()
            candidates = wire.SCOPES.get(self.scope, [self.scope])
            if self.scope in DOORS:
                self.door, self.service = DOORS[self.scope], "door"
                return self.command
        elif b"Action=AssumeRoleWith" in self.body or "Action=AssumeRoleWith" in query:
            candidates = ["sts"]
        elif self.path.startswith("/federation/credentials"):
            candidates = ["sso"]
        else:
            return "Unknown"
        for self.service in candidates:
            try:
                self.request = wire.Request(self.service, self.command, self.path, self.headers.items(), self.body)
            except Exception:                       # noqa: BLE001 -- no such service, no protocol that is known
                continue
            if self.request.sure:
                break
        return self.request.name if self.request and self.request.name else "Unknown"

    def refuse(self, status, code, message):
        if self.request is None or self.request.protocol is None:
            return web.Reply(status, json.dumps({"__type": code, "message": message}), self.ids(), "application/x-amz-json-1.1")
        if self.request.protocol in ("json", "rest-json"):
            code = JSON_CODES.get(code, code)
        if self.request.protocol == "ec2":
            code = EC2_CODES.get(code, code)
        return self.tell(wire.Error(code, message, status))

    def ids(self):
        return [("x-amzn-RequestId", self.request_id)]

    def tell(self, result):
        status, headers, body = self.request.write(result, self.request_id)
        kind = headers.pop("Content-Type", None)
        if isinstance(result, wire.Error) and self.request.protocol in ("json", "rest-json"):
            body = body.replace(b'"Message"', b'"message"') if b'"message"' not in body else body
        return web.Reply(status, body, self.ids() + list(headers.items()), kind or "application/octet-stream")

    def throttled(self, seconds):
        json_like = self.request and self.request.protocol in ("json", "rest-json")
        code, status = THROTTLES.get(self.service, ("ThrottlingException" if json_like else "Throttling", 400))
        reply = self.refuse(status, code, "Rate exceeded")
        if status == 429:
            reply.headers.append(("Retry-After", str(seconds)))
        return reply

    def admit(self, now):
        if self.service == "door" or self.access is None and (self.service, self.request and self.request.name) in UNSIGNED:
            return None
        keys = self.server.cloud().keys
        verifier = sigv4.Verifier(keys, self.scope or "", None, s3=self.scope == "s3")
        try:
            access = verifier.verify(self.command, self.path, self.headers.items(), self.body, now)
            token = self.headers.get("X-Amz-Security-Token") or self.token_of_query()
            problem = keys.problem(access, token)
            if problem:
                raise sigv4.Refused(problem, TOKENS[problem])
        except sigv4.Refused as e:
            return self.refuse(400 if e.code == "IncompleteSignature" else 403, e.code, e.message)
        return None

    def token_of_query(self):
        values = self.request.values if self.request is not None else {}
        return values.get("X-Amz-Security-Token")

    def act(self, op, fault):
        if self.service == "door":
            return self.forward(op, (self.server.server_address[0], self.door))
        if self.request is None:
            return self.refuse(404, "UnknownOperationException", "no service for %s %s" % (self.command, self.path))
        kind = SERVICES.get(self.service)
        if self.request.name is None and kind is not None:
            return self.refuse(400 if self.request.protocol != "rest-json" else 404, self.unknown(),
                               "Could not find operation for %s %s" % (self.command, self.path))
        try:
            params = strict.read(self.request) if self.request.name else {}
            if kind is None or not hasattr(kind, op):
                return self.forward(op)
            return self.tell(self.carry_out(kind, op, params, fault))
        except wire.Error as e:
            return self.tell(e)
        except Exception as e:                  # noqa: BLE001 -- the lab's own defect, told to who looks for it
            traceback.print_exc()
            return self.refuse(500, "InternalFailure", "the lab: %r" % e)

    def unknown(self):
        return "UnknownOperationException" if self.request.protocol in ("json", "rest-json") else "InvalidAction"

    def carry_out(self, kind, op, params, fault):
        here = self.server.cloud()
        token = self.token_of(params)
        with here.clock.lock:
            here.clock.run()
            known = here.tokens.get((self.service, self.region, op, token)) if token else None
            if known:
                if known[0] != params:
                    raise wire.Error(MISMATCH.get(self.service, "IdempotentParameterMismatch"), "The token was used with other parameters.", 400)
                return known[1]
            service = kind(here, self.region, params, here.keys.who(self.access, world.ACCOUNT), fault, self)
            result = getattr(service, op)() or {}
            if not world.is_read(op) and not service.quiet:
                here.ledger.write(self.service, op, request=self.request_id, body=self.body, region=self.region, key=token, **service.detail)
                if token:
                    here.tokens[(self.service, self.region, op, token)] = (params, dict(result))
            return result

    def token_of(self, params):
        """The value of the parameter that makes two sendings the same request."""
        names = self.request.operation.idempotent_members + ["IdempotencyToken", "ClientToken", "clientToken"]
        return next((params[n] for n in names if params.get(n)), None)

    def forward(self, op, door=None):
        """What the lab does not play, moto answers. door: who is to have it instead."""
        link = http.client.HTTPConnection(*(door or self.server.behind), timeout=60)
        try:
            link.putrequest(self.command, self.path, skip_accept_encoding=True, skip_host=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP:
                    link.putheader(name, value)
            if not door:
                link.putheader("x-moto-account-id", world.ACCOUNT)
            link.putheader("Content-Length", str(len(self.body)))
            link.endheaders(self.body)
            got = link.getresponse()
            body = got.read()
        except (OSError, http.client.HTTPException) as e:
            return self.refuse(503, "ServiceUnavailable", "no answer from behind the lab: %s" % e)
        finally:
            link.close()
        kept = [(n, v) for n, v in got.getheaders() if n.lower() not in HOP | {"date", "server", "content-type"}]
        kind = got.getheader("Content-Type") or "application/octet-stream"
        if door:
            return web.Reply(got.status, body, kept + [("Content-Length", got.getheader("Content-Length") or "0")] * (self.command == "HEAD"), kind)
        if not world.is_read(op) and got.status < 300:
            self.server.cloud().ledger.write(self.service, op, request=self.request_id, body=self.body, region=self.region)
        return web.Reply(got.status, body, [h for h in kept if h[0].lower() != "x-amzn-requestid"] + self.ids(), kind)
