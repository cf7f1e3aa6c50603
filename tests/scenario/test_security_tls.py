"""The security checklist, rows 14 and 15: certificates and redirects. docs/security.md names the test of each row."""
import http.server
import json
import os
import socket
import ssl
import subprocess
import sys
import threading

import world
from world import FAILED, WRONG

SERVERS = os.path.join(world.ROOT, "tests/fault/bytes.py")
FAULTS = {"self_signed": "is self-signed", "wrong_host": "is for another host", "expired": "has expired", "untrusted": "not trusted",
          "no_names": "no subjectAltName", "old_tls": "version 1.2"}


class Servers(world.Scenario):
    """Servers with one fault of TLS each, and the authority of the good ones."""
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.servers = subprocess.Popen([sys.executable, SERVERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        cls.ports = {}
        for line in cls.servers.stdout:
            name, value = line.split()
            if name == "ready":
                cls.ca = os.path.join(value, "ca.pem")
                break
            cls.ports[name] = int(value)
        cls.certs = os.path.dirname(cls.ca)

    @classmethod
    def tearDownClass(cls):
        cls.servers.stdin.close()
        cls.servers.wait()
        cls.servers.stdout.close()

    def message(self, step, ca=None, expect=FAILED, top=""):
        """Why the step failed; on one line, to be compared."""
        self.play("%s\nsteps:\n  - id: a\n    retry: {attempts: 1}\n    %s" % (top, step), expect=expect, RBX_CA_FILE=ca or self.ca)
        return json.dumps(self.steps()["a"].get("error"))


class Certificates(Servers):
    def test_c14_each_fault_of_a_certificate_has_its_words(self):
        """No switch lets one of them pass; by HTTP as by a bare look at TLS."""
        for step in ("http_check: {url: 'https://localhost:%d/'}", "tls_check: {host: localhost, port: %d}",
                     "http_request: {url: 'https://localhost:%d/'}\n    undo: none"):
            told = set()
            for name, why in FAULTS.items():
                with self.subTest(step.split(":")[0] + " " + name):
                    message = self.message(step % self.ports[name])
                    self.assertIn(why, message)
                    told.add(message.replace(str(self.ports[name]), "PORT"))
            self.assertEqual(len(told), len(FAULTS))
            with self.subTest(step.split(":")[0] + " of an authority that nobody knows"):
                self.assertIn("not trusted", self.message(step % self.ports["tls_echo"], ca="/etc/ssl/certs/ca-certificates.crt"))
            with self.subTest(step.split(":")[0] + " that is good: the control"):
                self.message(step % self.ports["tls_echo"], expect=world.DONE)
        for field in ("insecure", "verify", "tls_verify"):
            self.refused("steps:\n  - {id: a, http_check: {url: 'https://h/', %s: true}}" % field, why="unknown field '%s'" % field)

    def test_c14_mail_is_not_sent_in_clear(self):
        """Nor to a server that offers no TLS, nor to one whose certificate is another's."""
        own = own_address()
        if not own:
            self.skipTest("this machine has no address but loopback")
        with Deaf(own, b"220 here\r\n", b"250 8BITMIME\r\n") as server:
            message = self.message("notify: {to: email, smtp: '%s:%d', sender: a@b.example, recipients: [c@d.example], text: hi}\n    on_error: stop"
                                   % (own, server.port))
            self.assertIn("TLS", message)
            self.assertNotIn(b"MAIL FROM", b"".join(server.heard))

    def test_c14_a_database_elsewhere_is_verified(self):
        """verify-full unless on loopback; what is weaker is told loudly, and recorded."""
        own = own_address()
        if not own:
            self.skipTest("this machine has no address but loopback")
        step = "sql_check: {host: %s, port: %d, db: d, user: u, query: select 1%s}"
        with Deaf(own, b"", b"N") as server:
            message = self.message(step % (own, server.port, ""))
            self.assertIn("server does not support SSL, but SSL was required", message)
            self.play("steps:\n  - id: a\n    retry: {attempts: 1}\n    timeout: 2s\n    " + step % (own, server.port, ", sslmode: disable"), expect=FAILED)
            shown = self.rbx("show", "last").stdout
            self.assertIn("warning: a: sslmode disable to %s is weaker than verify-full" % own, shown)
            self.assertEqual([n["what"] for n in self.show()["notes"]], ["warning"])
            self.play("steps:\n  - id: a\n    retry: {attempts: 1}\n    timeout: 2s\n    " + step % ("127.0.0.1", 1, ", sslmode: disable"), expect=FAILED)
            self.assertEqual(self.show()["notes"], [], "the control: on loopback nothing is weaker")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certs + "/tls_echo.crt", self.certs + "/tls_echo.key")
        with Deaf(own, b"", b"S", context) as server:
            self.assertIn("certificate", self.message(step % (own, server.port, ", ca: " + self.ca)))        # it is localhost's
        for mode in ("allow", "prefer", "insecure"):
            self.refused("steps:\n  - id: a\n    " + step % (own, 1, ", sslmode: " + mode), why="sslmode")


def own_address():
    """One that is not loopback; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("198.51.100.1", 9))
            return s.getsockname()[0] if not s.getsockname()[0].startswith("127.") else None
        except OSError:
            return None


class Deaf:
    """Greets, gives one answer to whatever it hears, begins TLS if it has a context, and ends."""
    def __init__(self, host, greeting, answer, context=None):
        self.listener = socket.create_server((host, 0))
        self.port = self.listener.getsockname()[1]
        self.heard, self.greeting, self.answer, self.context = [], greeting, answer, context

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *why):
        self.listener.close()

    def serve(self):
        while True:
            try:
                c, _ = self.listener.accept()
                c.settimeout(5)
                c.sendall(self.greeting)
                self.heard.append(c.recv(4096))
                c.sendall(self.answer)
                if self.context:
                    c = self.context.wrap_socket(c, server_side=True)
                self.heard.append(c.recv(4096))
                c.close()
            except OSError:
                if self.listener.fileno() < 0:
                    return


class Redirects(Servers):
    def site(self, to=None, context=None):
        site = Site(to, context)
        self.addCleanup(site.close)
        return site

    def check(self, url, redirects=5, expect=world.DONE, more=""):
        text = ("secrets: {key: {env: KEY}}\nsteps:\n  - id: a\n    retry: {attempts: 1}\n    http_check:\n      url: %s\n      redirects: %d\n"
                "      headers: {Authorization: '${{ secrets.key }}', Cookie: c=1, X-Api-Key: '${{ secrets.key }}'}%s")
        self.play(text % (url, redirects, more), expect=expect, KEY="kanarienvogel-7f3a", RBX_CA_FILE=self.ca)
        return json.dumps(self.steps()["a"].get("error"))

    def test_c15_credentials_stay_with_their_origin(self):
        """Another port, host or scheme gets none of the step's headers; the control: the same origin does."""
        last = self.site()
        for name, to in (("port", last.url), ("host", last.url.replace("127.0.0.1", "localhost"))):
            with self.subTest(name):
                last.seen.clear()
                first = self.site(to + "/x")
                self.check(first.url + "/from")
                self.assertEqual(first.seen[0][1]["Authorization"], "kanarienvogel-7f3a")
                (path, headers), = last.seen
                self.assertEqual(path, "/x")
                self.assertFalse({"authorization", "cookie", "x-api-key"} & {h.lower() for h in headers}, headers)
        with self.subTest("scheme"):
            safe = self.site(context=self.tls())
            first = self.site(safe.url.replace("127.0.0.1", "localhost") + "/x")
            self.check(first.url)
            self.assertNotIn("Authorization", safe.seen[0][1])
        with self.subTest("there and back"):
            first = self.site()
            middle = self.site(first.url + "/end")
            first.to = {"/from": middle.url + "/x"}
            self.check(first.url + "/from")
            self.assertNotIn("Authorization", first.seen[1][1])
        with self.subTest("same origin"):
            same = self.site()
            same.to = {"/from": "/to"}
            self.check(same.url + "/from")
            self.assertEqual(same.seen[1][1]["Authorization"], "kanarienvogel-7f3a")

    def test_c15_what_is_not_followed(self):
        """Down from https, another scheme, a sixth time, and nothing unless it is asked for."""
        plain = self.site()
        with self.subTest("from https to http"):
            safe = self.site(plain.url, self.tls())
            self.assertIn("a redirect to '%s' is not followed" % plain.url, self.check(safe.url.replace("127.0.0.1", "localhost"), expect=FAILED))
            self.assertEqual(plain.seen, [])
        for to in ("file:///etc/passwd", "gopher://127.0.0.1:1/", "ftp://h/x", "http://u:kanarienvogel-7f3a@127.0.0.1:1/"):
            with self.subTest(to):
                message = self.check(self.site(to).url, expect=FAILED)
                self.assertRegex(message, "is not followed|user and password|URL")
                self.assertNotIn("kanarien", message)
        with self.subTest("what stands behind # is no host"):
            self.assertIn("h.invalid", self.check(self.site("HTTP://h.invalid#@evil/").url, expect=FAILED))
        with self.subTest("round and round"):
            site = self.site()
            site.to = {"/": "/"}
            self.assertIn("302", self.check(site.url + "/", expect=FAILED))
            self.assertEqual(len(site.seen), 6)
        self.refused("steps:\n  - {id: a, http_check: {url: 'http://h/', redirects: 6}}", why="6 is not in 0 to 5")
        with self.subTest("unless asked for"):
            self.assertIn("302", self.check(self.site(plain.url).url, redirects=0, expect=FAILED))
            self.assertEqual(plain.seen, [])

    def test_c15_a_write_follows_none(self):
        there = self.site()
        site = self.site(there.url)
        self.assertIn("302", self.message("http_request: {url: '%s', body: x}\n    undo: none" % site.url))
        self.refused("steps:\n  - {id: a, http_request: {url: 'http://h/', redirects: 1}, undo: none}", why="unknown field 'redirects'")
        self.assertEqual((len(site.seen), there.seen), (1, []))

    def tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certs + "/tls_echo.crt", self.certs + "/tls_echo.key")
        return context


class Site(http.server.ThreadingHTTPServer):
    """Redirects every path, or those that `to` names; remembers what it was sent."""
    def __init__(self, to=None, context=None):
        super().__init__(("127.0.0.1", 0), Redirecting)
        self.to, self.seen = to, []
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = "%s://127.0.0.1:%d" % ("https" if context else "http", self.server_port)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, *args):
        pass


class Redirecting(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.path, dict(self.headers)))
        to = self.server.to.get(self.path) if isinstance(self.server.to, dict) else self.server.to
        self.send_response(302 if to else 200)
        if to:
            self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *args):
        pass
