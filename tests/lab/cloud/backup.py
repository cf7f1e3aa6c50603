"""AWS Backup: vaults with recovery points, and the jobs that make, copy and restore them."""
import secrets
import uuid

from cloud.rds import Rds
from cloud.wire import Error
from cloud.world import ACCOUNT, Service, utcnow


class Backup(Service):
    name = "backup"

    def vault_arn(self, name, region=None):
        return self.arn("backup-vault:" + name, region)

    def vault(self, name, region=None):
        found = self.table("vault", region).get(name)
        if found is None:
            raise Error("ResourceNotFoundException", "Backup vault does not exist: " + name)
        return found

    def new_point(self, vault, resource, status="COMPLETED", region=None, **members):
        kind = "Aurora" if ":cluster:" in resource else "RDS" if ":rds:" in resource else resource.split(":")[2].upper()
        region = region or self.region
        arn = "arn:aws:%s:%s:%s:%s:awsbackup:job-%s" % ("rds" if kind in ("Aurora", "RDS") else "backup", region, ACCOUNT,
                                                       "cluster-snapshot" if kind == "Aurora" else "snapshot", uuid.uuid4())
        thing = dict({"RecoveryPointArn": arn, "BackupVaultName": vault, "BackupVaultArn": self.vault_arn(vault, region), "ResourceArn": resource,
                      "ResourceType": kind, "ResourceName": resource.rpartition(":")[2], "Status": status, "CreationDate": utcnow(),
                      "BackupSizeInBytes": 1 << 30, "BackupSizeBytes": 1 << 30, "IsEncrypted": True, "IsParent": False, "VaultType": "BACKUP_VAULT",
                      "IamRoleArn": "arn:aws:iam::%s:role/backup" % ACCOUNT}, **members)
        if status == "COMPLETED":
            thing["CompletionDate"] = thing["CreationDate"]
        self.vault(vault, region)["points"][arn] = thing
        return thing

    def point(self, arn, vault=None):
        vaults = [self.vault(vault)] if vault else self.table("vault").values()
        for kept in vaults:
            if arn in kept["points"]:
                return kept["points"][arn]
        raise Error("ResourceNotFoundException", "Cannot find recovery point: " + arn)

    def job(self, kind, name, **members):
        thing = dict({name: str(uuid.uuid4()).upper(), "AccountId": ACCOUNT, "CreationDate": utcnow(), "PercentDone": "0.0", "IsParent": False}, **members)
        self.table(kind)[thing[name]] = thing
        return thing

    def found(self, kind, id):
        if id not in self.table(kind):
            raise Error("ResourceNotFoundException", "Cannot find job %s" % id)
        return self.table(kind)[id]

    def ends(self, thing, then=None):
        """What a job tells once it is over, well or not."""
        def over(_):
            thing.update(PercentDone="100.0", CompletionDate=utcnow())
            if then:
                then()
        return over

    def StartBackupJob(self):
        p = self.p
        self.vault(p["BackupVaultName"])
        point = self.new_point(p["BackupVaultName"], p["ResourceArn"], "CREATING", IamRoleArn=p["IamRoleArn"])
        job = self.job("backup_job", "BackupJobId", State="CREATED", BackupVaultName=p["BackupVaultName"], BackupVaultArn=point["BackupVaultArn"],
                       RecoveryPointArn=point["RecoveryPointArn"], ResourceArn=p["ResourceArn"], ResourceType=point["ResourceType"], IamRoleArn=p["IamRoleArn"])
        takes = self.world.clock.takes["backup.backup"]
        self.course(job, "State", (takes / 10, "RUNNING"), (takes * 9 / 10, "COMPLETED", self.ends(job)))
        self.course(point, "Status", (takes, "COMPLETED", lambda t: t.update(CompletionDate=utcnow())))
        self.note(object=job["BackupJobId"], source=p["ResourceArn"])
        return job

    def DescribeBackupJob(self):
        return self.found("backup_job", self.p["BackupJobId"])

    def ListBackupJobs(self):
        return self.jobs("backup_job", "BackupJobs", {"ByState": "State", "ByResourceArn": "ResourceArn", "ByBackupVaultName": "BackupVaultName"})

    def jobs(self, kind, name, rules):
        things = sorted(self.table(kind).values(), key=lambda t: t["CreationDate"], reverse=True)
        for parameter, member in rules.items():
            if parameter in self.p:
                things = [t for t in things if t.get(member) == self.p[parameter]]
        page, token = self.page(things, "MaxResults", "NextToken", 1000)
        return {name: page, "NextToken": token}

    def StartRestoreJob(self):
        p, point = self.p, self.point(self.p["RecoveryPointArn"])
        if point["Status"] != "COMPLETED":
            raise Error("InvalidRequestException", "Recovery point %s is not completed" % point["RecoveryPointArn"])
        if point["ResourceType"] in ("Aurora", "RDS") and not {"DBClusterIdentifier", "DBInstanceIdentifier"} & set(p["Metadata"]):
            raise Error("InvalidParameterValueException", "Metadata has no DBClusterIdentifier or DBInstanceIdentifier")
        job = self.job("restore_job", "RestoreJobId", Status="PENDING", RecoveryPointArn=point["RecoveryPointArn"], SourceResourceArn=point["ResourceArn"],
                       BackupVaultArn=point["BackupVaultArn"], ResourceType=point["ResourceType"], IamRoleArn=p.get("IamRoleArn"),
                       RecoveryPointCreationDate=point["CreationDate"], BackupSizeInBytes=point["BackupSizeInBytes"])
        takes = self.world.clock.takes["backup.restore"]
        self.course(job, "Status", (takes / 10, "RUNNING", lambda t: t.update(PercentDone="35.0")),
                    (takes * 9 / 10, "COMPLETED", self.ends(job, lambda: self.restored(job, point, p["Metadata"]))))
        self.note(object=job["RestoreJobId"], source=point["RecoveryPointArn"], metadata=p["Metadata"])
        return job

    def restored(self, job, point, metadata):
        """The database that a restore has made."""
        rds = Rds(self.world, self.region, {})
        source = point["ResourceArn"].rpartition(":")[2]
        if "DBClusterIdentifier" in metadata:
            kept = self.world.table("rds.cluster", self.region).get(source, {})
            thing = rds.new_cluster(metadata["DBClusterIdentifier"], "available", EngineVersion=metadata.get("EngineVersion"), _at=kept.get("_at"))
            job["CreatedResourceArn"] = thing["DBClusterArn"]
        elif "DBInstanceIdentifier" in metadata:
            kept = self.world.table("rds.instance", self.region).get(source, {})
            thing = rds.new_instance(metadata["DBInstanceIdentifier"], "available", _at=kept.get("_at"))
            rds.is_up(thing)
            job["CreatedResourceArn"] = thing["DBInstanceArn"]

    def DescribeRestoreJob(self):
        return self.found("restore_job", self.p["RestoreJobId"])

    def ListRestoreJobs(self):
        return self.jobs("restore_job", "RestoreJobs", {"ByStatus": "Status"})

    def StartCopyJob(self):
        p, point = self.p, self.point(self.p["RecoveryPointArn"], self.p["SourceBackupVaultName"])
        region, name = p["DestinationBackupVaultArn"].split(":")[3], p["DestinationBackupVaultArn"].rpartition(":")[2]
        copy = self.new_point(name, point["ResourceArn"], "CREATING", region, SourceBackupVaultArn=point["BackupVaultArn"])
        job = self.job("copy_job", "CopyJobId", State="CREATED", SourceBackupVaultArn=point["BackupVaultArn"], SourceRecoveryPointArn=point["RecoveryPointArn"],
                       DestinationBackupVaultArn=p["DestinationBackupVaultArn"], DestinationRecoveryPointArn=copy["RecoveryPointArn"],
                       ResourceArn=point["ResourceArn"], ResourceType=point["ResourceType"], IamRoleArn=p["IamRoleArn"])
        takes = self.world.clock.takes["backup.copy"]
        self.course(job, "State", (takes / 10, "RUNNING"), (takes * 9 / 10, "COMPLETED", self.ends(job)))
        self.course(copy, "Status", (takes, "COMPLETED", lambda t: t.update(CompletionDate=utcnow())))
        self.note(object=job["CopyJobId"], source=point["RecoveryPointArn"])
        return job

    def DescribeCopyJob(self):
        return {"CopyJob": self.found("copy_job", self.p["CopyJobId"])}

    def ListCopyJobs(self):
        return self.jobs("copy_job", "CopyJobs", {"ByState": "State", "ByResourceArn": "ResourceArn"})

    def points(self, things):
        page, token = self.page(sorted(things, key=lambda t: t["CreationDate"], reverse=True), "MaxResults", "NextToken", 50)
        return {"RecoveryPoints": page, "NextToken": token}

    def ListRecoveryPointsByBackupVault(self):
        p = self.p
        things = list(self.vault(p["BackupVaultName"])["points"].values())
        for parameter, member in (("ByResourceArn", "ResourceArn"), ("ByResourceType", "ResourceType")):
            if parameter in p:
                things = [t for t in things if t[member] == p[parameter]]
        return self.points(things)

    def ListRecoveryPointsByResource(self):
        wanted = self.p["ResourceArn"].split(":", 5)[5]          # whichever account a runbook was written for
        return self.points([t for v in self.table("vault").values() for t in v["points"].values() if t["ResourceArn"].split(":", 5)[5] == wanted])

    def DescribeRecoveryPoint(self):
        return self.point(self.p["RecoveryPointArn"], self.p["BackupVaultName"])

    def GetRecoveryPointRestoreMetadata(self):
        point = self.point(self.p["RecoveryPointArn"], self.p["BackupVaultName"])
        name = "DBClusterIdentifier" if point["ResourceType"] == "Aurora" else "DBInstanceIdentifier"
        return {"BackupVaultArn": point["BackupVaultArn"], "RecoveryPointArn": point["RecoveryPointArn"],
                "RestoreMetadata": {name: point["ResourceName"], "Engine": "aurora-postgresql"}}

    def CreateBackupVault(self):
        name = self.p["BackupVaultName"]
        if name in self.table("vault"):
            raise Error("AlreadyExistsException", "Backup vault with the same name already exists")
        self.table("vault")[name] = {"points": {}}
        self.note(object=name)
        return {"BackupVaultName": name, "BackupVaultArn": self.vault_arn(name), "CreationDate": utcnow()}

    def ListBackupVaults(self):
        page, token = self.page(sorted(self.table("vault")), "MaxResults", "NextToken")
        return {"BackupVaultList": [{"BackupVaultName": n, "BackupVaultArn": self.vault_arn(n)} for n in page], "NextToken": token}

    def DescribeBackupVault(self):
        name = self.p["BackupVaultName"]
        return {"BackupVaultName": name, "BackupVaultArn": self.vault_arn(name), "VaultType": "BACKUP_VAULT", "NumberOfRecoveryPoints": len(self.vault(name)["points"]),
                "CreatorRequestId": secrets.token_hex(4)}
