"""CloudWatch: metrics that follow the lab's clock, and alarms over them."""
import datetime
import math
import time

from cloud.wire import Error
from cloud.world import Service, utcnow

COMPARE = {"GreaterThanOrEqualToThreshold": lambda v, t: v >= t, "GreaterThanThreshold": lambda v, t: v > t,
           "LessThanThreshold": lambda v, t: v < t, "LessThanOrEqualToThreshold": lambda v, t: v <= t}


def set_metric(world, region, name, value, falls=0.0):
    """name: Namespace:MetricName[:value of a dimension]; falls: by how much in a virtual second, down to nothing."""
    world.table("cloudwatch.metric", region)[name] = {"value": float(value), "falls": float(falls), "since": world.clock.now()}


class CloudWatch(Service):
    name = "cloudwatch"

    def metric(self, namespace, name, dimensions):
        """The metric that is asked for, or None: of the dimension that has one, else of the name alone."""
        table = self.table("metric")
        for tail in [":" + d["Value"] for d in dimensions or ()] + [""]:
            found = table.get("%s:%s%s" % (namespace, name, tail))
            if found is not None:
                return found
        return None

    def value(self, metric, ago=0.0):
        passed = self.world.clock.now() - metric["since"] - ago
        return max(0.0, metric["value"] - metric["falls"] * max(0.0, passed))

    def points(self, namespace, name, dimensions, start, end, period):
        """(time, value), oldest first: one for each period that has begun, no further than three hours back."""
        metric = self.metric(namespace, name, dimensions)
        if metric is None:
            return []
        start, end = (t.replace(tzinfo=datetime.timezone.utc).timestamp() for t in (start, end))
        if period % 60 and period not in (1, 5, 10, 30):
            raise Error("InvalidParameterValue", "The parameter Period must be a multiple of 60.", 400)
        if start >= end:
            raise Error("InvalidParameterCombination", "The parameter StartTime must be less than the parameter EndTime.", 400)
        now = time.time()
        first = math.floor(max(start, now - 10800) / period) * period
        stamps = range(int(first), int(min(end, now)) + 1, period)
        return [(t, self.value(metric, now - t - period if now - t > period else 0.0)) for t in stamps if t < end]

    def GetMetricStatistics(self):
        p = self.p
        names = list(p.get("Statistics", ())) + list(p.get("ExtendedStatistics", ()))
        if not names:
            raise Error("MissingParameter", "At least one of Statistics and ExtendedStatistics must be given.", 400)
        out = []
        for stamp, value in self.points(p["Namespace"], p["MetricName"], p.get("Dimensions"), p["StartTime"], p["EndTime"], p["Period"]):
            point = {"Timestamp": datetime.datetime.fromtimestamp(stamp, datetime.timezone.utc), "Unit": p.get("Unit", "None")}
            point.update({n: 1.0 if n == "SampleCount" else value for n in p.get("Statistics", ())})
            if p.get("ExtendedStatistics"):
                point["ExtendedStatistics"] = {n: value for n in p["ExtendedStatistics"]}
            out.append(point)
        out = out[1::2] + out[0::2]                      # AWS sorts them in no order, and a client is not to rely on one
        return {"Label": p["MetricName"], "Datapoints": out}

    def GetMetricData(self):
        p, out = self.p, []
        for query in p["MetricDataQueries"]:
            if "MetricStat" not in query:
                raise Error("ValidationError", "The lab computes no expressions: %s" % query.get("Expression"), 400)
            stat = query["MetricStat"]
            metric = stat["Metric"]
            points = self.points(metric["Namespace"], metric["MetricName"], metric.get("Dimensions"), p["StartTime"], p["EndTime"], stat["Period"])
            if p.get("ScanBy") != "TimestampAscending":
                points.reverse()
            out.append({"Id": query["Id"], "Label": query.get("Label", metric["MetricName"]), "StatusCode": "Complete", "Values": [v for _, v in points],
                        "Timestamps": [datetime.datetime.fromtimestamp(t, datetime.timezone.utc) for t, _ in points]})
        return {"MetricDataResults": out}

    def PutMetricData(self):
        for datum in self.p.get("MetricData", ()):
            tail = "".join(":" + d["Value"] for d in datum.get("Dimensions", ())[:1])
            value = datum.get("Value", (datum.get("Values") or [0.0])[-1])
            set_metric(self.world, self.region, "%s:%s%s" % (self.p["Namespace"], datum["MetricName"], tail), value)
        self.note(object=self.p["Namespace"])

    def PutMetricAlarm(self):
        p = dict(self.p)
        name = p["AlarmName"]
        p.pop("Tags", None)
        self.table("alarm")[name] = dict(p, AlarmArn="arn:aws:cloudwatch:%s:571832839665:alarm:%s" % (self.region, name), StateValue="INSUFFICIENT_DATA",
                                         StateReason="Unchecked: Initial alarm creation", StateUpdatedTimestamp=utcnow(),
                                         ActionsEnabled=p.get("ActionsEnabled", True), AlarmConfigurationUpdatedTimestamp=utcnow())
        self.note(object=name)

    def SetAlarmState(self):
        alarm = self.table("alarm").get(self.p["AlarmName"])
        if alarm is None:
            raise Error("ResourceNotFound", "No alarm of the name %s." % self.p["AlarmName"])
        alarm.update(StateValue=self.p["StateValue"], StateReason=self.p["StateReason"], StateUpdatedTimestamp=utcnow(), _held=True)
        self.note(object=self.p["AlarmName"], state=self.p["StateValue"])

    def judge(self, alarm):
        metric = self.metric(alarm.get("Namespace"), alarm.get("MetricName"), alarm.get("Dimensions"))
        if alarm.get("_held") or metric is None or alarm.get("ComparisonOperator") not in COMPARE:
            return
        value = self.value(metric)
        state = "ALARM" if COMPARE[alarm["ComparisonOperator"]](value, alarm["Threshold"]) else "OK"
        if state != alarm["StateValue"]:
            alarm.update(StateValue=state, StateUpdatedTimestamp=utcnow(), StateReason="Threshold Crossed: 1 datapoint [%s] against %s" % (value, alarm["Threshold"]))

    def DescribeAlarms(self):
        p = self.p
        alarms = [a for _, a in sorted(self.table("alarm").items())]
        for alarm in alarms:
            self.judge(alarm)
        alarms = [a for a in alarms if a["AlarmName"].startswith(p.get("AlarmNamePrefix", "")) and a["AlarmName"] in p.get("AlarmNames", [a["AlarmName"]])
                  and a["StateValue"] == p.get("StateValue", a["StateValue"])]
        page, token = self.page(alarms, "MaxRecords", "NextToken", 50)
        return {"MetricAlarms": page, "CompositeAlarms": [], "NextToken": token}
