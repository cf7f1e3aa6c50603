"""Application Recovery Controller: routing controls of a cluster, and plans that switch a region."""
import uuid

from cloud.wire import Error
from cloud.world import Service, utcnow


class RecoveryCluster(Service):
    """Routing controls lie in one table for all regions: the five endpoints of a cluster show the same."""
    name = "route53-recovery-cluster"

    def control(self, arn):
        found = self.table("control", "").get(arn)
        if found is None:
            raise Error("ResourceNotFoundException", "Routing control not found: " + arn, resourceId=arn, resourceType="RoutingControl")
        return found

    def GetRoutingControlState(self):
        return self.control(self.p["RoutingControlArn"])

    def ListRoutingControls(self):
        things = [t for _, t in sorted(self.table("control", "").items()) if t["ControlPanelArn"] == self.p.get("ControlPanelArn", t["ControlPanelArn"])]
        page, token = self.page(things, "MaxResults", "NextToken")
        return {"RoutingControls": page, "NextToken": token}

    def UpdateRoutingControlState(self):
        self.change([self.p])

    def UpdateRoutingControlStates(self):
        self.change(self.p["UpdateRoutingControlStateEntries"])

    def change(self, entries):
        """All of them or none; one control of a panel stays on, as its safety rule says, unless that is overridden."""
        wanted = {e["RoutingControlArn"]: e["RoutingControlState"] for e in entries}
        for arn, state in wanted.items():
            if state not in ("On", "Off"):
                raise Error("ValidationException", "Invalid state: " + state, reason="FIELD_VALIDATION_FAILED")
            panel = self.control(arn)["ControlPanelArn"]
            after = [wanted.get(t["RoutingControlArn"], t["RoutingControlState"]) for t in self.table("control", "").values() if t["ControlPanelArn"] == panel]
            if "On" not in after and not self.p.get("SafetyRulesToOverride"):
                raise Error("ConflictException", "The safety rule at-least-one prevents this change.", resourceId=arn, resourceType="RoutingControl")
        for arn, state in wanted.items():
            self.control(arn)["RoutingControlState"] = state
        self.note(changes=[{"record": {"name": a, "type": "CONTROL", "values": [s]}, "action": "UPDATE"} for a, s in wanted.items()])


class RegionSwitch(Service):
    name = "arc-region-switch"

    def plan(self, arn):
        found = self.table("plan", "").get(arn)
        if found is None:
            raise Error("ResourceNotFoundException", "Plan %s not found." % arn)
        return found

    def execution(self):
        self.plan(self.p["planArn"])
        found = self.table("execution", "").get(self.p["executionId"])
        if found is None:
            raise Error("ResourceNotFoundException", "Execution %s not found." % self.p["executionId"])
        return found

    def GetPlan(self):
        return {"plan": self.plan(self.p["arn"])}

    def StartPlanExecution(self):
        p, plan = self.p, self.plan(self.p["planArn"])
        if p["targetRegion"] not in plan["regions"]:
            raise Error("IllegalArgumentException", "Region %s is not of this plan." % p["targetRegion"])
        if any(e["executionState"] in ("inProgress", "pausedByFailedStep") and e["planArn"] == plan["arn"] for e in self.table("execution", "").values()):
            raise Error("IllegalStateException", "The plan has an execution in progress.")
        steps = [s for w in plan["workflows"] if w["workflowTargetAction"] == p["action"] for s in w["steps"]]
        thing = {"planArn": plan["arn"], "executionId": uuid.uuid4().hex[:12], "version": "1", "startTime": utcnow(), "updatedAt": utcnow(),
                 "mode": p.get("mode", "graceful"), "executionState": "inProgress", "executionAction": p["action"], "executionRegion": p["targetRegion"],
                 "comment": p.get("comment"), "plan": plan, "stepStates": [{"name": s["name"], "status": "notStarted"} for s in steps]}
        self.table("execution", "")[thing["executionId"]] = thing
        each = self.world.clock.takes["arc.plan"] / max(1, len(steps))
        thing["stepStates"][0].update(status="running", startTime=utcnow())

        def ends(n):
            def then(thing):
                thing["stepStates"][n].update(status="completed", endTime=utcnow())
                if n + 1 < len(steps):
                    thing["stepStates"][n + 1].update(status="running", startTime=utcnow())
                else:
                    thing.update(endTime=utcnow(), actualRecoveryTime="PT%dS" % self.world.clock.takes["arc.plan"])
                thing["updatedAt"] = utcnow()
            return then
        self.course(thing, "executionState", *[(each, "completed" if n == len(steps) - 1 else "inProgress", ends(n)) for n in range(len(steps))])
        self.note(object=thing["executionId"], plan=plan["arn"], target=p["targetRegion"])
        return {"executionId": thing["executionId"], "plan": plan["arn"], "planVersion": "1",
                "activateRegion" if p["action"] == "activate" else "deactivateRegion": p["targetRegion"]}

    def GetPlanExecution(self):
        return self.execution()

    def CancelPlanExecution(self):
        thing = self.execution()
        thing["_course"], thing["executionState"], thing["endTime"] = None, "canceled", utcnow()
        self.note(object=thing["executionId"])
