"""The security checklist, rows 1 to 7: what an input may not do. docs/security.md names the test of each row."""
import http.server
import os
import random
import re
import shutil
import sqlite3
import subprocess
import threading

import world
from world import DONE, FAILED, WRONG


def says(text):
    """Playbook text in which each one-line pure step of exec keeps what it prints."""
    return re.sub(r"^( *)- \{(id: \w+), exec: (.*), effect: pure\}$", r"\1- \2\n\1  exec: \3\n\1  effect: pure\n\1  outputs:\n\1    stdout: self.stdout",
                  text, flags=re.M)


class Inputs(world.Scenario):
    def test_c01_data_is_no_shell(self):
        """What comes from outside stays one argument, letter by letter."""
        for evil in ("x; touch %s $(id)", "`touch %s`", "x\ntouch %s\n", '"; touch %s; "', "'; touch %s; '", "$(touch %s)", "*&|>%s"):
            evil = evil % self.file("pwn")
            with self.subTest(evil):
                self.play(says("""
                    inputs: {x: {type: string}}
                    steps:
                      - {id: a, exec: {argv: [printf, '%s', '${{ inputs.x }}']}, effect: pure}
                      - {id: b, exec: {shell: 'printf %s "$1"', args: ['${{ inputs.x }}']}, effect: pure}
                      - {id: c, exec: {argv: [sh, -c, 'printf %s "$V"'], env: {V: '${{ inputs.x }}'}}, effect: pure}
                """), "-i", "x=" + evil)
                self.assertEqual([s["outputs"]["stdout"] for s in self.steps().values()], [evil] * 3)
                self.assertFalse(self.there("pwn"))

    def test_c01_shell_text_takes_no_expression(self):
        for text, column in (("rm ${{ inputs.x }}", 32), ("rm '${{ inputs.x }}'", 32), ("echo ${{ run.id }}", 32)):
            done = self.refused("inputs: {x: {type: string, default: y}}\nsteps:\n  - {id: a, exec: {shell: \"%s\"}, undo: none}" % text, why="args")
            self.assertRegex(done.stderr, r"playbook.yaml:5:\d+: error: ")
        self.assertEqual(os.path.exists(self.store), False)

    def test_c02_data_is_no_option(self):
        """An argument made of data does not begin with '-'; the step is named, and nothing was started."""
        text = """
            inputs: {x: {type: string}}
            steps:
              - {id: a, exec: {argv: [touch, '${{ inputs.x }}']}, undo: none}
        """
        for evil in ("--file=/etc/x", "-rf", "--", "-"):
            self.refused(text, "-i", "x=" + evil, why="take it for an option", expect=FAILED)
            self.assertIn("option", str(self.steps()["a"]["error"]))
        self.play(says("""
            inputs: {x: {type: string}}
            steps:
              - {id: a, exec: {argv: [printf, '%s', --, 'x${{ inputs.x }}']}, effect: pure}
              - {id: b, exec: {shell: 'printf %s "$1"', args: ['${{ inputs.x }}']}, effect: pure}
        """), "-i", "x=-rf")
        self.assertEqual(self.steps()["a"]["outputs"]["stdout"], "--x-rf", "the control: what is no argument of its own passes")

    def bounded(self, *args, expect=WRONG):
        """A command that has a second of processor time and 32 MiB of memory of its own; what it said."""
        limits = "" if world.SANITIZED else "ulimit -t 1; ulimit -d 32768; "
        done = subprocess.run(["sh", "-c", limits + 'exec "$@"', "sh", world.RBX, *args], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, env=self.env(), cwd=world.ROOT, timeout=100)
        if expect is None:
            return done.returncode
        self.assertEqual(done.returncode, expect, (done.stdout + done.stderr)[:2000])
        return done.stderr

    def test_c03_expressions_end(self):
        """Deep, endless, greedy, or a door to the host: an error with its place, at once and in little memory."""
        ten = "[0,1,2,3,4,5,6,7,8,9]"
        for text, why in (("(" * 10000 + "1" + ")" * 10000, "nested more than 250 deep"), ("!" * 10000 + "true", "250"), ("[" * 10000, "250"),
                          ("repeat('a', 1000000000)", "no function repeat"), ("lists.range(1000000000)", "no list of 1000000000"),
                          ("'%1000000000d'.format([1])", "bad clause"), ("'a'.__proto__", "has no members"), ("constructor", "there is no 'constructor'"),
                          ("env('HOME')", "no function env"), ("system('id')", "no function system"), ("file('/etc/passwd')", "no function file"),
                          (ten + "".join(".map(x%d, %s" % (i, ten) for i in range(6)) + ")" * 6, "more than 4 deep"), ("1 + ", "expression:1:")):
            with self.subTest(text[:40]):
                self.assertRegex(self.bounded("eval", text), r"expression:1:\d+: error: [^\n]*" + re.escape(why) if ":" not in why else why)
        self.assertEqual(self.rbx("eval", "(" * 200 + "1" + ")" * 200).stdout.strip(), "1", "the control")

    def test_c03_loops_have_fuel(self):
        """Loops in loops over a list of numbers: the budget ends them, not the operator's patience."""
        loops = "lists.range(1000)" + "".join(".map(x%d, lists.range(1000)" % i for i in range(3)) + ")" * 3
        done = self.rbx("eval", loops, expect=None)
        self.assertNotEqual(done.returncode, DONE)
        self.assertRegex(done.stderr, "too (much|many|long|large)|budget|steps|limit")

    def test_c04_answers_are_data(self):
        """What a server or a program says is never an expression, wherever it goes from there."""
        with Says(b'{"a": "{{ secrets.key }} ${{ secrets.key }} ${{ run.id }}", "b": "$(id) `id`"}') as url:
            self.play(says("""
                secrets: {key: {env: KEY}}
                steps:
                  - id: web
                    http_check: {url: 'URL'}
                    outputs:
                      a: self.json.a
                      b: self.json.b
                  - id: program
                    exec: {argv: [printf, '%s', '$${{ run.id }}']}
                    effect: pure
                    outputs:
                      text: self.stdout
                  - {id: argument, exec: {argv: [printf, '%s', '${{ steps.web.outputs.a }}${{ steps.program.outputs.text }}']}, effect: pure}
                  - {id: environment, exec: {argv: [sh, -c, 'printf %s "$V"'], env: {V: '${{ steps.argument.outputs.stdout }}'}}, effect: pure}
                  - {id: shell, exec: {shell: 'printf %s "$1"', args: ['${{ steps.web.outputs.b }}']}, effect: pure}
                  - {id: tell, notify: {to: stdout, text: '${{ steps.environment.outputs.stdout }}'}}
                  - id: ask
                    manual: {text: '${{ steps.web.outputs.a }}'}
                  - {id: again, exec: {argv: [printf, '%s', '${{ steps.environment.outputs.stdout }}']}, effect: pure}
            """).replace("URL", url), KEY="kanarienvogel", expect=world.PERSON)
        said = "{{ secrets.key }} ${{ secrets.key }} ${{ run.id }}"
        run = self.last()
        self.rbx("approve", run, "ask")
        done = self.rbx("resume", run, KEY="kanarienvogel")
        steps = self.steps(run)
        self.assertEqual(steps["web"]["outputs"]["a"], said)
        for path in ("argument", "environment", "again"):
            self.assertEqual(steps[path]["outputs"]["stdout"], said + "${{ run.id }}")
        self.assertEqual(steps["shell"]["outputs"]["stdout"], "$(id) `id`")
        self.assertNotIn("kanarienvogel", done.stdout + self.rbx("show", run, "--json").stdout)

    def test_c05_yaml_has_limits(self):
        """Bombs end at once, in little memory; each error has its place."""
        lol = "".join("a%d: &a%d [%s]\n" % (i, i, ",".join((["*a%d" % (i - 1)] if i else ["lol"]) * 9)) for i in range(10))
        for name, text, why in (("lol", lol, "more than 2000000 nodes"), ("lists", "x: " + "[" * 50000 + "\n", "deeper than 64"),
                                ("maps", "x: " + "{a: " * 50000 + "\n", "deeper than 64"), ("twice", "a: 1\na: 2\n", "twice"),
                                ("tag", "x: !!python/object:os.system {}\n", "tag"), ("merge", "x: &a {b: 1}\ny: {<<: *a}\n", "merge"),
                                ("itself", "x: &a [*a]\n", "a"), ("two", "---\nrbx: 1\n", "second document"), ("nul", "x: \0\n", r"\\x00"),
                                ("large", "x: " + "a" * (17 << 20) + "\n", "larger than 16 MiB")):
            with self.subTest(name):
                told = self.bounded("validate", self.write("rbx: 1\nname: t\n" + text))
                self.assertRegex(told, r"playbook.yaml(:\d+:\d+: error: | is )[\s\S]*" + why)
        if not world.SANITIZED:
            many = self.write("rbx: 1\nname: t\nx: [" + "1," * 1900000 + "]\n")
            self.assertNotIn(self.bounded("validate", many, expect=None), (DONE, WRONG), "the control: what is allowed needs more than that")

    def test_c05_scalars_are_those_of_yaml_1_2(self):
        """NO and 012 are texts, 1e3 a number; a text field takes the characters as they stand."""
        self.play("""
            inputs: {n: {type: number, default: 1e3}}
            vars: {norway: NO, on: on, zero: 012, sixty: '1:30', day: 2026-01-19, number: 1e3, hex: 0x1F, none: ~}
            steps:
              - id: a
                exec: {argv: [printf, '%s|%s|%s', 1.10, 012, 1e3]}
                effect: pure
                outputs:
                  stdout: self.stdout
                assert:
                  - vars.norway == 'NO' && vars.on == 'on' && vars.zero == '012' && vars.day == '2026-01-19'
                  - vars.number == 1000.0 && inputs.n == 1000.0 && vars.hex == 31 && vars.none == null
        """)
        self.assertEqual(self.steps()["a"]["outputs"]["stdout"], "1.10|012|1e3")

    def plugin(self, folder, name="hello", mode=0o755):
        """A plug-in that leaves a mark when it is started, whatever for."""
        os.makedirs(folder, 0o755, True)
        path = os.path.join(folder, "rbx-step-" + name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(PLUGIN % (self.file("started"), self.file("environ")))
        os.chmod(path, mode)
        return path

    def greet(self, path, expect, **env):
        """Plays a step of type hello with this plug-in path; whether the plug-in was started."""
        if self.there("started"):
            os.remove(self.file("started"))
        done = self.play("steps:\n  - {id: a, hello: {}}", expect=expect, RBX_PLUGINS=path, **env)
        return done.stdout + done.stderr, self.there("started")

    def test_c07_plugins_come_from_safe_places(self):
        """Absolute, root's or one's own all the way up, nobody else's to write; else not even asked what it is."""
        good, bad, below = self.file("good"), self.file("bad"), self.file("open/steps")
        for folder in (good, bad, below):
            self.plugin(folder)
        self.assertEqual(self.greet(good, DONE)[1], True)
        os.chmod(bad, 0o777)
        os.chmod(self.file("open"), 0o777)
        os.symlink(os.path.join(bad, "rbx-step-hello"), os.path.join(self.dir, "rbx-step-hello"))
        for path, why in ((bad, "everybody may write it"), (below, "everybody may write it"), (self.dir, "everybody may write it"),
                          ("tmp/x", "no absolute folder"), ("../../tmp/x", "no absolute folder"), (os.path.relpath(good, world.ROOT), "no absolute folder")):
            with self.subTest(path=path.replace(self.dir, "…")):
                told, started = self.greet(path, WRONG)
                self.assertIn(why, told)
                self.assertIn("playbook.yaml:4:13: error: unknown key or type 'hello'", told)
                self.assertFalse(started)
        with self.subTest("a file that all may write"):
            os.chmod(self.plugin(good), 0o777)
            told, started = self.greet(good, WRONG)
            self.assertIn("everybody may write it (mode 0777)", told)
            self.assertFalse(started)
        with self.subTest("a name that is a path"):
            self.assertIn("unknown key or type '../../tmp/x'", self.refused("steps:\n  - {id: a, ../../tmp/x: {}}", why=":4:13:").stderr)
        if os.getuid() == 0:
            with self.subTest("somebody else's"):
                os.chown(self.plugin(good), 65534, -1)
                told, started = self.greet(good, WRONG)
                self.assertIn("neither you nor root", told)
                self.assertFalse(started)

    def test_c07_plugins_are_named_and_do_not_shadow(self):
        """A name that is none is told; a built-in type stays what it is."""
        good = self.file("good")
        for name in ("hello", "Bad.Name", "exec"):
            self.plugin(good, name)
        done = self.rbx("steps", RBX_PLUGINS=good)
        for why in ("a step type is named [a-z0-9_]+, not 'Bad.Name'", "there is a step type 'exec' already"):
            self.assertIn(why, done.stderr)
        self.assertIn("\nhello ", done.stdout)

    def test_c07_no_ld_variable_is_honoured(self):
        """Not by rbx where it has secrets, and none of them reaches a plug-in or a program."""
        good = self.file("good")
        self.plugin(good)
        for name in ("LD_PRELOAD", "LD_AUDIT"):
            with self.subTest(name):
                told, started = self.greet(good, WRONG, **{name: self.file("evil.so")})
                self.assertIn("refused: %s is set" % name, told)
                self.assertFalse(started)
        self.assertFalse(os.path.exists(self.store))
        self.greet(good, DONE, LD_LIBRARY_PATH=self.dir, LD_BIND_NOW="1", BASH_ENV=self.file("evil"), PYTHONPATH=self.dir)
        with open(self.file("environ"), encoding="utf-8") as f:
            names = {line.split("=")[0] for line in f.read().splitlines()}
        self.assertIn("PATH", names)
        self.assertFalse({n for n in names if n.startswith(("LD_", "BASH_ENV", "PYTHON"))}, names)


class Stores(world.Scenario):
    def setUp(self):
        super().setUp()
        self.play("steps:\n  - {id: a, exec: {argv: [echo, one]}, effect: pure}\n  - {id: b, exec: {argv: [echo, two]}, undo: none}")
        self.run_id, self.whole = self.last(), self.rbx("show", "last", "--json").stdout
        with sqlite3.connect(self.store + "/store.db") as db:
            db.execute("pragma wal_checkpoint(truncate)")
        self.good = self.file("good")
        shutil.copytree(self.store, self.good)

    def broken(self, *statements):
        shutil.rmtree(self.store)
        shutil.copytree(self.good, self.store)
        with sqlite3.connect(self.store + "/store.db") as db:
            for statement, *values in statements:
                db.execute(statement, values)

    def test_c06_each_change_of_a_record_is_seen(self):
        """Whatever member, whatever byte: verify, show and resume name the record, and nothing is started."""
        with sqlite3.connect(self.store + "/store.db") as db:
            rows = db.execute("select seq, body, hash from record order by seq").fetchall()
        self.assertGreater(len(rows), 4)
        dice = random.Random(6)
        for seq, body, hash_ in rows:
            at = dice.randrange(len(body))
            changes = [("body", body[:at] + chr(ord(body[at]) ^ 1) + body[at + 1:]), ("at", 7), ("path", "zz"), ("attempt", 9),
                       ("hash", bytes([hash_[0] ^ 1]) + hash_[1:])]
            for column, value in [changes[0], dice.choice(changes[1:])]:
                self.broken(("update record set %s = ? where seq = ?" % column, value, seq))
                for command in ("verify", "show", "resume"):
                    done = self.rbx(command, self.run_id, expect=None)
                    with self.subTest("%s of record %d: %s" % (column, seq, command)):
                        self.assertIn(done.returncode, (FAILED, WRONG))
                        self.assertRegex(done.stderr, r"record \d+ (is damaged|is missing)|is not known|does not fit")
        self.broken(("delete from record where seq = 3",))
        self.assertRegex(self.rbx("verify", self.run_id, expect=FAILED).stderr, "record 3")
        self.broken()
        self.assertIn("the chain is whole", self.rbx("verify", self.run_id).stdout, "the control")

    def test_c06_a_flipped_byte_of_the_file_is_an_error_or_nothing(self):
        dice, path = random.Random(66), self.store + "/store.db"
        told = 0
        for _ in range(40):
            self.broken()
            at = dice.randrange(os.path.getsize(path))
            with open(path, "r+b") as f:
                f.seek(at)
                byte = f.read(1)[0]
                f.seek(at)
                f.write(bytes([byte ^ 1 << dice.randrange(8)]))
            done = self.rbx("show", self.run_id, "--json", expect=None)
            with self.subTest(at=at):
                self.assertIn(done.returncode, (DONE, FAILED, WRONG), done.stderr)
                if done.returncode == DONE:
                    self.assertEqual(done.stdout, self.whole)
                else:
                    self.assertRegex(done.stderr, "error: ")
                    told += 1
        self.assertGreater(told, 0)

    def test_c06_a_newer_store_is_refused(self):
        self.broken(("pragma user_version = 99",))
        for command in ("show", "verify", "resume"):
            self.assertIn("of version 99, newer than this rbx", self.rbx(command, self.run_id, expect=WRONG).stderr)

    def test_c06_the_store_names_no_code(self):
        """Where a plug-in lies is asked of the environment, each time anew."""
        text = "steps:\n  - {id: a, hello: {}}\n  - {id: b, manual: {text: go on?}}\n  - {id: c, hello: {}}"
        Inputs.plugin(self, self.file("plugins"))
        self.play(text, expect=world.PERSON, RBX_PLUGINS=self.file("plugins"))
        run = self.last()
        self.rbx("approve", run, "b", RBX_PLUGINS=self.file("plugins"))
        with open(self.store + "/store.db", "rb") as f:
            self.assertNotIn(self.file("plugins").encode(), f.read())
        os.remove(self.file("started"))
        self.rbx("resume", run, expect=WRONG)
        self.assertFalse(self.there("started"))
        self.rbx("resume", run, RBX_PLUGINS=self.file("plugins"))
        self.assertTrue(self.there("started"), "the control")


class Databases(world.Scenario):
    in_lab = True

    def test_c02_a_database_is_no_connection_string_and_no_option(self):
        """By libpq and by its tools: the name is looked for at the host that the step names, letter by letter."""
        for evil in ("host=evil.example dbname=x", "postgresql://evil.example/x", "--file=%s" % self.file("pwn"), "-l"):
            for step in ("sql_check: {host: NET.2, port: 15432, db: '${{ inputs.x }}', user: postgres, password: '${{ secrets.p }}', query: select 1}",
                         "pg_dump: {host: NET.2, port: 15432, db: '${{ inputs.x }}', user: postgres, password: '${{ secrets.p }}', to: DIR/dump}\n    undo: none"):
                with self.subTest(evil + " " + step.split(":")[0]):
                    self.play("inputs: {x: {type: string}}\nsecrets: {p: {env: PROD_DB_PASSWORD}}\nsteps:\n  - id: a\n    retry: {attempts: 1}\n    "
                              + step.replace("NET", self.net).replace("DIR", self.dir), "-i", "x=" + evil, expect=FAILED)
                    self.assertIn('database "%s" does not exist' % evil, str(self.steps()["a"]["error"]).replace('\\"', '"'))
        self.assertFalse(self.there("pwn") or self.there("dump"))


class Says(http.server.ThreadingHTTPServer):
    """A server that has one thing to say; its URL while it stands."""
    def __init__(self, body):
        super().__init__(("127.0.0.1", 0), Saying)
        self.body = body

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return "http://127.0.0.1:%d/" % self.server_port

    def __exit__(self, *why):
        self.shutdown()
        super().__exit__(*why)


class Saying(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *args):
        pass


PLUGIN = """#!/bin/sh
>>%s
env >%s
case $1 in
describe) echo '{"v": 1, "summary": "says hello", "effect": "pure", "out": {"x": {"type": "text", "output": true}}}';;
*) cat >/dev/null; echo '{"verdict": "done", "out": {"x": "hi"}}';;
esac
"""
