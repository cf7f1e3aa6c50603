"""http_check and http_request against servers that say exactly what a test wants, and what is refused before anything is asked."""
import gzip
import time
import unittest

import peers
import world
from peers import answer
from world import DONE, FAILED, PERSON, WRONG


class Http(world.OneStep):
    in_lab = False
    net = ""

    def web(self, *answers, **how):
        peer = peers.web(*answers, **how)
        self.addCleanup(peer.close)
        return peer

    def check(self, peer, rest="", words=None, path="/", **how):
        text = "http_check: {{url: 'http://%s%s'%s}}" % (peer.address, path, rest and ", " + rest)
        return self.fails(text, words, **how) if words else self.one(text, **how)

    def send(self, peer, rest="", words=None, keys="undo: none", **how):
        text = "http_request: {{url: 'http://%s/'%s}}\n%s" % (peer.address, rest and ", " + rest, keys)
        return self.fails(text, words, **how) if words else self.one(text, **how)

    def asked(self, peer):
        return [h.split(b" HTTP/")[0].decode() for h in peer.heard]

    def test_where_redirects_lead(self):
        for base, location, there in (("/a/b?q=/c/d", "/login?next=http://x.example/y", "/login?next=http://x.example/y"),
                                      ("/a/b?q=/c/d", "next?x=1", "/a/next?x=1"), ("/a/b", "?p=2", "/a/b?p=2"), ("/a", "", "/a"),
                                      ("/a/b", "HTTP://HERE/z#part", "/z"), ("/", "//HERE/w", "/w")):
            with self.subTest(location=location):
                def talk(link, number):
                    peer.heard.append(peers.read_request(link))
                    link.sendall(answer() if number else answer("302 Found", b"", "Location: " + location.replace("HERE", peer.address)))
                peer = peers.Peer(talk)
                self.addCleanup(peer.close)
                self.check(peer, "redirects: 1", path=base)
                self.assertEqual(self.asked(peer)[1], "GET " + there)

    def test_a_redirect_that_is_not_followed_says_where(self):
        peer = self.web(answer("302 Found", b"", "Location: https://other.example/x"))
        self.check(peer, "", "it answers 302, a redirect to 'https://other.example/x'")

    def test_a_redirect_after_post_is_a_get(self):
        for status, then in (("303 See Other", "GET"), ("302 Found", "GET"), ("307 Temporary Redirect", "POST")):
            with self.subTest(status):
                peer = self.web(answer(status, b"", "Location: /done"), answer())
                self.check(peer, "method: POST, body: x, redirects: 1")
                self.assertEqual(self.asked(peer), ["POST /", then + " /done"])

    def test_headers_of_one_name(self):
        peer = self.web(answer("200 OK", b"", "Via: 1.1 a", "Via: 1.1 b"))
        for value in ("1.1 a", "1.1 b", "1.1 a, 1.1 b"):
            self.check(peer, "expect: {{headers: {{Via: '%s'}}}}" % value)
        self.check(peer, "expect: {{headers: {{Via: 1.1 c}}}}", "via.*1.1 a, 1.1 b|Via.*1.1 a, 1.1 b")

    def test_bodies(self):
        peer = self.web(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n")
        self.check(peer, "expect: {{text: hello}}")
        self.check(self.web(answer("200 OK", gzip.compress(b"hello" * 9), "Content-Encoding: gzip")), "expect: {{text: hello}}")
        self.check(self.web(answer("200 OK", b"\xff\xfe\x00bin\x80")), "expect: {{text: bin}}")
        self.check(self.web(b"HTTP/1.1 204 No Content\r\n\r\n"), "expect: {{status: 204}}")
        self.check(self.web(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"), "method: HEAD")
        self.check(self.web(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer("200 OK", b"end")), "expect: {{text: end}}")
        self.check(self.web(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), "", "in the middle of the answer")
        self.check(self.web(answer("200 OK", gzip.compress(b"a" * 20000000), "Content-Encoding: gzip")), "", "larger than 1048576")

    def test_ways(self):
        self.check(self.web(answer("200 OK", b"six"), host="::1"), "expect: {{text: six}}")
        nowhere = {name: "http://127.0.0.1:9" for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")}
        self.check(self.web(answer()), **nowhere)

    def test_half_open(self):
        silent = peers.Peer(lambda link, number: (peers.read_request(link), time.sleep(3)))
        self.addCleanup(silent.close)
        self.fails("http_check: {{url: 'http://%s/'}}\ntimeout: 500ms" % silent.address, "timed out waiting for the first byte of the answer")
        self.one("http_check: {{url: 'http://%s/', expect: {{down: true}}}}\ntimeout: 500ms" % silent.address)

    def test_an_error_says_what_the_other_side_says(self):
        refused = answer("422 Unprocessable Content", b'{"error": "the name is taken"}')
        self.send(self.web(refused), "json: {{a: 1}}", "it answers 422: .*the name is taken")
        self.check(self.web(refused), "", "it answers 422: .*the name is taken")
        page = answer("502 Bad Gateway", b"<html>proxy</html>", "Content-Type: text/html")
        self.assertNotIn("<html>", self.check(self.web(page), "", "it answers 502").stdout)

    def test_a_redirect_of_a_request(self):
        """303 may be how it says that it is done: nothing is called undone; the others want it elsewhere."""
        peer = self.web(answer("303 See Other", b"", "Location: /orders/7"))
        self.send(peer, "body: x", "it answers 303, a redirect to '/orders/7'(?s:.*)accept: .303.")
        self.rbx("resume", self.last(), expect=PERSON)
        self.assertEqual(len(peer.heard), 1)
        self.send(peer, "body: x", keys="undo: none\naccept: [303]")
        peer = self.web(answer("308 Permanent Redirect", b"", "Location: /v2"))
        self.send(peer, "body: x", "308, a redirect to '/v2'(?s:.*)no redirect is followed")
        self.rbx("resume", self.last(), expect=FAILED)
        self.assertEqual(len(peer.heard), 2)

    def test_what_would_be_passed_over_is_refused(self):
        for text, words in (("http_check: {{url: 'http://a/', control: 'http://b/'}}", "'control' is asked with 'down' only"),
                            ("http_check: {{url: 'http://a/', expect: {{tls_days_left: 3}}}}", "has no certificate"),
                            ("tcp_check: {{host: a, port: 1, control: 'b:2'}}", "'control' is asked with 'down' only"),
                            ("file_check: {{path: /a, expect: {{absent: true, max_age: 1h}}}}", "'absent' stands alone"),
                            ("s3_check: {{url: 's3://bucket/a', expect: {{min_count: 1}}}}", "'min_count' counts below a prefix"),
                            ("s3_check: {{url: 's3://bucket/a/', json: true}}", "'json' reads an object"),
                            ("s3_check: {{url: 's3://bucket/a', json: true, expect: {{absent: true}}}}", "'absent' stands alone"),
                            ("http_request: {{url: 'http://a/', headers: {{idempotency-key: x}}, idempotency_key_header: Idempotency-Key}}\nundo: none",
                             "stands in 'headers' as well")):
            with self.subTest(text):
                self.fails(text, words, expect=WRONG)


if __name__ == "__main__":
    unittest.main()
