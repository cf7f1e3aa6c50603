"""What a server has been told to do wrong. A rule fits some requests, for some times, and says how their answers go wrong."""
import fnmatch
import threading
import time

ACTIONS = {
    "delay": float,        # seconds before the request is looked at
    "late": float,         # seconds between the effect and the answer
    "before": int,         # this status, and no effect
    "after": int,          # the effect, then this status
    "throttle": int,       # the service's own word for "too fast", with Retry-After of so many seconds
    "cut": int,            # the effect, then the connection is reset after so many bytes of the answer
    "drop": int,           # 1: the connection is reset before the effect
    "garbage": int,        # the effect, then so many bytes that are no answer
    "length": int,         # the effect, then a Content-Length that lies by so much
    "trickle": float,      # the answer comes byte by byte, so many seconds apart
    "deaf": str,           # pg: once the client has said this, the answer is lost
    "code": str,           # an error code of the service, and no effect
    "ends": str,           # AWS: the last status of what this request begins, instead of the good one
    "etag": str,           # S3: the effect, and this ETag in the answer
    "region": str,         # S3: the bucket is in this region; signed for another one the answer is 301
    "pending": float,      # seconds until a change of Route 53 is INSYNC
    "skew": float,         # the server's clock is off by so many seconds
    "stale": float,        # DNS: the second name server goes on with the old records for so many seconds
    "truncate": int,       # DNS: 1 sets TC on every UDP answer
    "rcode": int,          # DNS: this response code
    "mute": int,           # DNS: 1 answers nothing
}


class Rule:
    def __init__(self, spec):
        unknown = set(spec) - set(ACTIONS) - {"service", "op", "path", "times", "skip"}
        if unknown:
            raise ValueError("unknown word '%s'; known: service op path times skip %s" % (
                sorted(unknown)[0], " ".join(sorted(ACTIONS))))
        self.service = spec.get("service", "*")
        self.op, self.path = spec.get("op", "*"), spec.get("path", "*")
        self.times, self.skip = int(spec.get("times", -1)), int(spec.get("skip", 0))
        self.actions = {k: ACTIONS[k](v) for k, v in spec.items() if k in ACTIONS}
        self.used = 0

    def fits(self, service, op, path):
        return (fnmatch.fnmatchcase(service, self.service) and fnmatch.fnmatchcase(op, self.op)
                and fnmatch.fnmatchcase(path, self.path))

    def show(self):
        return dict(self.actions, service=self.service, op=self.op, path=self.path, times=self.times,
                    skip=self.skip, used=self.used)


class Script:
    def __init__(self):
        self.rules, self.lock = [], threading.Lock()

    def add(self, spec):
        rule = Rule(spec)
        with self.lock:
            self.rules.append(rule)

    def clear(self, service=None):
        with self.lock:
            self.rules = [r for r in self.rules if service and r.service != service]

    def show(self):
        with self.lock:
            return [r.show() for r in self.rules]

    def ask(self, service, op, path=""):
        """What goes wrong with this request: the first rule that fits and is not used up."""
        with self.lock:
            for rule in self.rules:
                if not rule.fits(service, op, path):
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                if rule.times == 0:
                    continue
                rule.times -= 1
                rule.used += 1
                return dict(rule.actions)
        return {}


def sleep(seconds):
    if seconds:
        time.sleep(seconds)
