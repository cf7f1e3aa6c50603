"""The portal of IAM Identity Center: keys of a role for the token of a sign-on."""
from cloud.wire import Error
from cloud.world import Service

TOKEN = "lab-sso-token"


class Sso(Service):
    name = "sso"

    def GetRoleCredentials(self):
        p = self.p
        if p.get("accessToken") != TOKEN:
            raise Error("UnauthorizedException", "Session token not found or invalid")
        if "forbidden" in p["roleName"]:
            raise Error("ForbiddenException", "No access", 403)
        arn = "arn:aws:sts::%s:assumed-role/AWSReservedSSO_%s_1ab/lab" % (p["accountId"], p["roleName"])
        keys = self.world.keys.issue(3600, arn, "AROALAB:lab")
        return {"roleCredentials": {"accessKeyId": keys["AccessKeyId"], "secretAccessKey": keys["SecretAccessKey"], "sessionToken": keys["SessionToken"],
                                    "expiration": int(keys["Expiration"].timestamp() * 1000)}}
