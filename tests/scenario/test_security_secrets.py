"""The security checklist, rows 8 to 13: where a secret may not show. docs/security.md names the test of each row."""
import base64
import fcntl
import glob
import hashlib
import http.server
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import threading

import world
from world import WRONG

CANARY = "kanarienvogel-7f3a"


# One of each kind that is hard to hide: quotes, a backslash, a slash, UTF-8; and one of several lines.
SECRETS = {"CANARY": CANARY, "HARD": 'tanne"n\\zap/fen+ä7', "LINES": "-----BEGIN KEY-----\nZaunk0enigZaunk0enig\nGimpelGimpelGimpel12\n-----END KEY-----\n"}
SAYS = """
import base64, html, json, os, sys, urllib.parse
for s in [os.environ[n] for n in ("CANARY", "HARD", "LINES")] + os.environ["LINES"].splitlines()[1:3]:
    b = s.encode()
    print(s, "x" + s + "x", b.hex(), b.hex().upper(), json.dumps(s), json.dumps(s, ensure_ascii=False), html.escape(s),
          urllib.parse.quote(s), urllib.parse.quote(s, ""), urllib.parse.quote_plus(s), sep=sys.argv[1], end=sys.argv[1])
    for before in (b"", b"x", b"xx", b"xxx"):
        print(base64.b64encode(before + b + b"yy").decode(), base64.urlsafe_b64encode(before + b).decode(), sep=sys.argv[1], end=sys.argv[1])
"""


class Secrets(world.Scenario):
    in_lab = True

    def forms(self):
        """Every form of every secret, and of each line of the one that has several."""
        found = set()
        for s in [*SECRETS.values(), *SECRETS["LINES"].splitlines()[1:3]]:
            found |= set(world.forms(s))
        return found

    def kept(self, *folders):
        """What lies in files: stores with -wal and -shm, copies, the lab's mails and ledger."""
        for folder in folders:
            for path in glob.glob(folder + "/**", recursive=True):
                if os.path.isfile(path):
                    with open(path, "rb") as f:
                        yield path, f.read()

    def hits(self, texts, files=()):
        return [(name, form) for form in self.forms() for name, text in [*texts, *((n, d.decode("utf-8", "replace")) for n, d in files)] if form in text]

    def on_a_terminal(self, *args, **env):
        """What a person sees: the live view with its colours and tails."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
        child = subprocess.Popen([world.RBX, *args], stdin=slave, stdout=slave, stderr=slave, cwd=world.ROOT, start_new_session=True,
                                 env=dict(self.env(**env), TERM="xterm-256color", NO_COLOR=""))
        os.close(slave)
        seen = b""
        while select.select([master], [], [], 60)[0]:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        child.kill()                                     # it has ended, or waits for somebody
        child.wait()
        os.close(master)
        return seen.decode("utf-8", "replace")

    def talker(self):
        """A playbook that tries by every way to get its secrets out."""
        says = self.write(SAYS, "says.py")
        return self.write("""
            rbx: 1
            name: talker
            secrets: {canary: {env: CANARY}, hard: {env: HARD}, lines: {env: LINES}, mail: {env: SMTP_PASSWORD}}
            defaults:
              notify: {text: '${{ steps.says.outputs.text }} ${{ steps.says.outputs.told }}'}
              exec: {env: {CANARY: '${{ secrets.canary }}', HARD: '${{ secrets.hard }}', LINES: '${{ secrets.lines }}'}}
            steps:
              - id: says
                exec: {argv: [PYTHON, SAYS, "\\n"]}
                effect: pure
                outputs:
                  text: self.stdout
                  told: json.marshal({'all':self.stdout})
              - {id: aside, exec: {shell: '"$1" "$2" ";" >&2; printf %s "$CANARY"; sleep 0.1; printf %s "$HARD"', args: [PYTHON, SAYS]}, effect: pure}
              - {id: chat, notify: {to: slack, webhook: 'http://NET.1:8065/services/T/B/x'}}
              - {id: teams, notify: {to: teams, webhook: 'http://NET.1:8065/workflows/x'}}
              - {id: hook, notify: {to: webhook, url: 'http://NET.1:8065/hook'}}
              - {id: screen, notify: {to: stdout}}
              - {id: mail, notify: {to: email, smtp: 'NET.1:2525', user: rbx, password: '${{ secrets.mail }}', sender: a@lab.example, recipients: [b@lab.example],
                                    subject: 'x ${{ steps.says.outputs.told }}'}}
              - id: asked
                confirm: 'really ${{ steps.says.outputs.text }}?'
                exec: {argv: [PYTHON, SAYS, ' ']}
                undo: [{id: back, exec: {argv: [PYTHON, SAYS, '|']}}]
              - id: judged
                exec: {argv: [PYTHON, SAYS, ',']}
                effect: pure
                on_error: continue
                assert:
                  - check: self.stdout == ''
                    message: 'it said ${{ self.stdout }}'
              - id: put
                when: steps.judged.status == 'failed'
                s3_put: {to: 's3://BUCKET/talk', body: '${{ steps.says.outputs.text }}'}
              - {id: fails, exec: {shell: '"$1" "$2" " " >&2; exit 7', args: [PYTHON, SAYS]}, undo: none, on_error: stop}
            on_failure:
              - {id: news, notify: {to: webhook, url: 'http://NET.1:8065/news', text: '${{ failure.message }}'}}
            drill: {real: true}
        """.replace("PYTHON", sys.executable).replace("SAYS", says).replace("NET", self.net).replace("BUCKET", world.BUCKET))

    def test_c08_a_secret_shows_nowhere(self):
        """In no output, view, record, log, file of the store or its copy, message, mail or object, in no form."""
        path, texts = self.talker(), []
        for args in (("validate", path), ("graph", path), ("graph", path, "--format", "dot"), ("run", path, "--dry-run"), ("run", path, "--yes"),
                     ("show", "last"), ("show", "last", "--json"), ("logs", "last"), ("list", "--json"), ("verify", "last"),
                     ("resume", "last", "--yes"), ("resume", "last", "--yes", "--json"), ("run", path, "--yes", "--json"), ("drill", path, "--yes"),
                     ("undo", "last", "--yes"), ("logs", "last"), ("backup", self.file("copy.db"))):
            done = self.rbx(*args, expect=None, **SECRETS)
            texts.append((" ".join(args), done.stdout + done.stderr))
        texts.append(("terminal", self.on_a_terminal("run", path, "--yes", **SECRETS)))
        states = self.states(self.runs()[2]["run"])
        self.assertEqual({p.split("/")[-1] for p, s in states.items() if s == "ok"}, {"says", "aside", "chat", "teams", "hook", "screen", "mail", "asked", "put", "news"})
        self.assertEqual({p for p, s in states.items() if s == "failed"}, {"judged", "fails"})
        texts.append(("object", self.lab.s3("GET", "/%s/talk" % world.BUCKET)[1].decode("utf-8", "replace")))
        texts += [("effect", json.dumps(e, ensure_ascii=False)) for e in self.effects()]
        self.assertTrue([1 for name, text in texts if "***" in text and name in ("effect", "object", "terminal", "logs last")])
        self.assertEqual(self.hits(texts, self.kept(self.store, self.file("copy.db"), self.lab.folder + "/mail")), [])
        self.assertEqual([form for form in self.forms() if not self.hits([("the control", "a %s b" % form)])], [])

    def test_c08_a_killed_run_leaves_none(self):
        """Neither in the store with its -wal and -shm, nor in the files for temporary things."""
        path = self.write("""
            rbx: 1
            name: killed
            secrets: {canary: {env: CANARY}}
            steps:
              - {id: a, exec: {shell: 'echo "$C"; echo "$C" >&2; printf "%s" "$C" | base64; >here; sleep 60', env: {C: '${{ secrets.canary }}'}}, undo: none}
        """)
        child = self.start("run", path, **SECRETS)
        self.wait(lambda: self.there("here"), "the step")
        child.kill()
        child.wait()
        self.assertTrue(glob.glob(self.store + "/*-wal"))
        self.assertEqual(self.hits([], self.kept(self.store, "/dev/shm", self.dir)), [])

    def test_c08_short_secrets_are_refused(self):
        """They would mask by chance."""
        done = self.rbx("run", self.talker(), expect=world.REFUSED, **dict(SECRETS, CANARY="tit5a"))
        self.assertIn("fewer than 6", done.stdout + done.stderr)
        self.assertNotIn("tit5a", done.stdout + done.stderr)
        self.assertEqual(self.effects(), [])

    def test_c11_the_store_holds_references_only(self):
        """No secret, no secret output, and no digest of one by which a guess could be proven; a resume asks again for both."""
        path = self.write("""
            rbx: 1
            name: login
            secrets: {key: {env: CANARY}}
            steps:
              - id: login
                exec: {shell: 'echo asked >>asked; test -n "$K"; echo token-of-the', env: {K: '${{ secrets.key }}'}}
                effect: pure
                outputs:
                  token: secret(self.stdout.trim() + '-zaunkoenig')
                  open: "'token for all to see'"
              - {id: ask, manual: {text: 'go on?'}}
              - id: use
                exec: {shell: 'test "$T" = token-of-the"-"zaunkoenig -a -n "$K" && echo "$T"', env: {K: '${{ secrets.key }}', T: '${{ steps.login.outputs.token }}'}}
                undo: none
        """)
        self.rbx("run", path, expect=world.PERSON, **SECRETS)
        run = self.last()
        self.rbx("approve", run, "ask")
        self.assertIn("key", self.rbx("resume", run, expect=world.REFUSED).stderr)       # the secret is not there any more
        self.rbx("resume", run, **SECRETS)
        with open(self.file("asked"), encoding="ascii") as f:
            self.assertEqual(f.read().split(), ["asked", "asked"])
        self.rbx("backup", self.file("copy.db"))
        data = b"".join(d for _, d in self.kept(self.store, self.file("copy.db")))
        self.assertIn(b"token for all to see", data, "the control: outputs lie there")
        for secret in (CANARY, "token-of-the-zaunkoenig"):
            digests = [hashlib.new(name, secret.encode()).digest() for name in ("md5", "sha1", "sha256", "sha512")]
            forms = [f.encode() for f in world.forms(secret)] + [f for d in digests for f in (d, d.hex().encode(), base64.b64encode(d).rstrip(b"="))]
            self.assertEqual([f for f in forms if f in data], [])

    def test_c12_a_line_is_shown_without_its_password(self):
        """The line under an error hides what the message hides, and the caret keeps its place."""
        done = self.refused("inputs: {x: {type: url}}\nsteps:\n  - {id: a, http_check: {url: '${{ inputs.x }}'}}",
                            "-i", "x=https://u:%s@h/" % CANARY, why="https://***@h/")
        self.assertNotIn(CANARY, done.stdout + done.stderr)
        done = self.rbx("validate", self.write("""
            rbx: 1
            name: t
            inputs: {x: {type: string, default: 'postgresql://u:CANARY@h/d'}, 9: 1}
            steps:
              - {id: a, http_check: {url: 'https://u:CANARY@h/'}}
              - {id: b, exec: {argv: [curl, -H, 'Authorization: Bearer CANARY', x]}, undo: no}
              - {id: c, sql_check: {host: h, db: 'host=h password=CANARY', user: u, qury: select 1}}
        """.replace("CANARY", CANARY)), expect=WRONG)
        self.assertNotIn(CANARY, done.stdout + done.stderr)
        lines = done.stderr.splitlines()
        for shown, under in (("***@h/d'}, 9: 1}", "1"), ("https://***@h/'", "'https"), ("'Authorization: ***', x]}, undo: no}", "no}"),
                             ("password=***', user: u, qury: select", "qury")):
            with self.subTest(shown):
                at = [i for i, line in enumerate(lines) if shown in line and lines[i + 1].lstrip(" |").startswith("^")]
                self.assertTrue([i for i in at if lines[i][lines[i + 1].index("^"):].startswith(under)], done.stderr)

    def test_c12_what_others_say_is_scrubbed(self):
        """Passwords in addresses and connection strings, headers and signatures in errors of programs and servers."""
        with Site() as site:
            self.play("""
                defaults: {retry: {attempts: 1}}
                steps:
                  - parallel:
                      - {id: moved, http_check: {url: 'SITE/moved', redirects: 2}, on_error: continue}
                      - {id: header, http_check: {url: 'SITE/', expect: {headers: {set-cookie: x}}}, on_error: continue}
                      - {id: body, http_check: {url: 'SITE/', expect: {text: zzz}}, on_error: continue}
                      - {id: git, exec: {shell: 'echo "fatal: https://u:$1@h/ refused" >&2; exit 3', args: [CANARY]}, effect: pure, on_error: continue}
                      - {id: psql, exec: {shell: 'echo "bad \\"host=h password=$1\\"" >&2; exit 3', args: [CANARY]}, effect: pure, on_error: continue}
                      - {id: curl, exec: {shell: 'echo "> Authorization: Bearer $1" >&2; exit 3', args: [CANARY]}, effect: pure, on_error: continue}
                      - {id: aws, exec: {shell: 'echo "https://b/?X-Amz-Signature=$1&x=1" >&2; exit 3', args: [CANARY]}, effect: pure, on_error: continue}
                    id: all
            """.replace("SITE", site.url).replace("CANARY", CANARY))
        steps = self.steps()
        for path, why in (("moved", "127.0.0.1"), ("header", "it answers set-cookie: ***"), ("body", "https://***@h/ Authorization: ***"),
                          ("git", "fatal: https://***@h/ refused"), ("psql", 'password=***"'), ("curl", "> Authorization: ***"),
                          ("aws", "X-Amz-Signature=***&x=1")):
            with self.subTest(path):
                self.assertIn(why, json.dumps(steps["all/" + path]["error"]).replace('\\"', '"'))
                self.assertNotIn(CANARY, json.dumps(steps["all/" + path]["error"]))


class Site(http.server.ThreadingHTTPServer):
    """A server whose every answer tells the canary."""
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Talker)
        self.url = "http://127.0.0.1:%d" % self.server_port
        self.seen = []

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *why):
        self.shutdown()
        super().__exit__(*why)


class Talker(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers), self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))
        body = ("https://u:%s@h/ Authorization: Bearer %s" % (CANARY, CANARY)).encode()
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Location", "http://u:%s@127.0.0.1:1/" % CANARY)
        self.send_header("Set-Cookie", "sid=" + CANARY)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *args):
        pass
