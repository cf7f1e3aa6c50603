"""STS: who is it, and keys that hold for a while."""
import base64
import json
import secrets

from cloud.wire import Error
from cloud.world import ACCOUNT, Service

MFA = "123456"                     # the token code that every MFA device of the lab shows


class Sts(Service):
    name = "sts"

    def GetCallerIdentity(self):
        return self.who

    def GetSessionToken(self):
        self.second_factor(needed=False)
        return {"Credentials": self.world.keys.issue(self.p.get("DurationSeconds", 43200), self.who["Arn"], self.who["UserId"])}

    def AssumeRole(self):
        arn = self.p["RoleArn"]
        self.second_factor(needed="mfa" in arn.rpartition("/")[2])
        if "forbidden" in arn or self.p.get("ExternalId", "lab") != "lab":
            raise Error("AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s" % (self.who["Arn"], arn), 403)
        return self.session(arn)

    def AssumeRoleWithWebIdentity(self):
        token = self.p["WebIdentityToken"]
        if token.count(".") != 2:
            raise Error("InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
        if token.startswith("expired"):
            raise Error("ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time")
        out = self.session(self.p["RoleArn"])
        try:
            claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        except ValueError:
            claims = {}
        return dict(out, SubjectFromWebIdentityToken=claims.get("sub", "system:serviceaccount:lab"), Audience=claims.get("aud", "sts.amazonaws.com"),
                    Provider=claims.get("iss", "https://oidc.lab"))

    def session(self, arn):
        role, name = arn.rpartition("/")[2], self.p["RoleSessionName"]
        seconds = self.p.get("DurationSeconds", 3600)
        if seconds < 900 or seconds > 43200:
            raise Error("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
        account = (arn.split(":") + [""] * 5)[4] or ACCOUNT
        assumed = "arn:aws:sts::%s:assumed-role/%s/%s" % (account, role, name)
        user = "AROALAB%s:%s" % (secrets.token_hex(4).upper(), name)
        return {"Credentials": self.world.keys.issue(seconds, assumed, user), "AssumedRoleUser": {"AssumedRoleId": user, "Arn": assumed}}

    def second_factor(self, needed):
        code = self.p.get("TokenCode")
        if code is None and not needed:
            return
        if code != MFA or not self.p.get("SerialNumber"):
            raise Error("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code."
                        if code is not None else "MultiFactorAuthentication failed, must provide MFA serial number and one time pass code.", 403)
