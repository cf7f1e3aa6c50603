"""Access keys: those that the lab was born with, and those that STS and its like have issued, for as long as they hold."""
import datetime
import secrets
import time


class Keys:
    """Looks like a dictionary of access key and secret, so that a verifier takes it. Expiry follows the clock's advances."""

    def __init__(self, born, clock):
        self.born, self.clock = born, clock
        self.reset()

    def reset(self):
        self.issued = {}

    def __contains__(self, access):
        return access in self.born or access in self.issued

    def __getitem__(self, access):
        return self.born[access] if access in self.born else self.issued[access]["secret"]

    def time(self):
        return time.time() + self.clock.ahead

    def issue(self, seconds, arn, user):
        access, until = "ASIALAB" + secrets.token_hex(6).upper() + "0", self.time() + seconds
        self.issued[access] = {"secret": secrets.token_urlsafe(30), "token": "lab-token/" + secrets.token_urlsafe(60),
                               "until": until, "arn": arn, "user": user}
        kept = self.issued[access]
        return {"AccessKeyId": access, "SecretAccessKey": kept["secret"], "SessionToken": kept["token"],
                "Expiration": datetime.datetime.fromtimestamp(int(until), datetime.timezone.utc)}

    def expire(self):
        """All that were issued hold no longer."""
        for kept in self.issued.values():
            kept["until"] = 0

    def problem(self, access, token):
        """A code of common errors, or None: the token has to be the key's, and has to hold."""
        if access in self.born:
            return "InvalidClientTokenId" if token else None
        kept = self.issued[access]
        if not token or token != kept["token"]:
            return "InvalidClientTokenId"
        return "ExpiredToken" if kept["until"] <= self.time() else None

    def who(self, access, account):
        if access in self.issued:
            arn = self.issued[access]["arn"]
            return {"Arn": arn, "UserId": self.issued[access]["user"], "Account": arn.split(":")[4]}
        return {"Arn": "arn:aws:iam::%s:user/lab" % account, "UserId": "AIDALAB", "Account": account}
