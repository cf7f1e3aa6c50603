"""dns_check where zones, aliases and servers are as they are out there: aliases into other zones, servers that are lame."""
import unittest

import peers
import world
from world import DONE, FAILED, WRONG

A, NS = ("A", 60), ("NS", 3600)


class Dns(world.OneStep):
    in_lab = False
    net = ""

    def world(self, resolver, **more):
        """A resolver on 127.0.0.1 and, at the same port, the servers of the zone on other addresses of loopback."""
        main = peers.Names(resolver, authoritative=False)
        self.addCleanup(main.close)
        for host, zone in more.items():
            server = peers.Names(zone.get("zone"), "127.0.0.%s" % host[1:], main.port, zone.get("aa", True))
            self.addCleanup(server.close)
        return main

    def check(self, main, rest, words=None, **how):
        text = "dns_check: {{resolver: '%s', %s}}" % (main.address, rest)
        return self.fails(text, words, **how) if words else self.one(text, **how)

    def zone(self, *records, rcode=0):
        return ([(name, type, 60, value) for name, type, value in records], rcode)

    servers = {("example.test", "NS"): ([("example.test", "NS", 3600, "ns1.example.test"), ("example.test", "NS", 3600, "ns2.example.test")], 0),
               ("ns1.example.test", "A"): ([("ns1.example.test", "A", 60, "127.0.0.2")], 0),
               ("ns2.example.test", "A"): ([("ns2.example.test", "A", 60, "127.0.0.3")], 0)}

    def test_an_alias_into_another_zone(self):
        """The zone's servers only name the alias, and the NS records behind it are not of this zone."""
        alias = ("www.example.test", "CNAME", "lb.other.test")
        mine = {("www.example.test", None): self.zone(alias)}
        main = self.world({**self.servers,
            ("www.example.test", "NS"): self.zone(alias, ("lb.other.test", "NS", "ns.other.test")),
            ("lb.other.test", "A"): self.zone(("lb.other.test", "A", "192.0.2.7"), ("lb.other.test", "A", "192.0.2.8"))},
            n2={"zone": mine}, n3={"zone": mine})
        self.check(main, "name: www.example.test, at: authoritative, expect: {{values: [192.0.2.8, 192.0.2.7]}}")
        self.assertEqual([s["server"] for s in self.out("self.servers", main, "name: www.example.test, at: authoritative")],
                         ["127.0.0.2:%d" % main.port, "127.0.0.3:%d" % main.port])
        self.check(main, "name: www.example.test, at: authoritative, type: CNAME, expect: {{values: LB.other.Test.}}")

    def out(self, what, main, rest):
        self.one("dns_check: {{resolver: '%s', %s}}\noutputs:\n  x: %s" % (main.address, rest, what))
        return self.steps()["s"]["outputs"]["x"]

    def test_servers_that_differ(self):
        one = {("www.example.test", "A"): self.zone(("www.example.test", "A", "192.0.2.7"))}
        two = {("www.example.test", "A"): self.zone(("www.example.test", "A", "192.0.2.9"))}
        main = self.world(self.servers, n2={"zone": one}, n3={"zone": two})
        self.check(main, "name: www.example.test, at: authoritative, expect: {{values: 192.0.2.7}}", r"127.0.0.3:\d+ answers \[.192.0.2.9")

    def test_a_lame_server(self):
        one = {("www.example.test", "A"): self.zone(("www.example.test", "A", "192.0.2.7"))}
        main = self.world(self.servers, n2={"zone": one}, n3={"zone": one, "aa": False})
        self.check(main, "name: www.example.test, at: authoritative", r"127.0.0.3:\d+ does not answer for the zone")

    def test_a_server_that_refuses_is_named(self):
        refused = {("www.example.test", None): ([], peers.dnswire.REFUSED)}
        main = self.world(self.servers, n2={"zone": refused}, n3={"zone": refused})
        self.check(main, "name: www.example.test, at: authoritative", r"127.0.0.2:\d+ answers REFUSED \(5\) to the question for www.example.test")

    def test_a_server_without_an_address_is_not_passed_over(self):
        known = {k: v for k, v in self.servers.items() if k[0] != "ns2.example.test"}
        one = {("www.example.test", "A"): self.zone(("www.example.test", "A", "192.0.2.7"))}
        main = self.world(known, n2={"zone": one})
        self.check(main, "name: www.example.test, at: authoritative", "the name server ns2.example.test of .*example.test has no address")

    def test_spellings(self):
        main = self.world({("a.test", "AAAA"): self.zone(("a.test", "AAAA", "2001:db8::1")),
                           ("a.test", "TXT"): self.zone(("a.test", "TXT", "v=Spf1 -all")),
                           ("a.test", "MX"): self.zone(("a.test", "MX", "10 Mail.a.test"))})
        self.check(main, "name: a.test, type: AAAA, expect: {{values: ['2001:DB8:0::0001']}}")
        self.check(main, "name: a.test, type: MX, expect: {{values: [10 MAIL.a.test.]}}")
        self.check(main, "name: a.test, type: TXT, expect: {{values: ['\"v=Spf1 -all\"']}}")
        self.check(main, "name: a.test, type: TXT, expect: {{values: ['v=spf1 -all']}}", "v=Spf1")

    def test_an_alias_that_leads_nowhere(self):
        alias = self.zone(("www.example.test", "CNAME", "gone.other.test"))
        main = self.world(self.servers, n2={"zone": {("www.example.test", None): alias}}, n3={"zone": {("www.example.test", None): alias}})
        self.check(main, "name: www.example.test, at: authoritative", r"127.0.0.2:\d+ has no A record of www.example.test")
        loop = self.world({("a.test", None): ([("a.test", "CNAME", 60, "b.test"), ("b.test", "CNAME", 60, "a.test")], 0)})
        self.check(loop, "name: a.test", "has no A record of a.test")

    def test_no_answer_names_the_server(self):
        silent = peers.Peer(lambda link, number: None)
        self.addCleanup(silent.close)
        main = self.world({})
        main.close()
        self.fails("dns_check: {{name: a.test, at: '%s'}}\ntimeout: 700ms" % main.address, main.address)


if __name__ == "__main__":
    unittest.main()
