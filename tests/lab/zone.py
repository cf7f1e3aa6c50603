"""The lab's Route 53: hosted zones, change batches that hold whole or not at all, and what the name servers answer from them."""
import ipaddress
import random
import threading
import time
import uuid

TYPES = ("A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT")
ROUTING = ("weight", "failover", "latency")


class Refused(Exception):
    def __init__(self, code, messages):
        self.code = code
        self.messages = [messages] if isinstance(messages, str) else messages
        super().__init__("; ".join(self.messages))


def fqdn(name):
    return name.lower().rstrip(".") + "."


def order(name):
    return tuple(reversed(fqdn(name).rstrip(".").split(".")))


class Record:
    """One resource record set."""

    def __init__(self, name, type, values=(), ttl=None, alias=None, set=None, weight=None, failover=None,
                 latency=None, health_check=None):
        self.name, self.type, self.values, self.ttl = fqdn(name), type, list(values), ttl
        self.alias = alias            # {"to": name, "zone": id, "evaluate": bool}
        self.set, self.weight, self.failover, self.latency = set, weight, failover, latency
        self.health_check = health_check

    @property
    def key(self):
        return (order(self.name), self.type, self.set or "")

    def same(self, other):
        return self.__dict__ == other.__dict__

    def routing(self):
        return [r for r in ROUTING if getattr(self, r) is not None]

    def show(self):
        return {k: v for k, v in self.__dict__.items() if v not in (None, [], ())}


class Change:
    def __init__(self, comment, insync_at):
        self.id = "C" + uuid.uuid4().hex[:20].upper()
        self.comment, self.submitted, self.insync_at = comment, time.time(), insync_at

    def status(self):
        return "INSYNC" if time.monotonic() >= self.insync_at else "PENDING"


class Zone:
    def __init__(self, id, name, servers, records):
        self.id, self.name, self.servers = id, fqdn(name), servers
        base = [Record(self.name, "NS", servers, 172800),
                Record(self.name, "SOA", ["%s awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400" % servers[0]], 900)]
        self.records = {r.key: r for r in base + records}
        self.former, self.former_until = None, 0.0      # what a server that lags behind still answers

    def sets(self):
        return [self.records[k] for k in sorted(self.records)]


class Store:
    """All zones. Every change goes through `change`, which is atomic."""

    def __init__(self, settle=0.2):
        self.zones, self.changes, self.lock = {}, {}, threading.RLock()
        self.settle = settle
        self.hosts = {}               # names outside the hosted zones: load balancers, name servers
        self.checks = {}              # health checks by id
        self.down = set()             # targets that are unhealthy

    def zone(self, id):
        id = id.rpartition("/")[2]
        if id not in self.zones:
            raise Refused("NoSuchHostedZone", "No hosted zone found with ID: " + id)
        return self.zones[id]

    def change(self, zone_id, actions, comment="", settle=None):
        """actions: list of (CREATE | DELETE | UPSERT, Record)."""
        with self.lock:
            zone = self.zone(zone_id)
            if not actions:
                raise Refused("InvalidInput", "1 validation error detected: the list of changes is empty")
            if len(actions) > 1000:
                raise Refused("InvalidChangeBatch", "Number of records limit of 1000 exceeded.")
            next_, wrong, seen = dict(zone.records), [], set()
            for action, record in actions:
                problem = self._apply(zone, next_, action, record)
                if problem is None and (action, record.key) in seen:
                    problem = "The request contains an invalid set of changes for a resource record set '%s %s'" % (
                        record.type, record.name)
                seen.add((action, record.key))
                if problem:
                    wrong.append(problem)
            wrong = wrong or self._whole(zone, next_)
            if wrong:
                raise Refused("InvalidChangeBatch", wrong)
            delay = self.settle if settle is None else settle
            change = Change(comment, time.monotonic() + delay)
            zone.former, zone.former_until = zone.records, change.insync_at
            zone.records = next_
            self.changes[change.id] = change
            return change

    def get_change(self, id):
        id = id.rpartition("/")[2]
        with self.lock:
            if id not in self.changes:
                raise Refused("NoSuchChange", "Could not find resource with ID: " + id)
            return self.changes[id]

    @staticmethod
    def _apply(zone, records, action, r):
        place = "[name='%s', type='%s'%s]" % (r.name, r.type, ", set-identifier='%s'" % r.set if r.set else "")
        if r.name != zone.name and not r.name.endswith("." + zone.name):
            return "RRSet with DNS name %s is not permitted in zone %s" % (r.name, zone.name)
        if r.type in ("NS", "SOA") and r.name == zone.name and action != "UPSERT":
            return "A HostedZone must contain at least one NS record for the zone itself, and exactly one SOA record."
        if action == "DELETE":
            if r.key not in records:
                return "Tried to delete resource record set %s but it was not found" % place
            if not records[r.key].same(r):
                return "Tried to delete resource record set %s but the values provided do not match the current values" % place
            del records[r.key]
            return None
        if action == "CREATE" and r.key in records:
            return "Tried to create resource record set %s but it already exists" % place
        problem = Store._record(r)
        if problem is None:
            records[r.key] = r
        return problem

    @staticmethod
    def _record(r):
        if r.type not in TYPES:
            return "Invalid resource record type: '%s'" % r.type
        if r.alias and (r.values or r.ttl is not None):
            return "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]], but found more than one"
        if not r.alias and (not r.values or r.ttl is None):
            return "Invalid request: Missing field 'TTL' or 'ResourceRecords' in Change with [Name=%s, Type=%s]" % (r.name, r.type)
        if bool(r.set) != (len(r.routing()) == 1) or len(r.routing()) > 1:
            return "Invalid request: Missing field 'SetIdentifier' in Change with [Name=%s, Type=%s, SetIdentifier=%s]" % (
                r.name, r.type, r.set)
        if r.weight is not None and not 0 <= r.weight <= 255:
            return "Invalid XML; weight must be between 0 and 255"
        if r.failover not in (None, "PRIMARY", "SECONDARY"):
            return "Invalid failover value '%s'" % r.failover
        if r.ttl is not None and not 0 <= r.ttl <= 2147483647:
            return "Invalid TTL %d" % r.ttl
        for value in r.values:
            try:
                if r.type == "A":
                    ipaddress.IPv4Address(value)
                elif r.type == "AAAA":
                    ipaddress.IPv6Address(value)
            except ValueError:
                return "Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IP address) encountered with '%s''" % value
        return None

    @staticmethod
    def _whole(zone, records):
        wrong, by_name = [], {}
        for r in records.values():
            by_name.setdefault(r.name, []).append(r)
        for name, here in by_name.items():
            types = {r.type for r in here}
            if "CNAME" in types and (len(types) > 1 or name == zone.name):
                wrong.append("RRSet of type CNAME with DNS name %s is not permitted as it conflicts with other records "
                             "with the same DNS name in zone %s" % (name, zone.name))
            for type in types:
                sets = [r for r in here if r.type == type]
                kinds = {tuple(r.routing()) for r in sets}
                if len(kinds) > 1:
                    wrong.append("RRSet with DNS name %s, type %s cannot be created as other RRSets exist with the "
                                 "same name and type and another routing" % (name, type))
                for half in ("PRIMARY", "SECONDARY"):
                    if sum(r.failover == half for r in sets) > 1:
                        wrong.append("RRSet with DNS name %s, type %s has two sets with failover %s" % (name, type, half))
        return wrong

    # What the name servers say.
    def holder(self, name):
        fits = [z for z in self.zones.values() if name == z.name or name.endswith("." + z.name)]
        return max(fits, key=lambda z: len(z.name), default=None)

    def lookup(self, name, type, lagging=False):
        """(zone or None, exists, [(name, type, ttl, value)]). lagging: as a server answers that a change has not reached."""
        name = fqdn(name)
        with self.lock:
            return self._lookup(name, type, lagging, 0)

    def _lookup(self, name, type, lagging, depth):
        if name in self.hosts:
            return self.hosts[name].get("zone", "amazonaws.com."), True, [
                (name, t, 60, v) for t, values in self.hosts[name].items() if t == type for v in values]
        zone = self.holder(name)
        if zone is None:
            return None, False, []
        records = zone.records
        if lagging and zone.former is not None and time.monotonic() < zone.former_until:
            records = zone.former
        here = [r for r in records.values() if r.name == name]
        if not here and name.count(".") > 2:
            star = "*." + name.partition(".")[2]
            here = [r for r in records.values() if r.name == star]
        exists = bool(here) or any(r.name.endswith("." + name) for r in records.values())
        sets = [r for r in here if r.type == type] or [r for r in here if r.type == "CNAME"]
        answers = []
        for r in self._choose(sets):
            if r.alias is None:
                answers += [(name, r.type, r.ttl, v) for v in r.values]
                if r.type == "CNAME" and type != "CNAME" and depth < 8:
                    answers += self._lookup(fqdn(r.values[0]), type, lagging, depth + 1)[2]
            elif depth < 8:
                answers += [(name, t, 60 if ttl is None else ttl, v)
                            for _, t, ttl, v in self._lookup(fqdn(r.alias["to"]), type, lagging, depth + 1)[2]]
        return zone.name, exists, answers

    def healthy(self, r):
        target = r.alias["to"] if r.alias else (r.values or [""])[0]
        return fqdn(target) not in self.down and (not r.health_check or self.check_up(r.health_check))

    def endpoint_up(self, id):
        """Whether the endpoint of a health check answers; the id itself may be told to be down as well."""
        names = [id, self.checks.get(id, {}).get("FullyQualifiedDomainName", "")]
        return not any(n and (n in self.down or fqdn(n) in self.down) for n in names)

    def check_up(self, id):
        check = self.checks.get(id, {})
        return (check.get("Disabled", False) or self.endpoint_up(id)) != check.get("Inverted", False)

    def _choose(self, sets):
        if not sets or not sets[0].routing():
            return sets
        how, live = sets[0].routing()[0], [r for r in sets if self.healthy(r)] or sets
        if how == "failover":
            return sorted(live, key=lambda r: r.failover)[:1]
        if how == "weight":
            weights = [r.weight for r in live]
            if not any(weights):          # all others are unhealthy: Route 53 answers with those of weight 0
                weights = [1] * len(live)
            return random.choices(live, weights)
        return live[:1]
