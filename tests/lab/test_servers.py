"""The lab's own servers, in this process: what they answer, what they keep, and in which order."""
import datetime
import http.client
import json
import os
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import unittest

import dnswire
import faults
import hooks
import ledger
import mailserver
import nameserver
import route53
import s3front
import servers
import web
import zone

LAB = "127.77.250.1"


class World(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.book = ledger.Ledger(os.path.join(self.folder.name, "ledger.jsonl"))
        self.script, self.store = faults.Script(), zone.Store(settle=0)
        servers.first_state(self.store, 250)

    def serve(self, handler, **parts):
        server = web.Server((LAB, 0), handler, script=self.script, store=self.store, ledger=self.book, keys=servers.KEYS, **parts)
        server.start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_address[1]

    def lines(self):
        return ledger.read(self.book.path)


def batch(action, name="app.khorium.ai", to=servers.STAGING):
    return ("""<?xml version="1.0"?><ChangeResourceRecordSetsRequest xmlns="%s"><ChangeBatch><Comment>run one</Comment><Changes><Change>
<Action>%s</Action><ResourceRecordSet><Name>%s</Name><Type>A</Type><AliasTarget><HostedZoneId>Z368ELLRRE2KJ0</HostedZoneId>
<DNSName>%s</DNSName><EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget></ResourceRecordSet></Change></Changes>
</ChangeBatch></ChangeResourceRecordSetsRequest>""" % (route53.NS, action, name, to)).encode()


class Route53(World):
    def setUp(self):
        super().setUp()
        self.port = self.serve(route53.Handler)

    def ask(self, method, path, body=b"", query="", keys=servers.KEYS, now=None):
        host = "%s:%d" % (LAB, self.port)
        headers = s3front.sign(keys, method, host, path, body, query, "us-east-1", "route53", now)
        link = http.client.HTTPConnection(LAB, self.port, timeout=10)
        try:
            link.request(method, path + ("?" + query if query else ""), body, headers)
            got = link.getresponse()
            return got.status, got.read().decode()
        finally:
            link.close()

    def change(self, body=None, **how):
        return self.ask("POST", "/2013-04-01/hostedzone/Z0KHORIUM/rrset/", batch("UPSERT") if body is None else body, **how)

    def address(self):
        return [r[3] for r in self.store.lookup("app.khorium.ai", "A")[2]]

    def test_change_and_its_ledger(self):
        status, text = self.change()
        self.assertEqual(status, 200)
        id = text.partition("<Id>/change/")[2].partition("<")[0]
        self.assertIn("INSYNC", self.ask("GET", "/2013-04-01/change/" + id)[1])
        self.assertEqual(self.address(), ["127.77.250.3"])
        line, = self.lines()
        self.assertEqual((line["op"], line["comment"], line["key"]), ("ChangeResourceRecordSets", "run one", id))

    def test_bad_signature_changes_nothing(self):
        status, text = self.change(keys={next(iter(servers.KEYS)): "wrong"})
        self.assertEqual(status, 403)
        self.assertIn("<Code>SignatureDoesNotMatch</Code>", text)
        self.assertEqual(self.address(), ["127.77.250.2"])
        self.assertEqual(self.lines(), [])

    def test_clock_that_is_off(self):
        late = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
        self.assertIn("Signature expired", self.change(now=late)[1])
        self.script.add({"service": "route53", "skew": 3600})
        self.assertIn("Signature expired", self.change()[1])

    def test_answer_waits_for_the_ledger(self):
        entered, go, write = threading.Event(), threading.Event(), self.book.write

        def slow(*args, **how):
            entered.set()
            go.wait(10)
            write(*args, **how)
        self.book.write = slow
        got = []
        thread = threading.Thread(target=lambda: got.append(self.change()[0]))
        thread.start()
        self.assertTrue(entered.wait(10))
        self.assertEqual(got, [])
        go.set()
        thread.join()
        self.assertEqual(got, [200])
        self.assertEqual(len(self.lines()), 1)

    def test_cut_at_every_byte_keeps_the_effect(self):
        for n in range(0, 400, 7):
            with self.subTest(cut=n):
                self.script.add({"service": "route53", "op": "ChangeResourceRecordSets", "cut": n, "times": 1})
                before = len(self.lines())
                with self.assertRaises((OSError, http.client.HTTPException)):
                    self.change()
                self.assertEqual(len(self.lines()), before + 1)

    def test_drop_and_before_have_no_effect(self):
        self.script.add({"service": "route53", "drop": 1, "times": 1})
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.change()
        self.script.add({"service": "route53", "before": 503, "times": 1})
        self.assertEqual(self.change()[0], 503)
        self.script.add({"service": "route53", "throttle": 1, "times": 1})
        self.assertIn("<Code>Throttling</Code>", self.change()[1])
        self.assertEqual(self.lines(), [])
        self.assertEqual(self.change()[0], 200)

    def test_after_has_the_effect(self):
        self.script.add({"service": "route53", "after": 500, "times": 1})
        self.assertEqual(self.change()[0], 500)
        self.assertEqual(len(self.lines()), 1)
        self.assertEqual(self.address(), ["127.77.250.3"])

    def test_pending(self):
        self.script.add({"service": "route53", "pending": 3600})
        id = self.change()[1].partition("<Id>/change/")[2].partition("<")[0]
        self.assertIn("PENDING", self.ask("GET", "/2013-04-01/change/" + id)[1])
        self.assertEqual([r[3] for r in self.store.lookup("app.khorium.ai", "A", lagging=True)[2]], ["127.77.250.2"])

    def test_batch_holds_whole_or_not_at_all(self):
        body = batch("UPSERT").replace(b"</Changes>", batch("CREATE").partition(b"<Changes>")[2].partition(b"</Changes>")[0] + b"</Changes>")
        status, text = self.change(body)
        self.assertEqual(status, 400)
        self.assertIn("<Code>InvalidChangeBatch</Code>", text)
        self.assertIn("already exists", text)
        self.assertEqual(self.address(), ["127.77.250.2"])

    def test_list_pages(self):
        text = self.ask("GET", "/2013-04-01/hostedzone/Z0KHORIUM/rrset", query="maxitems=1&name=app.khorium.ai&type=A")[1]
        self.assertIn("<IsTruncated>true</IsTruncated><NextRecordName>app.khorium.ai.</NextRecordName><NextRecordType>HTTPS", text)
        self.assertIn("<Code>NoSuchHostedZone</Code>", self.ask("GET", "/2013-04-01/hostedzone/ZNOPE/rrset")[1])


class Zones(World):
    def refused(self, *actions):
        with self.assertRaises(zone.Refused) as caught:
            self.store.change("Z0KHORIUM", list(actions))
        return caught.exception.messages

    def test_rules_of_a_batch(self):
        record = zone.Record
        for name, action in {
            "no such record": ("DELETE", record("none.khorium.ai", "A", ["1.2.3.4"], 60)),
            "other values": ("DELETE", record("app.khorium.ai", "TXT", ['"other"'], 300)),
            "foreign name": ("CREATE", record("app.example.org", "A", ["1.2.3.4"], 60)),
            "no address": ("CREATE", record("new.khorium.ai", "A", ["1.2.3"], 60)),
            "no ttl": ("CREATE", record("new.khorium.ai", "A", ["1.2.3.4"])),
            "beside a cname": ("CREATE", record("db.khorium.ai", "TXT", ['"x"'], 60)),
            "simple beside weighted": ("CREATE", record("split.khorium.ai", "A", ["1.2.3.4"], 60)),
            "weight without set": ("CREATE", record("new.khorium.ai", "A", ["1.2.3.4"], 60, weight=1)),
            "second primary": ("CREATE", record("pair.khorium.ai", "A", ["1.2.3.4"], 60, set="x", failover="PRIMARY")),
        }.items():
            with self.subTest(name):
                self.assertTrue(self.refused(action))

    def test_failover_follows_health(self):
        def now():
            return [r[3] for r in self.store.lookup("pair.khorium.ai", "A")[2]]
        self.assertEqual(now(), ["127.77.250.2"])
        self.store.down.add("127.77.250.2.")
        self.assertEqual(now(), ["127.77.250.3"])

    def test_weight_nought_answers_only_when_the_rest_is_ill(self):
        def now():
            return {r[3] for _ in range(20) for r in self.store.lookup("split.khorium.ai", "A")[2]}
        self.assertEqual(now(), {"127.77.250.2"})
        self.store.down.add("127.77.250.2.")
        self.assertEqual(now(), {"127.77.250.3"})


class Names(World):
    def setUp(self):
        super().setUp()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((LAB, 0))
            self.port = s.getsockname()[1]
        nameserver.start((LAB, self.port), nameserver.Answerer(self.store, self.script), False)

    def udp(self, name, type, edns=1232):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(10)
            s.sendto(dnswire.question(name, type, 99, edns=edns), (LAB, self.port))
            return dnswire.parse(s.recv(4096))

    def tcp(self, name, type):
        with socket.create_connection((LAB, self.port), timeout=10) as s:
            data = dnswire.question(name, type, 99)
            s.sendall(struct.pack("!H", len(data)) + data)
            f = s.makefile("rb")
            return dnswire.parse(f.read(struct.unpack("!H", f.read(2))[0]))

    def test_alias_is_answered_with_addresses(self):
        for ask in (self.udp, self.tcp):
            got = ask("app.khorium.ai", "A")
            self.assertTrue(got["flags"] & dnswire.AA)
            self.assertEqual(got["answers"], [("app.khorium.ai.", "A", 60, "127.77.250.2")])

    def test_chain_of_a_cname(self):
        self.assertEqual([r[3] for r in self.udp("db.khorium.ai", "A")["answers"]], ["production.lab-dns.net.", "127.77.250.2"])

    def test_nothing_there(self):
        got = self.udp("app.khorium.ai", "AAAA")
        self.assertEqual((got["rcode"], got["answers"], got["authority"][0][1]), (0, [], "SOA"))
        self.assertEqual(self.udp("none.khorium.ai", "A")["rcode"], dnswire.NXDOMAIN)

    def test_servers_of_the_zone_have_addresses(self):
        names = [r[3] for r in self.udp("khorium.ai", "NS")["answers"]]
        self.assertEqual([self.udp(n, "A")["answers"][0][3] for n in names], [LAB, "127.77.250.4"])

    def test_tc_on_demand(self):
        self.script.add({"service": "dns", "truncate": 1, "times": 1})
        self.assertTrue(self.udp("app.khorium.ai", "A")["flags"] & dnswire.TC)

    def test_other_records(self):
        self.assertEqual(self.udp("app.khorium.ai", "TXT")["answers"][0][3], '"v=lab"')
        self.assertEqual(self.udp("khorium.ai", "SOA")["answers"][0][1], "SOA")
        self.assertEqual(self.udp("app.khorium.ai", "HTTPS")["answers"][0][1], "HTTPS")


class Hooks(World):
    def setUp(self):
        super().setUp()
        self.port = self.serve(hooks.Handler)

    def post(self, path, data):
        link = http.client.HTTPConnection(LAB, self.port, timeout=10)
        link.request("POST", path, data if isinstance(data, str) else json.dumps(data))
        got = link.getresponse()
        answer = got.status, got.read().decode(), got.headers
        link.close()
        return answer

    def test_slack(self):
        self.assertEqual(self.post("/services/T/B/X", {"text": "hello"})[:2], (200, "ok"))
        self.assertEqual(self.post("/services/T/B/X", {})[:2], (400, "no_text"))
        self.assertEqual([l["data"] for l in self.lines()], [{"text": "hello"}])

    def test_too_fast(self):
        self.script.add({"service": "webhook", "throttle": 7, "times": 1})
        status, _, headers = self.post("/services/T/B/X", {"text": "hello"})
        self.assertEqual((status, headers["Retry-After"]), (429, "7"))
        self.assertEqual(self.lines(), [])

    def test_pagerduty(self):
        event = {"routing_key": "0" * 32, "event_action": "trigger", "dedup_key": "one",
                 "payload": {"summary": "s", "source": "rbx", "severity": "critical"}}
        self.assertEqual(self.post("/v2/enqueue", event)[0], 202)
        self.assertEqual(self.lines()[0]["key"], "one")
        event["payload"]["severity"] = "loud"
        self.assertEqual(self.post("/v2/enqueue", event)[0], 400)


class Mail(World):
    def setUp(self):
        super().setUp()
        base = os.path.join(self.folder.name, "mail")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                        "/CN=localhost", "-keyout", base + ".key", "-out", base + ".pem"], check=True, stderr=subprocess.DEVNULL)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(base + ".pem", base + ".key")
        server = mailserver.Server((LAB, 0), script=self.script, ledger=self.book, folder=self.folder.name, tls=tls,
                                   users={"rbx": "password"}).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.port = server.server_address[1]

    def send(self, secure=True, password="password"):
        import smtplib
        with smtplib.SMTP(LAB, self.port, timeout=10) as s:
            if secure:
                s.starttls(context=ssl._create_unverified_context())
                s.login("rbx", password)
            s.sendmail("a@lab", ["b@lab"], "Message-ID: <one@rbx>\r\nSubject: x\r\n\r\n.dot\r\n")

    def test_kept(self):
        for secure in (True, False):
            self.send(secure)
        self.assertEqual([(l["key"], l["secure"], l["user"]) for l in self.lines()], [("<one@rbx>", True, "rbx"), ("<one@rbx>", False, None)])
        with open(os.path.join(self.folder.name, self.lines()[0]["request"] + ".eml"), "rb") as f:
            self.assertTrue(f.read().endswith(b"\r\n\r\n.dot\r\n"))

    def test_refused_or_lost(self):
        import smtplib
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            self.send(password="wrong")
        self.script.add({"service": "smtp", "op": "data", "before": 451, "times": 1})
        with self.assertRaises(smtplib.SMTPDataError):
            self.send()
        self.assertEqual(self.lines(), [])
        self.script.add({"service": "smtp", "op": "data", "cut": 0, "times": 1})
        with self.assertRaises(smtplib.SMTPException):
            self.send()
        self.assertEqual(len(self.lines()), 1)


if __name__ == "__main__":
    unittest.main()
