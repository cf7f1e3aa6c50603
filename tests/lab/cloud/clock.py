"""Virtual time: how long AWS takes for things, told in AWS's seconds and spent as quickly as a test wants."""
import heapq
import itertools
import threading
import time

# Virtual seconds that a change takes; `lab clock set NAME SECONDS` sets another value.
TAKES = {
    "rds.create": 60, "rds.delete": 40, "rds.modify": 30, "rds.snapshot": 60, "rds.backup": 20, "rds.restore": 80,
    "rds.promote": 40, "rds.reboot": 20, "rds.start": 60, "rds.stop": 60, "rds.failover": 30, "rds.switchover": 50,
    "rds.copy": 60, "backup.backup": 60, "backup.restore": 80, "backup.copy": 60, "lambda.update": 20,
    "cloudfront.deploy": 60, "cloudfront.invalidate": 40, "ssm.automation": 40, "ssm.command": 20, "arc.plan": 60,
    "ecs.scale": 40, "autoscaling.scale": 40, "elbv2.healthy": 30, "ec2.snapshot": 60, "elasticache.failover": 30,
}


class Clock:
    """speed: virtual seconds in a real one; 0 holds the clock still, so that only advance() moves it."""

    def __init__(self, speed=200.0):
        self.lock = threading.RLock()        # also the lock of everything that changes with time
        self.count = itertools.count()
        self.reset(speed)

    def reset(self, speed=200.0):
        with self.lock:
            self.speed, self.base, self.since, self.ahead = speed, 0.0, time.monotonic(), 0.0
            self.takes, self.events, self.due = dict(TAKES), [], None

    def now(self):
        return self.base + (time.monotonic() - self.since) * self.speed

    def set_speed(self, speed):
        with self.lock:
            self.base, self.since = self.now(), time.monotonic()
            self.speed = float(speed)

    def advance(self, seconds):
        with self.lock:
            self.base += seconds
            self.ahead += seconds
            self.run()

    def set(self, name, seconds):
        if name not in self.takes:
            raise ValueError("unknown change '%s'; known: %s" % (name, " ".join(sorted(self.takes))))
        self.takes[name] = float(seconds)

    def later(self, what, then):
        """what: a name of TAKES, or seconds; then() is called when the time has come, not before the next request."""
        seconds = self.takes[what] if isinstance(what, str) else what
        with self.lock:
            heapq.heappush(self.events, ((self.now() if self.due is None else self.due) + seconds, next(self.count), then))

    def run(self):
        """Does what is due, in order; what follows on it counts from when it was due."""
        with self.lock:
            while self.events and self.events[0][0] <= self.now():
                self.due, _, then = heapq.heappop(self.events)
                then()
            self.due = None

    def show(self):
        with self.lock:
            return {"now": round(self.now(), 3), "speed": self.speed, "advanced": self.ahead, "takes": self.takes,
                    "waiting": len(self.events)}
