"""The rows of the security checklist that the whole binary has to hold, each as a test of its class."""
import base64
import glob
import os

import world
from world import DONE, FAILED, WRONG

CANARY = "kanarienvogel-7f3a"


class Security(world.Scenario):
    def file(self, name):
        return os.path.join(self.dir, name)

    def there(self, name):
        return os.path.exists(self.file(name))

    def refused(self, text, *args, why):
        done = self.play(text, *args, expect=None)
        self.assertIn(done.returncode, (FAILED, WRONG), done.stdout + done.stderr)
        self.assertIn(why, done.stdout + done.stderr)
        return done

    def test_data_is_no_shell(self):
        """1: what comes from outside stays one argument; shell text takes no expression."""
        evil = "x; touch %s $(id)" % self.file("pwn")
        self.play("""
            inputs: {x: {type: string}}
            steps:
              - {id: a, exec: {argv: [printf, '%s', '${{ inputs.x }}']}, effect: pure}
              - {id: b, exec: {shell: 'printf %s "$1"', args: ['${{ inputs.x }}']}, effect: pure}
        """, "-i", "x=" + evil)
        self.assertFalse(self.there("pwn"))
        self.refused("steps:\n  - {id: a, exec: {shell: 'rm ${{ run.id }}'}, undo: none}", why="args")

    def test_data_is_no_option(self):
        """2: an argument made of data does not begin with '-', a database is no connection string."""
        text = """
            inputs: {x: {type: string}}
            steps:
              - {id: a, exec: {argv: [touch, '${{ inputs.x }}']}, undo: none}
        """
        self.refused(text, "-i", "x=--file=/etc/x", why="take it for an option")
        text = """
            inputs: {x: {type: string}}
            steps:
              - id: a
                retry: {attempts: 1}
                sql_check: {host: 127.0.0.1, port: 1, db: '${{ inputs.x }}', user: u, query: select 1}
        """
        done = self.refused(text, "-i", "x=host=evil.example dbname=x", why="127.0.0.1")
        self.assertNotIn("evil.example:", done.stdout + done.stderr)

    def test_answers_are_data(self):
        """4: what a step was answered is never an expression."""
        self.play("""
            steps:
              - id: a
                exec: {argv: [printf, '%s', '$${{ run.id }}']}
                effect: pure
                outputs:
                  text: self.stdout
              - {id: b, exec: {argv: [test, '${{ steps.a.outputs.text }}', '=', '$${{ run.id }}']}, effect: pure}
        """)
        self.assertEqual(self.steps()["a"]["outputs"]["text"], "${{ run.id }}")

    def test_yaml_has_limits(self):
        """5: bombs end at once."""
        for text, why in (("a: 1\na: 2\n", "twice"), ("x: !!python/object:os.system {}\n", "tag"),
                          ("x: " + "[" * 50000 + "\n", "64"), ("x: &a {b: 1}\ny: {<<: *a}\n", "merge")):
            with self.subTest(why=why):
                done = self.rbx("validate", self.write("rbx: 1\nname: t\n" + text), expect=WRONG)
                self.assertIn(why, done.stdout + done.stderr)

    def sinks(self):
        for path in glob.glob(self.store + "/**", recursive=True) + [self.file("copy.db")]:
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    yield path, f.read()

    def test_a_secret_shows_nowhere(self):
        """8, 9, 10, 11: in no output, record, log, file of the store or its copy, argv or foreign environment, in no form."""
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
        forms = [CANARY, CANARY.encode().hex()] + [in_base64(CANARY, shift) for shift in range(3)]
        copies = list(self.sinks())
        for form in forms:
            self.assertFalse([t for t in texts if form in t], form)
            self.assertFalse([name for name, data in copies if form.encode() in data], form)

    def test_a_name_and_password_in_an_address_are_refused(self):
        """12, 17: and are not repeated."""
        text = "inputs: {x: {type: url}}\nsteps:\n  - {id: a, http_check: {url: '${{ inputs.x }}'}}"
        done = self.refused(text, "-i", "x=https://u:%s@h/" % CANARY, why="https://***@h/")
        self.assertNotIn(CANARY, (done.stdout + done.stderr).split("\n")[0])
        for url in ("file:///etc/shadow", "gopher://h/", "scp://h/x"):
            self.refused("steps:\n  - {id: a, http_check: {url: '%s'}}" % url, why="http")

    def test_no_control_characters_leave(self):
        """18: in headers and in the fields of a mail."""
        self.refused("""
            inputs: {x: {type: string}}
            steps:
              - {id: a, http_request: {url: 'http://127.0.0.1:1/', headers: {X: '${{ inputs.x }}'}}, retry: {attempts: 1}, undo: none}
        """, "-i", "x=v\r\nHost: evil", why="control character")
        self.refused("""
            inputs: {x: {type: string}}
            steps:
              - id: a
                notify: {to: email, smtp: '127.0.0.1:1', sender: a@b.example, recipients: [c@d.example], subject: '${{ inputs.x }}', text: hi}
                on_error: stop
                retry: {attempts: 1}
        """, "-i", "x=subject\nBcc: x", why="control character")

    def test_output_forges_no_line(self):
        """19: what a child prints is escaped, one record one line."""
        done = self.play("""
            steps:
              - {id: a, exec: {shell: 'printf "\\\\033]52;c;x\\\\a\\\\rrbx: run succeeded\\\\342\\\\200\\\\256\\\\n"'}, effect: pure}
        """)
        for text in (done.stdout, self.rbx("logs", "last").stdout):
            self.assertFalse(set(text) & {"\x1b", "\a", "\r", "\u202e"}, repr(text))

    def test_who_else_may_write_is_refused(self):
        """28: a playbook that anybody may change, a store that is somebody else's."""
        path = self.write("rbx: 1\nname: t\nsteps:\n  - {id: a, exec: {argv: ['true']}, effect: pure}\n")
        os.chmod(path, 0o666)
        self.assertIn("chmod", self.rbx("run", path, expect=WRONG).stderr)
        os.chmod(path, 0o600)
        self.rbx("run", path)
        if os.getuid() == 0:
            os.chown(path, 65534, -1)
            self.rbx("run", path, expect=WRONG)
            os.chown(path, 0, -1)
        os.chmod(self.store, 0o777)
        self.assertNotEqual(self.rbx("run", path, expect=None).returncode, DONE)

    def test_an_id_is_no_path_and_no_query(self):
        """30."""
        self.play("steps:\n  - {id: a, exec: {argv: ['true']}, effect: pure}")
        for word in ("x';drop table run;--", "../x", "a/b", "", "x" * 65, ".hidden"):
            with self.subTest(word=word):
                self.rbx("show", word, expect=WRONG)
                self.rbx("resume", word, expect=WRONG)
        self.assertEqual(len(self.runs()), 1)

    def test_nothing_of_a_run_is_left_in_temp(self):
        """27: files of secrets are private, and gone at the end."""
        before = set(os.listdir("/tmp"))
        self.play("""
            secrets: {key: {env: CANARY}}
            steps:
              - id: a
                exec: {shell: 'stat -c "%a %h" "$FILE" >mode; echo "$FILE" >name', files: {FILE: '${{ secrets.key }}'}}
                effect: pure
        """, CANARY=CANARY)
        with open(self.file("mode")) as f, open(self.file("name")) as g:
            self.assertEqual(f.read().split()[0], "600")
            self.assertFalse(os.path.exists(g.read().strip()))
        self.assertFalse([n for n in set(os.listdir("/tmp")) - before if n.startswith("rbx") and "scenario" not in n and "lab" not in n])


def in_base64(text, shift):
    """What of the text shows in base64 whatever stands around it."""
    whole = base64.b64encode(b"x" * shift + text.encode()).decode()
    return whole[4 if shift else 0:len(whole) - 4]
