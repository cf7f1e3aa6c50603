"""The security checklist, rows 8 to 13: where a secret may not show. docs/security.md names the test of each row."""
import glob
import http.server
import json
import os
import threading

import world
from world import WRONG

CANARY = "kanarienvogel-7f3a"


class Secrets(world.Scenario):
    def sinks(self):
        for path in glob.glob(self.store + "/**", recursive=True) + [self.file("copy.db")]:
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    yield path, f.read()

    def test_c08_a_secret_shows_nowhere(self):
        """in no output, record, log, file of the store or its copy, argv or foreign environment, in no form."""
        path = self.write("""
            rbx: 1
            name: test
            secrets: {key: {env: CANARY}}
            steps:
              - id: seen
                exec: {shell: 'cat /proc/$PPID/cmdline /proc/self/cmdline | grep -a "$KEY" && exit 3; exit 0', env: {KEY: '${{ secrets.key }}'}}
                effect: pure
              - id: unseen
                exec: {shell: '! env | grep -q "$1"', args: [kanarien]}
                effect: pure
              - id: says
                exec: {shell: 'echo "$KEY"; echo "$KEY" | base64; echo "$KEY" | od -An -tx1 | tr -d " \\\\n"; echo "{\\\\"k\\\\": \\\\"$KEY\\\\"}" >&2', env: {KEY: '${{ secrets.key }}'}}
                effect: pure
              - {id: fails, exec: {shell: 'echo "no $KEY" >&2; exit 1', env: {KEY: '${{ secrets.key }}'}}, undo: none}
        """)
        texts = []
        for args in (("run", path), ("run", path, "--json"), ("run", path, "--dry-run")):
            done = self.rbx(*args, expect=None, CANARY=CANARY)
            texts.append(done.stdout + done.stderr)
        for args in (("show", "last"), ("show", "last", "--json"), ("logs", "last"), ("backup", os.path.join(self.dir, "copy.db"))):
            done = self.rbx(*args)
            texts.append(done.stdout + done.stderr)
        self.assertEqual({p: s["state"] for p, s in self.steps(self.runs()[0]["run"]).items()},
                         {"seen": "ok", "unseen": "ok", "says": "ok", "fails": "failed"})
        copies = list(self.sinks())
        for form in world.forms(CANARY):
            self.assertFalse([t for t in texts if form in t], form)
            self.assertFalse([name for name, data in copies if form.encode() in data], form)

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
