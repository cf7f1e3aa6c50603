"""Lambda: functions with a configuration that takes its time, and what they answer."""
import json
import uuid

from cloud.wire import Error
from cloud.world import Service, utcnow

CHANGED = ("Role", "Handler", "Description", "Timeout", "MemorySize", "Environment", "Runtime", "KMSKeyArn", "TracingConfig", "EphemeralStorage", "VpcConfig")


class Lambda(Service):
    name = "lambda"

    def new_function(self, name, state="Active", answer=None, **members):
        """answer: what an invocation returns; None: what it was given."""
        thing = dict({"FunctionName": name, "FunctionArn": self.arn("function:" + name), "Runtime": "python3.12", "Handler": "app.handler", "CodeSize": 1024,
                      "Role": "arn:aws:iam::571832839665:role/lambda", "Timeout": 30, "MemorySize": 256, "Version": "$LATEST", "Description": "", "State": state,
                      "LastUpdateStatus": "Successful", "RevisionId": str(uuid.uuid4()), "CodeSha256": "l4b", "PackageType": "Zip", "Architectures": ["x86_64"],
                      "LastModified": utcnow().strftime("%Y-%m-%dT%H:%M:%S.000+0000"), "answer": answer}, **members)
        self.table("function")[name] = thing
        return thing

    def function(self):
        name = self.p["FunctionName"]
        name = name.split(":")[6] if name.startswith("arn:") else name.split(":")[-1]
        found = self.table("function").get(name)
        if found is None:
            raise Error("ResourceNotFoundException", "Function not found: " + self.arn("function:" + name), Type="User")
        return found

    def GetFunctionConfiguration(self):
        return self.function()

    def GetFunction(self):
        return {"Configuration": self.function(), "Code": {"RepositoryType": "S3", "Location": "https://lab/code.zip"}}

    def CreateFunction(self):
        p = self.p
        if p["FunctionName"] in self.table("function"):
            raise Error("ResourceConflictException", "Function already exist: " + p["FunctionName"], Type="User")
        thing = self.new_function(p["FunctionName"], "Pending", **{n: p[n] for n in CHANGED if n in p})
        self.course(thing, "State", ("lambda.update", "Active"))
        self.note(object=thing["FunctionName"])
        return thing

    def DeleteFunction(self):
        thing = self.function()
        self.table("function").pop(thing["FunctionName"])
        self.note(object=thing["FunctionName"])

    def ListFunctions(self):
        page, token = self.page([t for _, t in sorted(self.table("function").items())], "MaxItems", "Marker", 50)
        return {"Functions": page, "NextMarker": token}

    def UpdateFunctionConfiguration(self):
        p, thing = self.p, self.function()
        if p.get("RevisionId") and p["RevisionId"] != thing["RevisionId"]:
            raise Error("PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
                        "retrieve the latest Revision Id", Type="User")
        if thing["LastUpdateStatus"] == "InProgress" or thing["State"] == "Pending":
            raise Error("ResourceConflictException", "The operation cannot be performed at this time. An update is in progress for resource: "
                        + thing["FunctionArn"], Type="User")
        thing.update({n: p[n] for n in CHANGED if n in p})
        thing.update(RevisionId=str(uuid.uuid4()), LastUpdateStatus="InProgress", LastUpdateStatusReasonCode="Creating",
                     LastModified=utcnow().strftime("%Y-%m-%dT%H:%M:%S.000+0000"))

        def done(thing):
            thing.pop("LastUpdateStatusReasonCode", None)
            thing["RevisionId"] = str(uuid.uuid4())
        self.course(thing, "LastUpdateStatus", ("lambda.update", "Successful", done))
        self.note(object=thing["FunctionName"], changed=sorted(n for n in CHANGED if n in p))
        return thing

    def Invoke(self):
        p, thing = self.p, self.function()
        how = p.get("InvocationType", "RequestResponse")
        if thing["State"] != "Active":
            raise Error("ResourceConflictException", "The operation cannot be performed at this time. The function is currently in the following state: "
                        + thing["State"], Type="User")
        try:
            event = json.loads(p.get("Payload") or "null")
        except ValueError:
            raise Error("InvalidRequestContentException", "Could not parse request body into json", Type="User")
        if how == "DryRun":
            self.quiet = True
            return {"StatusCode": 204, "Payload": b""}
        self.note(object=thing["FunctionName"], how=how)
        if how == "Event":
            return {"StatusCode": 202, "Payload": b""}
        answer = thing["answer"] if thing["answer"] is not None else {"event": event}
        failed = "errorMessage" in answer if isinstance(answer, dict) else False
        return {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": json.dumps(answer).encode(), "FunctionError": "Unhandled" if failed else None}
