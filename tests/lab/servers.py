"""The daemon of the lab: AWS, name servers, the front of S3, mail, webhooks, and the door by which they are scripted."""
import argparse
import functools
import json
import os
import signal
import ssl
import threading

import faults
import hooks
import ledger
import mailserver
import nameserver
import pgfront
import route53
import s3front
import sigv4
import web
import zone

KEYS = {"AKIALAB00000000LAB01": "lab-secret-key-that-opens-nothing-real-0"}
ZONE = "Z0KHORIUM"
ALB_ZONE = "Z368ELLRRE2KJ0"
PRODUCTION = "webdev-alb-1882895883.us-west-1.elb.amazonaws.com."
STAGING = "webdev-alb-stg-699722072.us-west-1.elb.amazonaws.com."
EAST, WEST, CDN = "primary-lb.us-east-1.elb.amazonaws.com.", "dr-lb.us-west-2.elb.amazonaws.com.", "d1111lab1111.cloudfront.net."
CHECK = "00000000-0000-0000-0000-000000000000"
SERVERS = ["ns-1.lab-dns.net.", "ns-2.lab-dns.net."]


def first_state(store, net):
    """The world before anything was done."""
    def at(n):
        return "127.77.%d.%d" % (net, n)

    def alias(name):
        return zone.Record(name, "A", alias={"to": PRODUCTION, "zone": ALB_ZONE, "evaluate": True})

    with store.lock:
        store.zones = {ZONE: zone.Zone(ZONE, "khorium.ai", SERVERS, [
            alias("app.khorium.ai"), alias("drill.khorium.ai"),
            zone.Record("app.khorium.ai", "HTTPS", ["1 . alpn=h2"], 300),
            zone.Record("app.khorium.ai", "TXT", ['"v=lab"'], 300),
            zone.Record("db.khorium.ai", "CNAME", ["production.lab-dns.net"], 60),
            zone.Record("split.khorium.ai", "A", [at(2)], 60, set="production", weight=100),
            zone.Record("split.khorium.ai", "A", [at(3)], 60, set="staging", weight=0),
            zone.Record("pair.khorium.ai", "A", [at(2)], 60, set="primary", failover="PRIMARY"),
            zone.Record("pair.khorium.ai", "A", [at(3)], 60, set="secondary", failover="SECONDARY")])}
        for id, name, records in other_zones():
            store.zones[id] = zone.Zone(id, name, SERVERS, records)
        store.checks = {CHECK: {"Type": "HTTPS", "FullyQualifiedDomainName": "production.lab-dns.net", "Port": 8443, "ResourcePath": "/api/health",
                                "RequestInterval": 30, "FailureThreshold": 3, "Inverted": False, "Disabled": False, "EnableSNI": True, "version": 1}}
        store.changes, store.down = {}, set()
        elb, dns = "us-west-1.elb.amazonaws.com.", "lab-dns.net."
        soa = SERVERS[0] + " hostmaster.lab-dns.net. 1 7200 900 1209600 60"
        store.hosts = {
            PRODUCTION: {"zone": elb, "A": [at(2)]}, STAGING: {"zone": elb, "A": [at(3)]},
            elb: {"zone": elb, "NS": SERVERS, "SOA": [soa]}, dns: {"zone": dns, "NS": SERVERS, "SOA": [soa]},
            SERVERS[0]: {"zone": dns, "A": [at(1)]}, SERVERS[1]: {"zone": dns, "A": [at(4)]},
            "production.lab-dns.net.": {"zone": dns, "A": [at(2)]}, "staging.lab-dns.net.": {"zone": dns, "A": [at(3)]},
            EAST: {"zone": "us-east-1.elb.amazonaws.com.", "A": [at(2)]}, WEST: {"zone": "us-west-2.elb.amazonaws.com.", "A": [at(3)]},
            CDN: {"zone": "cloudfront.net.", "A": [at(2)]},
            "lab.lab-dns.net.": {"zone": dns, "A": [at(1)]},
            "localhost.": {"zone": "localhost.", "A": ["127.0.0.1"], "AAAA": ["::1"]}}


def other_zones():
    """A weighted pair, the alias of a distribution, and a failover pair behind a health check."""
    def pair(name, **how):
        return [zone.Record(name, "CNAME", [to], 60, set=set, **{k: v[n] for k, v in how.items()})
                for n, (set, to) in enumerate((("primary", "production.lab-dns.net"), ("secondary", "staging.lab-dns.net")))]
    weighted = [zone.Record("api.honua.io", "A", alias={"to": to, "zone": z, "evaluate": False}, set=set, weight=weight)
                for set, to, z, weight in (("Primary", EAST, "Z12345EXAMPLE", 100), ("DR", WEST, "Z67890EXAMPLE", 0))]
    return (("Z0HONUA", "honua.io", weighted),
            ("Z0025989W9J32N8Q1R0", "devops.konitron.com", [
                zone.Record("bardhi.devops.konitron.com", "A", alias={"to": CDN, "zone": "Z2FDTNDATAQYW2", "evaluate": False})]),
            ("Z1234567890ABC", "provability-fabric.org", pair("db.provability-fabric.org", failover=("PRIMARY", "SECONDARY"), health_check=(CHECK, None))
             + [zone.Record("sidecar.provability-fabric.org", "CNAME", ["production.lab-dns.net"], 60),
                zone.Record("api.provability-fabric.org", "CNAME", ["production.lab-dns.net"], 60),
                zone.Record("blue.provability-fabric.org", "CNAME", ["production.lab-dns.net"], 60)]))


class Control(web.Handler):
    service = "control"

    def act(self, op, fault):
        server, path = self.server, self.path.partition("?")[0]
        try:
            if self.command == "GET" and path == "/ping":
                return web.Reply(200, "%d\n" % os.getpid(), kind="text/plain")
            if self.command == "GET" and path == "/":                # what checkip.amazonaws.com answers
                return web.Reply(200, self.client_address[0] + "\n", kind="text/plain")
            if self.command == "GET" and path == "/script":
                return web.Reply(200, json.dumps(server.script.show()))
            if self.command == "POST" and path == "/script":
                server.script.add(json.loads(self.body))
                return web.Reply(200, "{}")
            if self.command == "DELETE" and path.startswith("/script"):
                server.script.clear(path[8:] or None)
                return web.Reply(200, "{}")
            if self.command == "POST" and path == "/health":
                for name, up in json.loads(self.body).items():
                    (server.store.down.discard if up else server.store.down.add)(zone.fqdn(name))
                return web.Reply(200, "{}")
            if self.command == "GET" and path == "/records":
                with server.store.lock:
                    return web.Reply(200, json.dumps({z.id: [r.show() for r in z.sets()] for z in server.store.zones.values()}))
            if path.startswith("/cloud/"):
                told = server.cloud().door(self.command, path[7:], json.loads(self.body or b"{}"))
                return web.Reply(200, json.dumps(told, default=str))
            if self.command == "POST" and path == "/reset":
                first_state(server.store, server.net)
                server.cloud().reset()
                server.script.clear()
                server.ledger.clear()
                return web.Reply(200, "{}")
        except (ValueError, KeyError, TypeError) as e:
            return web.Reply(400, json.dumps({"error": str(e)}))
        return web.Reply(404, '{"error":"no such door"}')


class Late:
    """A handler that is read when its first request comes: botocore takes a second, and the lab is not to wait for it."""

    def __init__(self, find):
        self.find = find

    def __call__(self, *args):
        return self.find()(*args)


def cloud_of(parts):
    """The AWS world, made once and when it is first asked for; the handlers of its requests and of an instance's metadata."""
    @functools.lru_cache(None)
    def make():
        from cloud import front, metadata, world
        return world.World(parts["ledger"], KEYS, parts["net"], parts["store"]), front.Handler, metadata.Handler
    lock = threading.Lock()

    def get(n):
        with lock:
            return make()[n]
    return lambda: get(0), Late(lambda: get(1)), Late(lambda: get(2))


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--net", type=int, required=True)
    args.add_argument("--dir", required=True)
    args = args.parse_args()
    lab, other = "127.77.%d.1" % args.net, "127.77.%d.4" % args.net
    script, store = faults.Script(), zone.Store()
    control = web.Server((lab, 8000), Control, script=script, store=store, net=args.net)     # who has this port has the net
    book = ledger.Ledger(os.path.join(args.dir, "ledger.jsonl"))
    first_state(store, args.net)
    parts = {"script": script, "store": store, "ledger": book, "keys": KEYS, "net": args.net}
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(os.path.join(args.dir, "certs/site.pem"), os.path.join(args.dir, "certs/site.key"))
    mails = os.path.join(args.dir, "mail")
    os.makedirs(mails, exist_ok=True)

    answerer = nameserver.Answerer(store, script)
    for address, second in ((lab, False), (other, True)):
        nameserver.start((address, 5300), answerer, second)
        try:
            nameserver.start((address, 53), answerer, second)      # only root may
        except OSError:
            pass
    web.Server((lab, 8053), route53.Handler, **parts).start()
    cloud, handler, metadata = cloud_of(parts)
    for port in (8054, 8055):
        web.Server((lab, port), handler, cloud=cloud, behind=(lab, 9001), **parts).start()
    web.Server((lab, 8056), metadata, cloud=cloud, **parts).start()
    threading.Thread(target=cloud, daemon=True).start()
    web.Server((lab, 9000), s3front.Handler, behind=(lab, 9001), **parts).start()
    web.Server((lab, 8065), hooks.Handler, **parts).start()
    mailserver.Server((lab, 2525), folder=mails, tls=tls, users={"rbx": "lab-mail-password"}, **parts).start()
    for name, number in (("production", 2), ("staging", 3)):
        address = "127.77.%d.%d" % (args.net, number)
        for port in (15433, 5432):             # 5432 is where RDS says that its databases answer
            try:
                pgfront.Server((address, port), behind=(address, 15432), name=name, script=script, ledger=book).start()
            except OSError:
                if port == 15433:
                    raise
    control.ledger, control.cloud = book, cloud
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    control.start()
    stop.wait()
    os._exit(0)


if __name__ == "__main__":
    main()
