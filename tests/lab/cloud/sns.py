"""SNS: a topic takes a message."""
import uuid

from cloud.wire import Error
from cloud.world import Service


class Sns(Service):
    name = "sns"

    def CreateTopic(self):
        name = self.p["Name"]
        self.quiet = name in self.table("topic")
        self.table("topic").setdefault(name, {})
        self.note(object=name)
        return {"TopicArn": self.arn(name)}

    def ListTopics(self):
        return {"Topics": [{"TopicArn": self.arn(n)} for n in sorted(self.table("topic"))]}

    def Publish(self):
        p = self.p
        arn = p.get("TopicArn") or p.get("TargetArn")
        if not arn and not p.get("PhoneNumber"):
            raise Error("InvalidParameter", "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter", 400)
        if arn and (arn.count(":") != 5 or arn.rpartition(":")[2] not in self.table("topic", arn.split(":")[3])):
            raise Error("NotFound", "Topic does not exist", 404)
        if not p["Message"] or len(p["Message"].encode()) > 262144:
            raise Error("InvalidParameter", "Invalid parameter: Message " + ("too long" if p["Message"] else "Empty message"), 400)
        if "\n" in p.get("Subject", "") or len(p.get("Subject", "")) > 100:
            raise Error("InvalidParameter", "Invalid parameter: Subject", 400)
        if arn and arn.endswith(".fifo") and not p.get("MessageGroupId"):
            raise Error("InvalidParameter", "Invalid parameter: The MessageGroupId parameter is required for FIFO topics", 400)
        known = self.table("sent", "").get((arn, p.get("MessageDeduplicationId")))
        if known and p.get("MessageDeduplicationId"):
            return self.repeat(known)
        out = {"MessageId": str(uuid.uuid4())}
        self.table("sent", "")[(arn, p.get("MessageDeduplicationId"))] = out
        self.note(object=arn or p["PhoneNumber"], subject=p.get("Subject"), message=p["Message"], dedup=p.get("MessageDeduplicationId"))
        return out
