"""RDS: Aurora global clusters, and their failover between regions."""
import secrets

from cloud.clustersnapshots import ClusterSnapshots
from cloud.wire import Error
from cloud.world import ACCOUNT


class GlobalClusters(ClusterSnapshots):
    def global_cluster(self, name=None):
        name = name or self.p["GlobalClusterIdentifier"]
        found = self.table("global", "").get(name.lower())
        if found is None:
            raise Error("GlobalClusterNotFoundFault", "Global cluster '%s' not found." % name)
        return found

    def global_of(self, cluster):
        """The global cluster that has this one, or None."""
        for group in self.table("global", "").values():
            if any(m["DBClusterArn"] == cluster["DBClusterArn"] for m in group["GlobalClusterMembers"]):
                return group
        return None

    def new_global(self, name, **members):
        table = self.table("global", "")
        if name.lower() in table:
            raise Error("GlobalClusterAlreadyExistsFault", "Global cluster '%s' already exists." % name)
        thing = dict({"GlobalClusterIdentifier": name.lower(), "GlobalClusterResourceId": "cluster-" + secrets.token_hex(8),
                      "GlobalClusterArn": "arn:aws:rds::%s:global-cluster:%s" % (ACCOUNT, name.lower()), "Status": "available", "Engine": "aurora-postgresql",
                      "EngineVersion": "16.4", "DeletionProtection": False, "StorageEncrypted": True, "GlobalClusterMembers": []}, **members)
        table[name.lower()] = thing
        return thing

    @staticmethod
    def join_global(group, cluster):
        members = group["GlobalClusterMembers"]
        writer = next((m for m in members if m["IsWriter"]), None)
        members.append({"DBClusterArn": cluster["DBClusterArn"], "Readers": [], "IsWriter": writer is None, "SynchronizationStatus": "connected"})
        if writer is not None:
            writer["Readers"].append(cluster["DBClusterArn"])

    def CreateGlobalCluster(self):
        p = self.p
        source = self.cluster(p["SourceDBClusterIdentifier"]) if p.get("SourceDBClusterIdentifier") else None
        thing = self.new_global(p.get("GlobalClusterIdentifier") or "global-1", DeletionProtection=p.get("DeletionProtection", False))
        if source is not None:
            self.join_global(thing, source)
        self.note(object=thing["GlobalClusterIdentifier"])
        return {"GlobalCluster": thing}

    def DescribeGlobalClusters(self):
        name = self.p.get("GlobalClusterIdentifier")
        things = [self.global_cluster(name)] if name else [t for _, t in sorted(self.table("global", "").items())]
        page, marker = self.page(things, "MaxRecords", "Marker")
        return {"GlobalClusters": page, "Marker": marker}

    def DeleteGlobalCluster(self):
        thing = self.global_cluster()
        if thing["GlobalClusterMembers"]:
            raise Error("InvalidGlobalClusterStateFault", "Global cluster %s is not empty" % thing["GlobalClusterIdentifier"])
        self.table("global", "").pop(thing["GlobalClusterIdentifier"])
        self.note(object=thing["GlobalClusterIdentifier"])
        return {"GlobalCluster": dict(thing, Status="deleting")}

    def RemoveFromGlobalCluster(self):
        thing = self.global_cluster()
        member = self.member(thing, self.p.get("DbClusterIdentifier") or "")
        if member["IsWriter"] and len(thing["GlobalClusterMembers"]) > 1:
            raise Error("InvalidGlobalClusterStateFault", "The primary cluster of %s cannot be removed while it has secondaries." % thing["GlobalClusterIdentifier"])
        thing["GlobalClusterMembers"].remove(member)
        for other in thing["GlobalClusterMembers"]:
            other["Readers"] = [r for r in other["Readers"] if r != member["DBClusterArn"]]
        cluster = self.cluster(member["DBClusterArn"])
        cluster["Status"] = "promoting"
        self.course(cluster, "Status", ("rds.promote", "available"))
        self.note(object=thing["GlobalClusterIdentifier"], removed=member["DBClusterArn"])
        return {"GlobalCluster": thing}

    def member(self, thing, arn):
        if not arn.startswith("arn:"):
            arn = self.arn("cluster:" + arn.lower())
        for member in thing["GlobalClusterMembers"]:
            if member["DBClusterArn"] == arn:
                return member
        raise Error("DBClusterNotFoundFault", "DBCluster %s is not in global cluster %s." % (arn, thing["GlobalClusterIdentifier"]))

    def FailoverGlobalCluster(self):
        if self.p.get("Switchover") and self.p.get("AllowDataLoss"):
            raise Error("InvalidParameterCombination", "AllowDataLoss and Switchover exclude each other.", 400)
        return self.move(lossy=bool(self.p.get("AllowDataLoss")))

    def SwitchoverGlobalCluster(self):
        return self.move(lossy=False)

    def move(self, lossy):
        thing = self.global_cluster()
        if thing["Status"] != "available":
            raise Error("InvalidGlobalClusterStateFault", "Global cluster %s is not in available state." % thing["GlobalClusterIdentifier"])
        target = self.member(thing, self.p["TargetDbClusterIdentifier"])
        if target["IsWriter"]:
            raise Error("InvalidGlobalClusterStateFault", "The target cluster is the primary already.")
        writer = next(m for m in thing["GlobalClusterMembers"] if m["IsWriter"])
        clusters = [self.cluster(m["DBClusterArn"]) for m in (writer, target)]
        if not lossy:
            self.steady(clusters[0], "available")
        self.steady(clusters[1], "available")
        word = "failing-over" if lossy else "switching-over"
        thing["Status"] = word
        thing["FailoverState"] = {"Status": "pending", "FromDbClusterArn": writer["DBClusterArn"], "ToDbClusterArn": target["DBClusterArn"], "IsDataLossAllowed": lossy}
        for cluster in clusters:
            cluster["Status"] = word

        def begins(thing):
            thing["FailoverState"]["Status"] = word

        def done(thing):
            thing.pop("FailoverState", None)
            others = [m["DBClusterArn"] for m in thing["GlobalClusterMembers"] if m is not target]
            for member in thing["GlobalClusterMembers"]:
                member.update(IsWriter=member is target, Readers=others if member is target else [])
            if lossy:
                writer["SynchronizationStatus"] = "pending-resync"
            for cluster in clusters:
                cluster["Status"] = "available"
        takes = self.world.clock.takes["rds.switchover"]
        self.course(thing, "Status", (takes / 5, word, begins), (takes * 4 / 5, "available", done))
        self.note(object=thing["GlobalClusterIdentifier"], target=target["DBClusterArn"], lossy=lossy)
        return {"GlobalCluster": thing}
