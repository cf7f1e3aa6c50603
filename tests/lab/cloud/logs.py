"""CloudWatch Logs: events of a group, found by pattern and time, in pages that may well be empty."""
import time

from cloud.wire import Error
from cloud.world import Service


class Logs(Service):
    name = "logs"

    def put(self, group, stream, *messages):
        """For tests and first states: messages that came just now."""
        events = self.table("group").setdefault(group, {"events": []})["events"]
        for message in messages:
            stamp = int(time.time() * 1000)
            events.append({"logStreamName": stream, "timestamp": stamp, "ingestionTime": stamp, "message": message, "eventId": "%020d" % len(events)})

    def group(self):
        name = self.p.get("logGroupName") or self.p.get("logGroupIdentifier", "").split(":")[-1]
        found = self.table("group").get(name)
        if found is None:
            raise Error("ResourceNotFoundException", "The specified log group does not exist.")
        return found

    def CreateLogGroup(self):
        name = self.p["logGroupName"]
        if name in self.table("group"):
            raise Error("ResourceAlreadyExistsException", "The specified log group already exists")
        self.table("group")[name] = {"events": []}
        self.note(object=name)

    def CreateLogStream(self):
        self.group()
        self.note(object=self.p["logStreamName"])

    def DescribeLogGroups(self):
        names = [n for n in sorted(self.table("group")) if n.startswith(self.p.get("logGroupNamePrefix", ""))]
        page, token = self.page(names, "limit", "nextToken", 50)
        return {"logGroups": [{"logGroupName": n, "arn": self.arn("log-group:%s:*" % n), "storedBytes": 0} for n in page], "nextToken": token}

    def FilterLogEvents(self):
        """As AWS does, a page is a stretch of what was searched: events that do not fit are not made up for."""
        p, words = self.p, self.p.get("filterPattern", "").split()
        page, token = self.page(self.group()["events"], "limit", "nextToken", 10000)
        fits = [e for e in page if all(w.lstrip("?").strip('"') in e["message"] for w in words if not w.startswith("-"))
                and not any(w[1:].strip('"') in e["message"] for w in words if w.startswith("-"))
                and p.get("startTime", 0) <= e["timestamp"] < p.get("endTime", 1 << 62)
                and e["logStreamName"] in p.get("logStreamNames", [e["logStreamName"]])
                and e["logStreamName"].startswith(p.get("logStreamNamePrefix", ""))]
        return {"events": fits, "searchedLogStreams": [], "nextToken": token}

    def PutLogEvents(self):
        self.group()
        self.put(self.p["logGroupName"], self.p["logStreamName"], *[e["message"] for e in self.p["logEvents"]])
        self.note(object=self.p["logGroupName"], events=len(self.p["logEvents"]))
        return {"nextSequenceToken": "1"}
