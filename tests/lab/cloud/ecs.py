"""ECS: services that follow their desired count."""
import uuid

from cloud.wire import Error
from cloud.world import Service, utcnow


class Ecs(Service):
    name = "ecs"

    def new_service(self, cluster, name, count=2):
        self.table("cluster").setdefault(cluster, {})
        arn = self.arn("service/%s/%s" % (cluster, name))
        task = self.arn("task-definition/%s:1" % name)
        thing = {"serviceArn": arn, "serviceName": name, "clusterArn": self.arn("cluster/" + cluster), "status": "ACTIVE", "desiredCount": count, "runningCount": count,
                 "pendingCount": 0, "launchType": "FARGATE", "taskDefinition": task, "createdAt": utcnow(), "events": [], "loadBalancers": [], "deployments": []}
        thing["deployments"].append(self.deployment(thing, "COMPLETED"))
        self.table("service")[cluster + "/" + name] = thing
        return thing

    @staticmethod
    def deployment(thing, state):
        return {"id": "ecs-svc/" + uuid.uuid4().hex[:19], "status": "PRIMARY", "taskDefinition": thing["taskDefinition"], "desiredCount": thing["desiredCount"],
                "pendingCount": 0, "runningCount": thing["runningCount"], "rolloutState": state, "createdAt": utcnow(), "updatedAt": utcnow()}

    def cluster(self):
        name = self.p.get("cluster", "default").rpartition("/")[2]
        if name not in self.table("cluster"):
            raise Error("ClusterNotFoundException", "Cluster not found.")
        return name

    def CreateCluster(self):
        name = self.p.get("clusterName", "default")
        self.table("cluster").setdefault(name, {})
        self.note(object=name)
        return {"cluster": {"clusterName": name, "clusterArn": self.arn("cluster/" + name), "status": "ACTIVE"}}

    def DescribeClusters(self):
        wanted = [n.rpartition("/")[2] for n in self.p.get("clusters", ["default"])]
        good = [n for n in wanted if n in self.table("cluster")]
        return {"clusters": [{"clusterName": n, "clusterArn": self.arn("cluster/" + n), "status": "ACTIVE"} for n in good],
                "failures": [{"arn": self.arn("cluster/" + n), "reason": "MISSING"} for n in wanted if n not in good]}

    def ListServices(self):
        page, token = self.page([t["serviceArn"] for n, t in sorted(self.table("service").items()) if n.startswith(self.cluster() + "/")],
                                "maxResults", "nextToken", 10)
        return {"serviceArns": page, "nextToken": token}

    def CreateService(self):
        name = self.cluster() + "/" + self.p["serviceName"]
        if name in self.table("service"):
            raise Error("InvalidParameterException", "Creation of service was not idempotent.")
        thing = self.new_service(self.cluster(), self.p["serviceName"], 0)
        self.p = dict(self.p, service=self.p["serviceName"])
        return self.UpdateService()

    def DescribeServices(self):
        cluster, good, bad = self.cluster(), [], []
        for name in self.p["services"]:
            found = self.table("service").get(cluster + "/" + name.rpartition("/")[2])
            if found is None:
                bad.append({"arn": self.arn("service/%s/%s" % (cluster, name)), "reason": "MISSING"})
            else:
                good.append(found)
        return {"services": good, "failures": bad}

    def UpdateService(self):
        p, cluster = self.p, self.cluster()
        thing = self.table("service").get(cluster + "/" + p["service"].rpartition("/")[2])
        if thing is None:
            raise Error("ServiceNotFoundException", "Service not found.")
        count, fresh = p.get("desiredCount", thing["desiredCount"]), bool(p.get("forceNewDeployment") or p.get("taskDefinition"))
        thing.update(desiredCount=count, taskDefinition=p.get("taskDefinition", thing["taskDefinition"]))
        main = thing["deployments"][0]
        if fresh:
            main["status"], main = "ACTIVE", self.deployment(thing, "IN_PROGRESS")
            thing["deployments"].insert(0, main)
        main.update(desiredCount=count, rolloutState="IN_PROGRESS", pendingCount=max(0, count - thing["runningCount"]), updatedAt=utcnow())
        thing["pendingCount"] = main["pendingCount"]

        def done(_):
            thing.update(runningCount=thing["desiredCount"], pendingCount=0, deployments=[main])
            main.update(runningCount=thing["desiredCount"], pendingCount=0, updatedAt=utcnow())
            thing["events"].insert(0, {"id": str(uuid.uuid4()), "createdAt": utcnow(), "message": "(service %s) has reached a steady state." % thing["serviceName"]})
        self.course(main, "rolloutState", ("ecs.scale", "COMPLETED", done))
        self.note(object=thing["serviceArn"], desired=count)
        return {"service": thing}
