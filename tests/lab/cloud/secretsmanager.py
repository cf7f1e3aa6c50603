"""Secrets Manager: what a secret holds, by name or ARN, in its versions."""
import uuid

from cloud.wire import Error
from cloud.world import Service, utcnow


class SecretsManager(Service):
    name = "secretsmanager"

    def new_secret(self, name, value):
        """value: text, or bytes for a binary one; a second one of the name becomes the current version."""
        thing = self.table("secret").setdefault(name, {"Name": name, "ARN": self.arn("secret:%s-a1b2C3" % name), "CreatedDate": utcnow(), "_versions": []})
        for version in thing["_versions"]:
            version["VersionStages"] = ["AWSPREVIOUS"] if "AWSCURRENT" in version["VersionStages"] else []
        thing["_versions"].append({"VersionId": str(uuid.uuid4()), "VersionStages": ["AWSCURRENT"], "CreatedDate": utcnow(),
                                   "SecretBinary" if isinstance(value, bytes) else "SecretString": value})
        thing["LastChangedDate"] = utcnow()
        return thing

    def secret(self):
        wanted = self.p["SecretId"]
        for name, thing in self.table("secret").items():
            if wanted in (name, thing["ARN"], thing["ARN"].rpartition("-")[0]):
                return thing
        raise Error("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")

    def CreateSecret(self):
        name = self.p["Name"]
        if name in self.table("secret"):
            raise Error("ResourceExistsException", "The operation failed because the secret %s already exists." % name)
        thing = self.new_secret(name, self.p.get("SecretString") or self.p.get("SecretBinary") or "")
        thing.update(Description=self.p.get("Description"), Tags=self.p.get("Tags", []))
        self.note(object=name)
        return dict(thing, VersionId=thing["_versions"][-1]["VersionId"])

    def ListSecrets(self):
        page, token = self.page([t for _, t in sorted(self.table("secret").items())], "MaxResults", "NextToken")
        return {"SecretList": page, "NextToken": token}

    def DeleteSecret(self):
        thing = self.secret()
        thing["DeletedDate"] = utcnow()
        if self.p.get("ForceDeleteWithoutRecovery"):
            self.table("secret").pop(thing["Name"])
        self.note(object=thing["Name"])
        return {"ARN": thing["ARN"], "Name": thing["Name"], "DeletionDate": thing["DeletedDate"]}

    def RestoreSecret(self):
        thing = self.secret()
        thing.pop("DeletedDate", None)
        self.note(object=thing["Name"])
        return thing

    def GetSecretValue(self):
        thing, p = self.secret(), self.p
        if thing.get("DeletedDate"):
            raise Error("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
        stage = p.get("VersionStage") or ("" if p.get("VersionId") else "AWSCURRENT")
        for version in thing["_versions"]:
            if version["VersionId"] == p.get("VersionId", version["VersionId"]) and (not stage or stage in version["VersionStages"]):
                return dict(version, Name=thing["Name"], ARN=thing["ARN"])
        raise Error("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: %s" % stage)

    def DescribeSecret(self):
        thing = self.secret()
        return dict(thing, VersionIdsToStages={v["VersionId"]: v["VersionStages"] for v in thing["_versions"] if v["VersionStages"]})

    def PutSecretValue(self):
        name = self.secret()["Name"]
        version = self.new_secret(name, self.p.get("SecretString") or self.p["SecretBinary"])["_versions"][-1]
        self.note(object=name)
        return dict(version, Name=name, ARN=self.secret()["ARN"])
