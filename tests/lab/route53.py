"""The Route 53 API, REST-XML 2013-04-01, as far as runbooks use it. It verifies each signature by itself."""
import datetime
import re
import urllib.parse
import xml.etree.ElementTree as xml
from xml.sax.saxutils import escape

import healthchecks
import sigv4
import web
import zone

NS = "https://route53.amazonaws.com/doc/2013-04-01/"
HEAD = '<?xml version="1.0"?>\n'
STATUS = {"NoSuchHostedZone": 404, "NoSuchChange": 404, "NoSuchHealthCheck": 404, "AccessDenied": 403, "SignatureDoesNotMatch": 403,
          "InvalidClientTokenId": 403, "MissingAuthenticationToken": 403, "IncompleteSignature": 400,
          "RequestTimeTooSkewed": 403, "InternalError": 500, "ServiceUnavailable": 503}


def element(name, text):
    return "<%s>%s</%s>" % (name, escape(str(text)), name)


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def write_record(r):
    out = element("Name", r.name.replace("*", "\\052")) + element("Type", r.type)
    if r.set:
        out += element("SetIdentifier", r.set)
    if r.weight is not None:
        out += element("Weight", r.weight)
    if r.latency:
        out += element("Region", r.latency)
    if r.failover:
        out += element("Failover", r.failover)
    if r.alias:
        out += "<AliasTarget>%s%s%s</AliasTarget>" % (
            element("HostedZoneId", r.alias["zone"]), element("DNSName", zone.fqdn(r.alias["to"])),
            element("EvaluateTargetHealth", "true" if r.alias["evaluate"] else "false"))
    else:
        out += element("TTL", r.ttl) + "<ResourceRecords>%s</ResourceRecords>" % "".join(
            "<ResourceRecord>%s</ResourceRecord>" % element("Value", v) for v in r.values)
    if r.health_check:
        out += element("HealthCheckId", r.health_check)
    return "<ResourceRecordSet>%s</ResourceRecordSet>" % out


def read_record(node):
    def text(name):
        found = node.find("{*}" + name)
        return None if found is None else (found.text or "").strip()

    alias, target = None, node.find("{*}AliasTarget")
    if target is not None:
        alias = {"to": zone.fqdn(target.findtext("{*}DNSName") or ""), "zone": target.findtext("{*}HostedZoneId"),
                 "evaluate": target.findtext("{*}EvaluateTargetHealth") == "true"}
    values = [(v.text or "").strip() for v in node.findall("{*}ResourceRecords/{*}ResourceRecord/{*}Value")]
    ttl, weight = text("TTL"), text("Weight")
    return zone.Record(urllib.parse.unquote(text("Name") or "").replace("\\052", "*"), text("Type"), values,
                       None if ttl is None else int(ttl), alias, text("SetIdentifier"),
                       None if weight is None else int(weight), text("Failover"), text("Region"), text("HealthCheckId"))


class Handler(healthchecks.HealthChecks, web.Handler):
    service = "route53"
    routes = (("GET", r"/hostedzone/?", "ListHostedZones"),
              ("GET", r"/hostedzonesbyname", "ListHostedZonesByName"),
              ("GET", r"/hostedzone/([^/]+)", "GetHostedZone"),
              ("GET", r"/hostedzone/([^/]+)/rrset/?", "ListResourceRecordSets"),
              ("POST", r"/hostedzone/([^/]+)/rrset/?", "ChangeResourceRecordSets"),
              ("GET", r"/change/([^/]+)", "GetChange")) + healthchecks.HealthChecks.health_routes

    def op_of(self):
        path, _, query = self.path.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        path = urllib.parse.unquote(path)
        for method, pattern, op in self.routes:
            found = re.fullmatch("/2013-04-01" + pattern, path)
            if found and method == self.command:
                self.ids = found.groups()
                return op
        self.ids = ()
        return "Unknown"

    def refuse(self, status, code, message):
        kind = "Receiver" if status >= 500 else "Sender"
        return self.xml('<ErrorResponse xmlns="%s"><Error>%s%s%s</Error>%s</ErrorResponse>' % (
            NS, element("Type", kind), element("Code", code), element("Message", message),
            element("RequestId", self.request_id)), status)

    def throttled(self, seconds):
        return self.refuse(400, "Throttling", "Rate exceeded")

    def xml(self, text, status=200, headers=()):
        return web.Reply(status, HEAD + text, [("x-amzn-RequestId", self.request_id)] + list(headers), "text/xml")

    def admit(self, now):
        verifier = sigv4.Verifier(self.server.keys, "route53", "us-east-1")
        try:
            verifier.verify(self.command, self.path, self.headers.items(), self.body, now)
        except sigv4.Refused as e:
            return self.refuse(STATUS.get(e.code, 403), e.code, e.message)
        return None

    def act(self, op, fault):
        if op == "Unknown":
            return self.refuse(404, "UnknownOperationException", "no such operation: %s %s" % (self.command, self.path))
        try:
            return getattr(self, "do_" + op)(fault)
        except zone.Refused as e:
            if e.code == "InvalidChangeBatch":
                return self.refuse(400, e.code, "[%s]" % ", ".join(e.messages))
            return self.refuse(STATUS.get(e.code, 400), e.code, e.messages[0])
        except (xml.ParseError, ValueError, TypeError) as e:
            return self.refuse(400, "InvalidInput", "Invalid XML: %s" % e)

    def zone_xml(self, z):
        return "<HostedZone>%s%s%s<Config><PrivateZone>false</PrivateZone></Config>%s</HostedZone>" % (
            element("Id", "/hostedzone/" + z.id), element("Name", z.name), element("CallerReference", "lab"),
            element("ResourceRecordSetCount", len(z.records)))

    def do_ListHostedZones(self, _):
        zones = sorted(self.server.store.zones.values(), key=lambda z: z.id)
        return self.xml('<ListHostedZonesResponse xmlns="%s"><HostedZones>%s</HostedZones><IsTruncated>false</IsTruncated>'
                        "<MaxItems>100</MaxItems></ListHostedZonesResponse>" % (NS, "".join(map(self.zone_xml, zones))))

    def do_ListHostedZonesByName(self, _):
        first = zone.order(self.query.get("dnsname", ""))
        zones = sorted((z for z in self.server.store.zones.values() if zone.order(z.name) >= first),
                       key=lambda z: zone.order(z.name))
        return self.xml('<ListHostedZonesByNameResponse xmlns="%s"><HostedZones>%s</HostedZones><IsTruncated>false</IsTruncated>'
                        "<MaxItems>100</MaxItems></ListHostedZonesByNameResponse>" % (NS, "".join(map(self.zone_xml, zones))))

    def do_GetHostedZone(self, _):
        z = self.server.store.zone(self.ids[0])
        return self.xml('<GetHostedZoneResponse xmlns="%s">%s<DelegationSet><NameServers>%s</NameServers></DelegationSet>'
                        "</GetHostedZoneResponse>" % (NS, self.zone_xml(z), "".join(
                            element("NameServer", s.rstrip(".")) for s in z.servers)))

    def do_ListResourceRecordSets(self, _):
        z = self.server.store.zone(self.ids[0])
        most = max(1, min(int(self.query.get("maxitems", "300")), 300))
        if "type" in self.query and "name" not in self.query:
            return self.refuse(400, "InvalidInput", "The input is not valid: type without name")
        first = (zone.order(self.query["name"]) if "name" in self.query else (),
                 self.query.get("type", ""), self.query.get("identifier", ""))
        with self.server.store.lock:
            sets = [r for r in z.sets() if r.key >= first]
        page, more, rest = sets[:most], len(sets) > most, ""
        if more:
            rest = element("NextRecordName", sets[most].name) + element("NextRecordType", sets[most].type)
            if sets[most].set:
                rest += element("NextRecordIdentifier", sets[most].set)
        return self.xml('<ListResourceRecordSetsResponse xmlns="%s"><ResourceRecordSets>%s</ResourceRecordSets>%s%s%s'
                        "</ListResourceRecordSetsResponse>" % (
                            NS, "".join(map(write_record, page)), element("IsTruncated", "true" if more else "false"),
                            rest, element("MaxItems", most)))

    def do_ChangeResourceRecordSets(self, fault):
        root = xml.fromstring(self.body)
        batch = root.find("{*}ChangeBatch")
        if not root.tag.endswith("}ChangeResourceRecordSetsRequest") or batch is None:
            raise ValueError("expected ChangeResourceRecordSetsRequest with a ChangeBatch")
        actions = []
        for node in batch.findall("{*}Changes/{*}Change"):
            action = (node.findtext("{*}Action") or "").strip()
            if action not in ("CREATE", "DELETE", "UPSERT"):
                raise ValueError("unknown action '%s'" % action)
            actions.append((action, read_record(node.find("{*}ResourceRecordSet"))))
        comment = batch.findtext("{*}Comment") or ""
        change = self.server.store.change(self.ids[0], actions, comment, fault.get("pending"))
        self.server.ledger.write("route53", "ChangeResourceRecordSets", request=self.request_id, body=self.body,
                                 key=change.id, zone=self.ids[0], comment=comment,
                                 changes=[{"action": a, "record": r.show()} for a, r in actions])
        return self.change_xml("ChangeResourceRecordSetsResponse", change)

    def do_GetChange(self, _):
        return self.change_xml("GetChangeResponse", self.server.store.get_change(self.ids[0]))

    def change_xml(self, name, change):
        comment = element("Comment", change.comment) if change.comment else ""
        return self.xml('<%s xmlns="%s"><ChangeInfo>%s%s%s%s</ChangeInfo></%s>' % (
            name, NS, element("Id", "/change/" + change.id), element("Status", change.status()),
            element("SubmittedAt", stamp(change.submitted)), comment, name))
