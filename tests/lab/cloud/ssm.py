"""Systems Manager: parameters, automations, commands on instances."""
import base64
import hashlib
import uuid

from cloud.wire import Error
from cloud.world import Service, utcnow


class Ssm(Service):
    name = "ssm"

    def parameter(self, name):
        name, _, version = name.partition(":") if not name.startswith("arn:") else (name.partition(":parameter")[2], "", "")
        found = self.table("parameter").get(name)
        if found is None:
            raise Error("ParameterNotFound", "")
        if version and version != str(found["Version"]):
            raise Error("ParameterVersionNotFound", "Systems Manager could not find version %s of %s." % (version, name))
        return found

    def shown(self, thing):
        """A SecureString is a cipher to whoever does not ask for more."""
        if thing["Type"] == "SecureString" and not self.p.get("WithDecryption"):
            cipher = b"\x01\x02lab" + hashlib.sha256(thing["Value"].encode()).digest()
            return dict(thing, Value=base64.b64encode(cipher).decode())
        return thing

    def GetParameter(self):
        return {"Parameter": self.shown(self.parameter(self.p["Name"]))}

    def GetParameters(self):
        good, bad = [], []
        for name in self.p["Names"]:
            try:
                good.append(self.shown(self.parameter(name)))
            except Error:
                bad.append(name)
        return {"Parameters": good, "InvalidParameters": bad}

    def GetParametersByPath(self):
        path = self.p["Path"].rstrip("/") + "/"
        things = [self.shown(t) for n, t in sorted(self.table("parameter").items())
                  if n.startswith(path) and (self.p.get("Recursive") or "/" not in n[len(path):])]
        page, token = self.page(things, "MaxResults", "NextToken", 10)
        return {"Parameters": page, "NextToken": token}

    def new_parameter(self, name, value, kind="String"):
        self.table("parameter")[name] = {"Name": name, "Value": value, "Type": kind, "Version": 1, "LastModifiedDate": utcnow(),
                                         "ARN": self.arn("parameter" + ("" if name.startswith("/") else "/") + name), "DataType": "text"}

    def PutParameter(self):
        p, table = self.p, self.table("parameter")
        known = table.get(p["Name"])
        if known is None:
            if "Type" not in p:
                raise Error("ValidationException", "A parameter type is required when you create a parameter.", 400)
            self.new_parameter(p["Name"], p["Value"], p["Type"])
        elif not p.get("Overwrite"):
            raise Error("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
        else:
            known.update(Value=p["Value"], Type=p.get("Type", known["Type"]), Version=known["Version"] + 1, LastModifiedDate=utcnow())
        self.note(object=p["Name"])
        return {"Version": table[p["Name"]]["Version"], "Tier": "Standard"}

    def DeleteParameter(self):
        self.table("parameter").pop(self.parameter(self.p["Name"])["Name"])
        self.note(object=self.p["Name"])

    def DescribeParameters(self):
        page, token = self.page([t for _, t in sorted(self.table("parameter").items())], "MaxResults", "NextToken", 50)
        return {"Parameters": page, "NextToken": token}

    def StartAutomationExecution(self):
        p = self.p
        if not p["DocumentName"].startswith(("AWS-", "AWSSupport-", "lab-")):
            raise Error("AutomationDefinitionNotFoundException", "Automation document %s could not be found." % p["DocumentName"])
        thing = {"AutomationExecutionId": str(uuid.uuid4()), "DocumentName": p["DocumentName"], "DocumentVersion": p.get("DocumentVersion", "1"),
                 "AutomationExecutionStatus": "Pending", "ExecutionStartTime": utcnow(), "Parameters": p.get("Parameters", {}), "Mode": p.get("Mode", "Auto"),
                 "StepExecutions": [], "Outputs": {}}
        self.table("automation")[thing["AutomationExecutionId"]] = thing
        takes = self.world.clock.takes["ssm.automation"]

        def begins(thing):
            thing["StepExecutions"] = [{"StepName": "run", "Action": "aws:executeScript", "StepStatus": "InProgress", "ExecutionStartTime": utcnow()}]

        def done(thing):
            thing["StepExecutions"][0].update(StepStatus="Success", ExecutionEndTime=utcnow())
            thing.update(ExecutionEndTime=utcnow(), Outputs={"run.Output": ["done"]})
        self.course(thing, "AutomationExecutionStatus", (takes / 5, "InProgress", begins), (takes * 4 / 5, "Success", done))
        self.note(object=thing["AutomationExecutionId"], document=p["DocumentName"])
        return thing

    def GetAutomationExecution(self):
        found = self.table("automation").get(self.p["AutomationExecutionId"])
        if found is None:
            raise Error("AutomationExecutionNotFoundException", "Couldn't find an automation execution with ID: " + self.p["AutomationExecutionId"])
        return {"AutomationExecution": found}

    def SendCommand(self):
        p, hosts = self.p, self.world.table("ec2.instance", self.region)
        names = list(p.get("InstanceIds", ()))
        for target in p.get("Targets", ()):
            key = target["Key"].partition(":")[2]
            names += [i for i, t in hosts.items() if any(g["Key"] == key and g["Value"] in target["Values"] for g in t["Tags"])]
        for name in names:
            if name not in hosts or hosts[name]["State"]["Name"] != "running":
                raise Error("InvalidInstanceId", "Instances [[%s]] not in a valid state for account" % name)
        command = {"CommandId": str(uuid.uuid4()), "DocumentName": p["DocumentName"], "Parameters": p.get("Parameters", {}), "InstanceIds": names, "Status": "Pending",
                   "StatusDetails": "Pending", "RequestedDateTime": utcnow(), "Comment": p.get("Comment", ""), "TargetCount": len(names), "CompletedCount": 0,
                   "ErrorCount": 0}
        self.table("command")[command["CommandId"]] = command
        for name in names:
            self.world.clock.later(1, lambda name=name: self.invoke(command, name))
        self.note(object=command["CommandId"], instances=names, document=p["DocumentName"])
        return {"Command": command}

    def invoke(self, command, instance):
        """A while after the command, one knows of its invocation on an instance; before, it does not exist."""
        thing = {"CommandId": command["CommandId"], "InstanceId": instance, "DocumentName": command["DocumentName"], "Status": "InProgress", "ResponseCode": -1,
                 "PluginName": "aws:runShellScript", "Comment": command["Comment"], "StandardOutputContent": "", "StandardErrorContent": "",
                 "StatusDetails": "InProgress", "ExecutionStartDateTime": utcnow().strftime("%Y-%m-%dT%H:%M:%S.000Z"), "RequestedDateTime": utcnow()}
        self.table("invocation")[command["CommandId"] + instance] = thing
        bad = self.fault.get("ends", "Success") != "Success"

        def done(*_):
            thing.update(StatusDetails=thing["Status"], ResponseCode=1 if bad else 0, ExecutionEndDateTime=utcnow().strftime("%Y-%m-%dT%H:%M:%S.000Z"))
            thing["StandardErrorContent" if bad else "StandardOutputContent"] = "\n".join(command["Parameters"].get("commands", [])) + "\n"
            command.update(Status=thing["Status"], StatusDetails=thing["Status"], CompletedCount=command["CompletedCount"] + 1)
        takes = self.world.clock.takes["ssm.command"]
        self.course(thing, "Status", (takes, "Success"))
        self.world.clock.later(takes, done)

    def GetCommandInvocation(self):
        found = self.table("invocation").get(self.p["CommandId"] + self.p["InstanceId"])
        if found is None:
            raise Error("InvocationDoesNotExist", "")
        return found

    def ListCommandInvocations(self):
        things = [t for t in self.table("invocation").values() if t["CommandId"] == self.p.get("CommandId", t["CommandId"])]
        page, token = self.page(things, "MaxResults", "NextToken", 50)
        return {"CommandInvocations": page, "NextToken": token}
