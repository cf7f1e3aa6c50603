"""Rows 16 to 30 of the security checklist, each as a test of its class: what the network, the files and other users do
to the whole binary. Each row also shows that the same thing passes where it is allowed."""
import contextlib
import datetime
import json
import os
import pty
import socket
import struct
import subprocess
import sys
import threading
import time

import world
from world import DONE, FAILED, PERSON, WRONG

BUSY = 1500             # what a machine with other work may take besides, ms
ONCE = "retry: {attempts: 1}"


class Faults:
    """The servers that misbehave of tests/fault, as ports by name."""
    def __init__(self):
        self.child = subprocess.Popen([sys.executable, os.path.join(world.ROOT, "tests/fault/bytes.py")], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.ports = {}
        for line in self.child.stdout:
            name, value = line.split()
            if name == "ready":
                self.folder = value
                break
            self.ports[name] = int(value)

    def end(self):
        self.child.stdin.close()
        self.child.wait()
        self.child.stdout.close()


class Done:
    """What one run of the binary came to, and what it took."""
    def __init__(self, code, text, seconds, kib):
        self.code, self.text, self.seconds, self.kib = code, text, seconds, kib


class SecurityWorld(world.Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.faults = Faults()
        cls.addClassCleanup(cls.faults.end)
        cls.threads = []

    def file(self, name):
        return os.path.join(self.dir, name)

    def there(self, name):
        return os.path.lexists(self.file(name))

    def url(self, name, scheme="http"):
        return "%s://127.0.0.1:%d/" % (scheme, self.faults.ports[name])

    def measured(self, *args, **env):
        """Like rbx(), with the time it took and the most memory it had; output in one text."""
        with open(self.file("said-%d" % time.monotonic_ns()), "w+b") as out:
            begun = time.monotonic()
            child = subprocess.Popen([world.RBX, *map(str, args)], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                     env=self.env(**env), cwd=world.ROOT)
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.monotonic() - begun
            out.seek(0)
            return Done(child.returncode, out.read().decode("utf-8", "replace"), seconds, used.ru_maxrss)

    def book(self, steps, name="playbook.yaml", more=""):
        return self.write("rbx: 1\nname: test\n" + more + "steps:\n" + "".join("  - %s\n" % s for s in steps), name)

    def judged(self, step, *args, more="", **env):
        return self.measured("run", self.book(["{id: a, %s, %s}" % (ONCE, step)], more=more), *args, **env)

    def refused(self, step, *args, why, more="", code=FAILED, **env):
        done = self.judged(step, *args, more=more, **env)
        self.assertEqual(done.code, code, done.text)
        self.assertRegex(done.text, why)
        return done

    def passes(self, step, *args, more="", **env):
        done = self.judged(step, *args, more=more, **env)
        self.assertEqual(done.code, DONE, done.text)
        return done

    def serve(self, behave, kind=socket.SOCK_STREAM):
        """One more server in this process; its port."""
        s = socket.socket(socket.AF_INET, kind)
        s.bind(("127.0.0.1", 0))
        self.addCleanup(s.close)

        def run():
            with contextlib.suppress(OSError):
                if kind == socket.SOCK_DGRAM:
                    while True:
                        behave(s)
                s.listen(64)
                while True:
                    c, _ = s.accept()
                    threading.Thread(target=talk, args=(c,), daemon=True).start()

        def talk(c):
            with contextlib.suppress(OSError), c:
                behave(c)
        threading.Thread(target=run, daemon=True).start()
        return s.getsockname()[1]

    # 16

    def test_c16_no_metadata_address_is_reached_however_it_is_written(self):
        for host in ("169.254.169.254", "2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "169.254.43518", "[::ffff:a9fe:a9fe]",
                     "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[fd00:ec2::254]", "[fe80::1]", "100.100.100.200"):
            with self.subTest(host=host):
                done = self.refused("http_check: {url: 'http://%s/latest/meta-data/'}" % host, why="address .* is not allowed")
                self.assertLess(done.seconds, 5)
        for step in ("tcp_check: {host: 169.254.169.254, port: 80}", "tls_check: {host: 169.254.169.254}",
                     "sql_check: {host: 169.254.169.254, db: d, user: u, query: select 1}",
                     "http_request: {method: POST, url: 'http://169.254.169.254/'}, undo: none",
                     "notify: {to: webhook, url: 'http://169.254.169.254/', text: hi}, on_error: stop",
                     "notify: {to: email, smtp: '169.254.169.254:25', sender: a@b.example, recipients: [c@d.example], subject: s, text: hi}, on_error: stop"):
            with self.subTest(step=step):
                self.refused(step, why="address .* is not allowed")

    def test_c16_limits_of_addresses_hold_for_the_connected_one(self):
        step = "http_check: {url: '%s'}" % self.url("echo")
        self.passes(step)
        self.passes(step, more="limits: {addresses: [127.0.0.0/8]}\n")
        self.refused(step, more="limits: {addresses: [10.0.0.0/8]}\n", why="address 127.0.0.1 is not allowed")
        self.refused("tcp_check: {host: 127.0.0.1, port: %d}" % self.faults.ports["echo"], more="limits: {addresses: [10.0.0.0/8]}\n",
                     why="address 127.0.0.1 is not allowed")

    def test_c16_a_name_that_changes_gains_nothing(self):
        asked = []

        def flip(s):
            query, who = s.recvfrom(2000)
            end = query.index(b"\0", 12) + 5
            kind = struct.unpack(">H", query[end - 4:end - 2])[0]
            asked.append(kind)
            addresses = [] if kind != 1 else [b"\x7f\0\0\1" if asked.count(1) < 2 else b"\xa9\xfe\xa9\xfe"]
            head = query[:2] + struct.pack(">HHHHH", 0x8580, 1, len(addresses), 0, 0)
            s.sendto(head + query[12:end] + b"".join(b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + a for a in addresses), who)
        names = "127.0.0.1:%d" % self.serve(flip, socket.SOCK_DGRAM)
        port = self.faults.ports["echo"]
        done = self.measured("run", self.book(
            ["{id: first, http_check: {url: 'http://flip.example:%d/'}}" % port,
             "{id: second, %s, http_check: {url: 'http://flip.example:%d/'}}" % (ONCE, port)]), RBX_RESOLVER=names)
        self.assertEqual(done.code, FAILED, done.text)
        self.assertIn("address 169.254.169.254 is not allowed", done.text)
        self.assertEqual(self.states(), {"first": "ok", "second": "failed"})

    def test_c16_a_redirect_leads_to_no_metadata(self):
        def lead(c):
            c.recv(65536)
            c.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
        port = self.serve(lead)
        self.refused("http_check: {url: 'http://127.0.0.1:%d/', redirects: 3}" % port, why="address 169.254.169.254 is not allowed")

    # 17

    def test_c17_only_http_and_https_are_asked(self):
        for url in ("file:///etc/shadow", "gopher://127.0.0.1/", "scp://127.0.0.1/x", "ftp://127.0.0.1/x", "dict://127.0.0.1/",
                    "HTTP://h#@evil", "javascript:alert(1)", "http:///x", "http://h\\\\@evil/"):
            with self.subTest(url=url):
                self.refused("http_check: {url: \"%s\"}" % url, code=WRONG, why=r"playbook.yaml:4:\d+: error:.*")
                done = self.refused("http_check: {url: '${{ inputs.x }}'}", "-i", "x=" + url.replace("\\\\", "\\"), code=WRONG,
                                    more="inputs: {x: {type: url}}\n", why="error")
                self.assertFalse(self.runs_there(), done.text)
        for to in ("file:///etc/passwd", "gopher://127.0.0.1:1/", "scp://127.0.0.1/", "http://127.0.0.1:1#@evil.example/"):
            def lead(c, to=to):
                c.recv(65536)
                c.sendall(b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % to.encode())
            port = self.serve(lead)
            with self.subTest(to=to):
                done = self.refused("http_check: {url: 'http://127.0.0.1:%d/', redirects: 3}" % port, why="a redirect to .* is not followed|connect to 127.0.0.1:1 ")
                self.assertNotIn("root:", done.text)
                self.assertEqual("connect to" in done.text, to.startswith("http:"))      # what follows # is no host
        self.passes("http_check: {url: '%s'}" % self.url("echo"))

    def runs_there(self):
        return os.path.exists(self.store) and self.runs()

    # 18

    def test_c18_no_control_character_leaves(self):
        seen = []

        def record(c):
            seen.append(c.recv(65536))
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        port = self.serve(record)
        url = "http://127.0.0.1:%d/" % port
        more = "inputs: {x: {type: string}}\n"
        mail = "notify: {to: email, smtp: '127.0.0.1:%d', sender: %%s, recipients: [%%s], subject: %%s, text: hi}, on_error: stop" % port
        x = "'${{ inputs.x }}'"
        s3 = "endpoint: 'http://127.0.0.1:%d', region: us-east-1" % port
        steps = {
            "header": "http_request: {method: POST, url: '%s', headers: {X: %s}}, undo: none" % (url, x),
            "header name": "http_request: {method: POST, url: '%s', headers: {\"X\\r\\nHost\": v}}, undo: none" % url,
            "url": "http_check: {url: '%s${{ inputs.x }}'}" % url,
            "host": "tcp_check: {host: %s, port: 1}" % x,
            "name": "dns_check: {name: %s, type: A, resolver: '127.0.0.1:1'}" % x,
            "subject": mail % ("a@b.example", "c@d.example", x),
            "sender": mail % (x, "c@d.example", "s"),
            "recipient": mail % ("a@b.example", x, "s"),
            "key": "s3_check: {url: 's3://bucket/${{ inputs.x }}', %s}" % s3,
        }
        for name, step in steps.items():
            for value in ("v\r\nHost: evil", "v\nBcc: x@y.example", "a\x7fb", "v\rw"):
                with self.subTest(field=name, value=value):
                    done = self.judged(step, "-i", "x=" + value, more=more, AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b" * 20)
                    self.assertIn(done.code, (FAILED, WRONG), done.text)
                    self.assertRegex(done.text, "control character")
                    self.assertFalse(seen, done.text)
        self.passes(steps["header"], "-i", "x=v\tw", more=more)
        self.assertIn(b"X: v\tw\r\n", seen[0])

    # 19

    FORGED = "\x1b]52;c;eA==\x07\r\x1b[2Krbx: run succeeded\nok  a\u202e\u2066\x9b31m\x00\x85\u2028"

    def test_c19_remote_bytes_forge_no_line(self):
        body = self.FORGED.encode()

        def talk(c):
            c.recv(65536)
            c.sendall(b"HTTP/1.1 200 \x1b]0;x\x07\r\nX-Evil: \x1b[31m\xe2\x80\xae\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        port = self.serve(talk)
        shell = "printf '\\\\033]52;c;x\\\\a\\\\rrbx: run succeeded\\\\342\\\\200\\\\256\\\\302\\\\233\\\\n'"
        steps = [
            "{id: prints, exec: {shell: \"%s; %s >&2\"}, effect: pure}" % (shell, shell),
            "id: body\n    http_check: {url: 'http://127.0.0.1:%d/'}\n    outputs:\n      text: self.text\n      evil: self.headers['x-evil']" % port,
            "{id: tells, notify: {to: stdout, text: '${{ steps.body.outputs.text }}'}}",
            "{id: fails, on_error: stop, %s, exec: {shell: \"%s >&2; exit 3\"}, undo: none}" % (ONCE, shell),
        ]
        path = self.book(steps)
        texts = {"run": self.measured("run", path).text}
        for args in (["show", "last"], ["logs", "last"], ["list"], ["verify", "last"], ["show", "last", "--json"],
                     ["list", "--json"], ["logs", "last", "--json"]):
            texts[" ".join(args)] = self.measured(*args).text
        texts["json"] = self.measured("run", path, "--json").text
        texts["live"] = self.on_terminal("run", path)
        for sink, text in texts.items():
            with self.subTest(sink=sink):
                own = text if sink != "live" else text.replace("\x1b[", "")
                self.assertFalse(set(own) & set("\x07\x1b\u202e\u2066\x9b\x00\x85\u2028" + ("\r" if sink != "live" else "")), repr(text))
                self.assertFalse([l for l in text.splitlines() if l.startswith(("rbx: run succeeded", "ok  a"))], text)
        self.assertIn("\\x1b]52;c;", texts["run"])

    def on_terminal(self, *args):
        """What a terminal is sent."""
        ours, theirs = pty.openpty()
        child = subprocess.Popen([world.RBX, *args], stdin=theirs, stdout=theirs, stderr=theirs, env=dict(self.env(), TERM="xterm"), cwd=world.ROOT)
        os.close(theirs)
        out = b""
        with contextlib.suppress(OSError):              # EIO: nobody has it open any more
            while piece := os.read(ours, 65536):
                out += piece
        os.close(ours)
        child.wait()
        return out.decode("utf-8", "replace")

    def test_c19_a_name_given_by_a_user_is_escaped_in_errors(self):
        evil = "\x1b]52;c;x\x07\rforged"
        for args in (["run", evil], ["validate", evil], ["show", evil], ["resume", evil], [evil], ["run", "--" + evil],
                     ["steps", evil], ["eval", "'" + evil], ["run", self.book(["{id: a, wait: {for: 1ms}}"]), "-i", evil + "=1"]):
            with self.subTest(args=args):
                done = self.measured(*args)
                self.assertEqual(done.code, WRONG, done.text)
                self.assertFalse(set(done.text) & set("\x1b\x07\r"), repr(done.text))

    # 20

    def test_c20_what_comes_is_bounded(self):
        most = 64 << 10
        for name, why in (("endless", "larger than"), ("bomb", "larger than"), ("long_header", "64 KiB"), ("many_headers", "64 KiB"),
                          ("flood", "64 KiB")):
            with self.subTest(server=name):
                done = self.refused("http_check: {url: '%s', max_body: 16MiB}" % self.url(name), why=why)
                self.memory(done, most)
        done = self.judged("timeout: 1s, exec: {argv: ['yes']}, effect: pure")
        self.assertEqual(done.code, FAILED)
        self.memory(done, most)
        done = self.passes("exec: {shell: 'head -c 200000000 /dev/zero | tr \"\\\\\\\\0\" x; echo end >&2'}, effect: pure")
        self.memory(done, most)
        size = sum(os.path.getsize(os.path.join(folder, n)) for folder, _, names in os.walk(self.store) for n in names)
        self.assertLess(size, 64 << 20)
        self.passes("http_check: {url: '%s', expect: {text: unpacked}}" % self.url("packed"))

    def memory(self, done, kib):
        if not os.environ.get("RBX_SANITIZED"):
            self.assertLess(done.kib, kib, done.text)

    # 21

    def blackhole(self):
        """An address that answers no SYN: its queue is full."""
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        s.listen(0)
        self.addCleanup(s.close)
        for _ in range(4):
            c = socket.socket()
            c.setblocking(False)
            c.connect_ex(s.getsockname())
            self.addCleanup(c.close)
        return s.getsockname()[1]

    def test_c21_every_wait_ends(self):
        def trickle(c):
            c.recv(65536)
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while True:
                c.sendall(b"x")
                time.sleep(0.1)
        hole, slow = self.blackhole(), self.serve(trickle)
        silent = self.faults.ports["silent"]
        names = "127.0.0.1:%d" % self.serve(lambda s: s.recv(2000), socket.SOCK_DGRAM)
        waits = {
            "syn http": "http_check: {url: 'http://127.0.0.1:%d/'}" % hole,
            "syn tcp": "tcp_check: {host: 127.0.0.1, port: %d}" % hole,
            "syn tls": "tls_check: {host: 127.0.0.1, port: %d}" % hole,
            "syn sql": "sql_check: {host: 127.0.0.1, port: %d, db: d, user: u, query: select 1}" % hole,
            "syn mail": "notify: {to: email, smtp: '127.0.0.1:%d', sender: a@b.example, recipients: [c@d.example], subject: s, text: hi}" % hole,
            "trickle": "http_check: {url: 'http://127.0.0.1:%d/'}" % slow,
            "silent http": "http_check: {url: 'http://127.0.0.1:%d/'}" % silent,
            "silent tls": "tls_check: {host: 127.0.0.1, port: %d}" % silent,
            "silent https": "http_check: {url: 'https://127.0.0.1:%d/'}" % silent,
            "silent sql": "sql_check: {host: 127.0.0.1, port: %d, db: d, user: u, query: select 1}" % silent,
            "half head": "http_check: {url: '%s'}" % self.url("stall_head"),
            "half body": "http_check: {url: '%s'}" % self.url("stall_body"),
            "names http": "http_check: {url: 'http://blackhole.example/', resolver: '%s'}" % names,
            "names dns": "dns_check: {name: blackhole.example, type: A, resolver: '%s'}" % names,
            "names tcp": "tcp_check: {host: blackhole.example, port: 80, resolver: '%s'}" % names,
            "sleeps": "exec: {argv: [sleep, '60']}, effect: pure",
        }
        self.in_time(waits, 1000, 250)

    def test_c21_who_does_not_heed_term_is_killed(self):
        self.in_time({
            "deaf": "exec: {shell: 'trap \"\" TERM; sleep 61 & while :; do wait; sleep 0.05; done'}, effect: pure",
            "deaf grandchild": "exec: {shell: '(trap \"\" TERM; exec setsid sleep 62) & wait'}, effect: pure",
        }, 1000, 6250)

    def test_c21_the_systems_silent_name_server_holds_no_process(self):
        """getaddrinfo cannot be given up: its thread is left behind."""
        if os.getuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
            self.skipTest("only root has another resolv.conf for a while")
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        try:
            silent.bind(("127.9.9.9", 53))
        except OSError:
            self.skipTest("port 53 is not to be had")
        conf = self.write("nameserver 127.9.9.9\n", "resolv.conf")
        path = self.book(["{id: a, timeout: 1s, %s, tcp_check: {host: blackhole.example, port: 80}}" % ONCE])
        begun = time.monotonic()
        done = subprocess.run(["unshare", "-m", "sh", "-c", 'mount --bind "$1" /etc/resolv.conf && exec "$2" run "$3"', "sh", conf, world.RBX, path],
                              env=self.env(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, FAILED, done.stdout + done.stderr)
        self.assertRegex(done.stdout, "timed out looking up")
        self.assertLess(1000 * (time.monotonic() - begun), 1000 + 250 + 2 * BUSY)

    def in_time(self, waits, timeout, more):
        """All at once; each ends at its deadline, as the record says."""
        steps = ["{id: s%d, %s on_error: continue, %s, %s}" % (i, "" if "timeout:" in step else "timeout: %dms," % timeout, ONCE, step)
                 for i, step in enumerate(waits.values())]
        path = self.write("rbx: 1\nname: test\nsteps:\n  - id: all\n    parallel:\n" + "".join("      - %s\n" % s for s in steps))
        done = self.rbx("run", path, "--json", expect=None)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        begun = seconds(lines[0]["at"])
        ends = {line["path"]: line for line in lines if line.get("kind") == "outcome"}
        for i, name in enumerate(waits):
            with self.subTest(wait=name):
                end = ends["all/s%d" % i]
                took = 1000 * (seconds(end["at"]) - begun)
                self.assertEqual(end["body"]["state"], "failed", end)
                self.assertRegex(end["body"]["error"]["message"], "time|deadline|no answer")
                self.assertGreaterEqual(took, timeout - 100, end)
                self.assertLessEqual(took, timeout + more + BUSY, end)

    # 22

    def test_c22_answers_are_strict(self):
        def server(body, kind=b"application/json"):
            def talk(c):
                c.recv(65536)
                c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(body)) + body)
            return self.serve(talk)
        def asked(body):
            return self.measured("run", self.book(
                ["id: a\n    retry: {attempts: 1}\n    http_check: {url: 'http://127.0.0.1:%d/'}\n    outputs:\n      a: self.json.a" % server(body)]))
        for body in (b"[" * 100000, b'{"a": "\\ud800"}', b'{"a": 1e999}', b'{"a": 1, "a": 2}', b'{"a": "\xff"}', b'{"a": NaN}'):
            with self.subTest(body=body[:20]):
                done = asked(body)
                self.assertEqual(done.code, FAILED, done.text)
                self.assertRegex(done.text, "JSON|json")
        self.assertEqual(asked(b'{"a": 1}').code, DONE)
        with open(self.file("secret.txt"), "w") as f:
            f.write("kanarienvogel")
        bombs = (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file://%s">]><ListBucketResult><Name>&e;</Name></ListBucketResult>' % self.file("secret.txt").encode(),
                 b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><ListBucketResult><Name>&b;</Name></ListBucketResult>',
                 b"<a>" * 100000)
        keys = {"AWS_ACCESS_KEY_ID": "a" * 20, "AWS_SECRET_ACCESS_KEY": "b" * 40, "AWS_EC2_METADATA_DISABLED": "true"}
        for body in bombs:
            with self.subTest(body=body[:40]):
                done = self.judged("s3_check: {url: 's3://bucket/x/', region: us-east-1}",
                                   AWS_ENDPOINT_URL="http://127.0.0.1:%d" % server(body, b"application/xml"), **keys)
                self.assertEqual(done.code, FAILED, done.text)
                self.assertNotIn("kanarien", done.text)

    # 23

    def test_c23_numbers_do_not_wrap(self):
        for field, value in (("timeout", "9223372036854775807s"), ("timeout", "1e308h"), ("timeout", "-1s"), ("timeout", "-1"),
                             ("timeout", "99999999999999999999d"), ("retry", "{attempts: -1}"), ("retry", "{attempts: 9223372036854775808}"),
                             ("retry", "{attempts: .nan}"), ("deadline", "18446744073709551617ns")):
            with self.subTest(field=field, value=value):
                done = self.measured("run", self.book(["{id: a, wait: {for: 1ms}, %s: %s}" % (field, value)]))
                self.assertEqual(done.code, WRONG, done.text)
                self.assertRegex(done.text, r"playbook.yaml:4:\d+: error")
        for size in ("99999999999999999999GiB", "-1", "1e308KiB", "17179869184GiB"):
            with self.subTest(size=size):
                self.refused("http_check: {url: 'http://127.0.0.1:1/', max_body: %s}" % size, code=WRONG, why=r"playbook.yaml:4:\d+: error")
        for word in ("9223372036854775807s", "-1s", "1e308h"):
            with self.subTest(input=word):
                self.refused("wait: {for: '${{ inputs.x }}'}", "-i", "x=" + word, more="inputs: {x: {type: duration}}\n", code=WRONG, why="x")
        for length in (b"18446744073709551615", b"-1", b"9223372036854775808", b"1e9"):
            def lies(c, length=length):
                c.recv(65536)
                c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\nx" % length)
            with self.subTest(length=length):
                done = self.judged("timeout: 5s, http_check: {url: 'http://127.0.0.1:%d/'}" % self.serve(lies))
                self.assertEqual(done.code, FAILED, done.text)
                self.assertLess(done.seconds, 4, done.text)
        self.passes("timeout: 90m, wait: {for: 1ms}")

    # 24

    def test_c24_patterns_are_bounded(self):
        for pattern in ("((a{1,100}){1,100}){1,100}", "(a{1000}){1000}{1000}", "(a+)+\\\\1", "(?=a)a"):
            with self.subTest(pattern=pattern):
                done = self.refused("http_check: {url: 'http://127.0.0.1:1/', expect: {matches: \"%s\"}}" % pattern, code=WRONG,
                                    why=r"playbook.yaml:4:\d+: error")
                self.assertLess(done.seconds, 2)
        for text in ("'%s!'.matches('(a+)+$')" % ("a" * 50), "'%s'.matches('(a|aa)+$')" % ("a" * 5000 + "b"), "'%s'.matches('(.*a){20}')" % ("a" * 200)):
            with self.subTest(text=text[-30:]):
                done = self.measured("eval", text)
                self.assertLess(done.seconds, 2, done.text)
                self.assertIn(done.code, (DONE, FAILED, WRONG), done.text)
        self.assertEqual(self.measured("eval", "'aaa'.matches('^(a+)+$')").text.strip(), "true")


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
