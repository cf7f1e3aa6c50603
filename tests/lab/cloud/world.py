"""What all services of the lab share: the tables of what there is, and the time that changes it."""
import datetime

from cloud.clock import Clock
from cloud.keys import Keys

ACCOUNT = "571832839665"
READS = ("Describe", "Get", "List", "Filter", "Head", "Lookup", "Search", "BatchGet", "Query", "Scan", "TestDNS")
# What STS and its like hand out is no effect on anything.
READS += ("AssumeRole", "DecodeAuthorizationMessage")


def utcnow():
    return datetime.datetime.now(datetime.timezone.utc)


class World:
    def __init__(self, ledger, keys, net=0, store=None):
        """store: the zones, whose name servers also know what AWS gives names to; None for a world without."""
        self.clock, self.ledger, self.net, self.store = Clock(), ledger, net, store
        self.keys = Keys(keys, self.clock)
        self.reset()

    def reset(self):
        from cloud import first
        with self.clock.lock:
            self.clock.reset()
            self.keys.reset()
            self.tables, self.tokens = {}, {}
            first.first(self, self.net)

    def table(self, kind, region=""):
        return self.tables.setdefault((kind, region), {})

    def publish(self, name, zone, like):
        """A name of AWS's own gets the address of another one, or that of the second site."""
        if self.store is not None:
            with self.store.lock:
                known = self.store.hosts.get(like + ".", {})
                self.store.hosts[name + "."] = {"zone": zone, "A": known.get("A", ["127.77.%d.3" % self.net])}

    def door(self, method, path, data):
        """What a test asks for that AWS has no call for."""
        with self.clock.lock:
            if path == "clock":
                for name, value in data.items():
                    {"advance": self.clock.advance, "speed": self.clock.set_speed}.get(
                        name, lambda v, n=name: self.clock.set(n, v))(float(value))
                return self.clock.show()
            if path == "expire":
                self.keys.expire()
                return {}
            kind, region, name = path.split("/", 2)
            self.clock.run()
            table = self.table(kind, "" if region == "-" else region)
            if method == "POST" and data:
                table.setdefault(name, {}).update(data)
                if kind == "cloudwatch.metric":
                    table[name].update(since=self.clock.now(), falls=float(table[name].get("falls", 0)))
            return {k: v for k, v in table[name].items() if not k.startswith("_")}


class Service:
    """One request of a service. A method named as the operation takes no argument and returns the result as the model has it."""
    name = "?"

    def __init__(self, world, region="us-west-1", params=None, who=None, fault=None, request=None):
        self.world, self.region, self.p, self.who = world, region, params or {}, who or {}
        self.fault, self.request = fault or {}, request
        self.detail, self.quiet = {}, False

    def table(self, kind, region=None):
        return self.world.table(self.name + "." + kind, self.region if region is None else region)

    def arn(self, tail, region=None):
        return "arn:aws:%s:%s:%s:%s" % (self.name, self.region if region is None else region, ACCOUNT, tail)

    def note(self, **detail):
        """For the ledger line of this effect."""
        self.detail.update(detail)

    def repeat(self, result):
        """The same request once more, known by its token: the old answer, and no effect."""
        self.quiet = True
        return result

    def course(self, thing, field, *steps):
        """Lets thing[field] become one status after another. steps: (how long, status[, more]) where more is called
        with the thing, and the rule of the script `ends=` puts another last status. A later course replaces this one."""
        mine = thing["_course"] = object()
        steps, ends = list(steps), self.fault.get("ends")

        def next_step(n):
            def then():
                if thing.get("_course") is not mine:
                    return
                _, status, *more = steps[n]
                last = n == len(steps) - 1
                thing[field] = ends if last and ends else status
                for action in more if not (last and ends) else ():
                    action(thing)
                if not last:
                    self.world.clock.later(steps[n + 1][0], next_step(n + 1))
            return then
        self.world.clock.later(steps[0][0], next_step(0))

    def page(self, items, most, token, default=100):
        """(the page, the next token or None); most, token: names of the parameters."""
        start, size = int(self.p.get(token) or 0), int(self.p.get(most) or default)
        rest = items[start:start + size]
        return rest, str(start + size) if start + size < len(items) else None


def is_read(operation):
    return operation.startswith(READS)
