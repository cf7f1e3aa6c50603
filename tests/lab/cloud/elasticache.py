"""ElastiCache: replication groups, and the test of their failover."""
from cloud.wire import Error
from cloud.world import Service


class ElastiCache(Service):
    name = "elasticache"

    def new_group(self, name):
        members = [{"CacheClusterId": "%s-00%d" % (name, n), "CacheNodeId": "0001", "PreferredAvailabilityZone": self.region + "ab"[n - 1],
                    "CurrentRole": "primary" if n == 1 else "replica"} for n in (1, 2)]
        endpoint = {"Address": name + ".lab-cache.cache.amazonaws.com", "Port": 6379}
        self.table("group")[name] = {
            "ReplicationGroupId": name, "Description": "lab", "Status": "available", "MemberClusters": [m["CacheClusterId"] for m in members], "AutomaticFailover": "enabled",
            "MultiAZ": "enabled", "ClusterEnabled": False, "CacheNodeType": "cache.t4g.small", "ARN": self.arn("replicationgroup:" + name),
            "NodeGroups": [{"NodeGroupId": "0001", "Status": "available", "PrimaryEndpoint": endpoint, "NodeGroupMembers": members}]}

    def group(self):
        found = self.table("group").get(self.p["ReplicationGroupId"])
        if found is None:
            raise Error("ReplicationGroupNotFoundFault", "ReplicationGroup %s not found." % self.p["ReplicationGroupId"])
        return found

    def DescribeReplicationGroups(self):
        things = [self.group()] if self.p.get("ReplicationGroupId") else [t for _, t in sorted(self.table("group").items())]
        page, marker = self.page(things, "MaxRecords", "Marker")
        return {"ReplicationGroups": page, "Marker": marker}

    def TestFailover(self):
        thing = self.group()
        node = next((n for n in thing["NodeGroups"] if n["NodeGroupId"] == self.p["NodeGroupId"]), None)
        if node is None:
            raise Error("NodeGroupNotFoundFault", "NodeGroup %s not found." % self.p["NodeGroupId"])
        if thing["Status"] != "available":
            raise Error("InvalidReplicationGroupState", "Replication group %s is not in available state." % thing["ReplicationGroupId"])
        thing["Status"] = node["Status"] = "modifying"

        def done(thing):
            node["Status"] = thing["Status"]
            for member in node["NodeGroupMembers"]:
                member["CurrentRole"] = "replica" if member["CurrentRole"] == "primary" else "primary"
        self.course(thing, "Status", ("elasticache.failover", "available", done))
        self.note(object=thing["ReplicationGroupId"])
        return {"ReplicationGroup": thing}
