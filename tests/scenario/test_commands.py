"""What commands make of a run that goes on, has ended, or was answered before."""
import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import unittest

import world
from world import FAILED, PERSON, WRONG

HELD = 75


class Commands(world.Scenario):
    def effects_of(self):
        with open(os.path.join(self.dir, "did")) as f:
            return f.read().split()

    def book(self):
        return self.write("""
            rbx: 1
            name: test
            steps:
              - id: a
                exec: {shell: 'echo done >>did'}
                undo:
                  - {id: away, exec: {shell: 'echo undone >>did'}}
            follow_up:
              - {within: 1h, text: look at it}
        """)

    def test_a_tick_does_not_open_a_run_again(self):
        self.rbx("run", self.book())
        self.rbx("run", self.book())
        run = self.last()
        head = re.search("head ([0-9a-f]{64})", self.rbx("verify", run).stdout)[1]
        self.rbx("tick", run, 1)
        after = self.write("""
            rbx: 1
            name: after
            inputs: {before: {type: run, of: test, default: last}}
            steps:
              - {id: tell, notify: {to: stdout, text: 'it was ${{ inputs.before.id }}'}}
        """, "after.yaml")
        self.assertIn("it was " + run, self.rbx("run", after).stdout)
        self.assertIn("1 records since", self.rbx("verify", run, "--head", head).stdout)
        self.rbx("verify", run, "--head", head[:8], expect=WRONG)
        self.rbx("verify", run, "--head", "0" * 64, expect=FAILED)

    def test_what_only_reads_goes_under_guard(self):
        """Before the first byte that another may have written."""
        if shutil.which("strace") is None:
            self.skipTest("no strace")
        book = self.book()
        self.rbx("run", book)
        read = {"validate": (book, os.path.basename(book)), "graph": (book, os.path.basename(book)),
                "show": ("last", "store.db"), "verify": ("last", "store.db")}
        for command, (word, file) in read.items():
            done = subprocess.run(["strace", "-f", "-e", "trace=prctl,openat", world.RBX, command, word],
                                  env=self.env(ASAN_OPTIONS="detect_leaks=0"),    # leaks are looked for as strace looks
                                  text=True, capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            guard, first = done.stderr.find("PR_SET_SECCOMP, SECCOMP_MODE_FILTER"), done.stderr.find(file + '"')
            self.assertTrue(0 < guard < first, command + "\n" + done.stderr)

    def test_a_store_that_cannot_be_opened_is_told_alike(self):
        """Every command that the help lists, and every way in which a store is none."""
        book = self.write("rbx: 1\nname: test\ndrill: {}\nsteps:\n  - {id: a, wait: {for: 1ms}}\n")
        copy = os.path.join(self.dir, "copy")
        with_store = {
            "run": [book], "drill": [book], "resume": ["last"], "resolve": ["last", "a", "--done", "--reason", "x"], "undo": ["last"],
            "approve": ["last", "a"], "cancel": ["last"], "tick": ["last", "1"], "list": [], "show": ["last"], "logs": ["last"],
            "verify": ["last"], "gc": [], "eval": ["--run", "last", "1"], "backup": [copy],
        }
        without = {"validate": [book], "graph": [book], "steps": [], "schema": [], "help": []}
        listed = re.findall("^  ([a-z]+)  ", self.rbx("help").stdout, re.M)
        self.assertLessEqual(set(with_store) | set(without), set(listed))
        odd = set(listed) - set(with_store) - set(without)
        self.assertFalse(odd, "say which of them need a store")
        file = self.write("no folder", "file")
        open_to_all = os.path.join(self.dir, "open")
        os.mkdir(open_to_all)
        os.chmod(open_to_all, 0o777)
        newer = os.path.join(self.dir, "newer")
        self.rbx("list", "--store", newer)
        with contextlib.closing(sqlite3.connect(os.path.join(newer, "store.db"))) as db:
            db.execute("PRAGMA user_version=99")
        for store in "/dev/null/x", file, open_to_all, newer, "postgresql://h/db", "":
            for name, words in with_store.items():
                done = self.rbx(name, *words, "--store", store, expect=None)
                self.assertEqual((name, store, done.returncode, done.stdout), (name, store, WRONG, ""), done.stderr)
                self.assertRegex(done.stderr, "^error: .*store")
        for name, words in without.items():
            self.rbx(name, *words, "--store", "/dev/null/x")
        self.assertFalse(os.path.exists(copy))
        self.assertFalse(os.path.exists(os.path.join(world.ROOT, "postgresql:")))

    def test_resume_with_a_corrected_playbook(self):
        text = """
            rbx: 1
            name: test
            steps:
              - {id: one, exec: {shell: 'echo one >>did'}, undo: none}
              - {id: two, file_check: {path: %s}, retry: {attempts: 1}}
              - {id: three, exec: {shell: 'echo %s >>did'}, undo: none}
        """
        self.rbx("run", self.write(text % ("missing", "old")), expect=FAILED)
        moved = self.write((text % ("did", "new")).replace("echo one", "echo uno"), "moved.yaml")
        said = self.rbx("resume", "last", "--playbook", moved, expect=WRONG).stderr
        self.assertIn("moved.yaml:5:10: error: one has begun, and its arguments may not change", said)
        self.assertIn("nothing was done", said)
        fixed = self.write(text % ("did", "new"), "fixed.yaml")
        out = self.rbx("resume", "last", "--playbook", fixed, "--reason", "a slip").stdout
        self.assertIn("goes on with another playbook", out)
        self.assertIn("reason:  a slip", out)
        self.assertEqual(self.effects_of(), ["one", "new"])
        shown = self.rbx("show", "last").stdout
        self.assertRegex(shown, "opened again by .*: a slip")
        self.assertIn("on another playbook than at the start", shown)
        self.rbx("verify", "last")

    def test_resume_says_that_the_file_has_changed(self):
        path = self.write("rbx: 1\nname: test\nsteps:\n  - {id: a, confirm: ok, exec: {argv: ['true']}, undo: none}\n")
        self.rbx("run", path, expect=PERSON)
        self.assertNotIn("has changed", self.rbx("resume", "last", expect=PERSON).stderr)
        with open(path, "a", encoding="utf-8") as f:
            f.write("# more\n")
        self.assertIn("has changed since", self.rbx("resume", "last", expect=PERSON).stderr)

    def test_undo_happens_once(self):
        self.rbx("run", self.book())
        run = self.last()
        self.rbx("undo", run, expect=PERSON)
        self.rbx("undo", run, "--yes")
        self.assertIn("undoes it already", self.rbx("undo", run, "--yes", expect=WRONG).stderr)
        self.assertIn("took another one back", self.rbx("undo", "last", "--yes", expect=WRONG).stderr)
        undo = {"run": self.last(), "state": "done"}
        self.assertEqual((self.show(run)["state"], self.show(run)["undo"]), ("done", undo))
        self.assertEqual(self.states(run)["a"], "undone")
        self.assertRegex(self.rbx("show", run).stdout, "(?s)taken back by run %(run)s: done.* a +undone" % undo)
        self.assertEqual([r["undo"] for r in self.runs()], [undo, None])
        self.assertIn("taken back by %(run)s: done" % undo, self.rbx("list").stdout)
        self.rbx("resume", run, expect=WRONG)
        self.assertEqual(self.effects_of(), ["done", "undone"])

    def test_large_outputs_are_kept_whole(self):
        """Over 64 KiB a record names a blob: resume, show, eval, verify and backup all read it back."""
        rows = [{"id": i, "text": "x" * 90} for i in range(4000)]
        with open(os.path.join(self.dir, "rows"), "w") as f:
            json.dump(rows, f)
        path = self.write("""
            rbx: 1
            name: test
            steps:
              - id: a
                file_check: {path: rows, json: true}
                outputs:
                  rows: self.json
              - id: b
                exec: {argv: [sh, -c, 'test -e go && echo "$1" >did', sh, '${{ steps.a.outputs.rows.size() }}']}
                effect: idempotent
                retry: {attempts: 1}
                undo: none
        """)
        self.rbx("run", path, expect=FAILED)
        os.unlink(os.path.join(self.dir, "rows"))
        os.close(os.open(os.path.join(self.dir, "go"), os.O_CREAT))
        self.rbx("resume", "last")
        self.assertEqual(self.effects_of(), ["4000"])
        run = self.last()
        self.assertEqual(self.steps(run)["a"]["outputs"]["rows"], rows)
        self.assertEqual(self.rbx("eval", "--run", run, "steps.a.outputs.rows[3999].id").stdout, "3999\n")
        self.rbx("verify", run)
        copy = os.path.join(self.dir, "copy")
        os.mkdir(copy, 0o700)
        self.rbx("backup", os.path.join(copy, "store.db"))
        self.store = copy
        self.assertEqual(self.steps(run)["a"]["outputs"]["rows"], rows)
        with sqlite3.connect(os.path.join(copy, "store.db")) as db:
            self.assertLess(db.execute("SELECT max(length(body)) FROM record").fetchone()[0], 65536)
            db.execute("UPDATE blob SET bytes = ?1 WHERE length(bytes) > 300000", (json.dumps(rows[1:]).encode(),))
        self.assertIn("the outputs of record", self.rbx("verify", run, expect=FAILED).stderr)
        self.rbx("show", run, expect=FAILED)

    def test_the_locks_of_a_called_playbook_are_taken_at_the_start(self):
        self.write("""
            rbx: 1
            name: inner
            inputs: {name: {type: string}}
            locks: ['db/${{ inputs.name }}']
            steps:
              - {id: x, exec: {argv: ['true']}, undo: none}
        """, "inner.yaml")
        text = """
            rbx: 1
            name: %s
            locks: [all]
            steps:
              - {id: ask, manual: {text: wait}}
              - {id: c, playbook: {file: inner.yaml, inputs: {name: '%s'}%s}}
        """
        outer = self.write(text % ("outer", "a", ""), "outer.yaml")
        self.rbx("run", outer, expect=PERSON)
        first = self.last()
        alone = self.rbx("run", os.path.join(self.dir, "inner.yaml"), "-i", "name=a", expect=HELD)
        self.assertIn("lock db/a is held by run " + first, alone.stderr)
        self.rbx("run", os.path.join(self.dir, "inner.yaml"), "-i", "name=b")
        self.rbx("approve", first, "ask")
        self.rbx("resume", first)
        self.rbx("run", os.path.join(self.dir, "inner.yaml"), "-i", "name=a")
        dry = self.write(text.replace("locks: [all]", "") % ("dry", "a", ", dry_run: true"), "dry.yaml")
        self.rbx("run", dry, expect=PERSON)
        self.rbx("run", os.path.join(self.dir, "inner.yaml"), "-i", "name=a")
        late = self.write(text % ("late", "${{ steps.ask.status }}", ""), "late.yaml")
        self.assertIn("it is taken when the run starts", self.rbx("run", late, expect=None).stderr)

    def test_the_limits_of_a_called_playbook_hold(self):
        self.write("""
            rbx: 1
            name: inner
            limits: {parallel: 1, handlers: 1s}
            steps:
              - id: both
                parallel:
                  - {id: x, exec: {shell: 'echo in >>did; sleep 0.3; echo out >>did'}, undo: none}
                  - {id: y, exec: {shell: 'echo in >>did; sleep 0.3; echo out >>did'}, undo: none}
            finally:
              - {id: slow, exec: {shell: 'sleep 60'}, undo: none}
        """, "inner.yaml")
        self.rbx("run", self.write("""
            rbx: 1
            name: outer
            steps:
              - {id: c, playbook: {file: inner.yaml}}
        """), expect=FAILED)
        self.assertEqual(self.effects_of(), ["in", "out", "in", "out"])
        self.assertIn("c/finally/slow", self.steps())

    def test_a_called_playbook_calls_a_person_too(self):
        self.write("""
            rbx: 1
            name: inner
            steps:
              - {id: x, confirm: 'go?', exec: {argv: ['true']}, undo: none}
            on_waiting:
              - {id: first, exec: {shell: 'echo "inner $1 $2" >>did', args: ['${{ waiting.step }}', '${{ waiting.text }}']}, effect: repeatable}
        """, "inner.yaml")
        outer = self.write("""
            rbx: 1
            name: outer
            steps:
              - {id: c, playbook: {file: inner.yaml}}
            on_waiting:
              - {id: call, exec: {shell: 'echo outer >>did'}, effect: repeatable}
        """)
        self.rbx("run", outer, expect=PERSON)
        self.rbx("resume", "last", expect=PERSON)
        self.assertEqual(sorted(self.effects_of()), sorted(["outer", "inner", "c/x", "go?"]))
        self.rbx("approve", "last", "c/x")
        self.rbx("resume", "last")
        self.assertEqual(sorted(self.effects_of()), sorted(["outer", "inner", "c/x", "go?"]))

    def test_a_playbook_called_twice_has_its_secrets_twice(self):
        self.write("""
            rbx: 1
            name: inner
            secrets: {key: {env: INNER_KEY}}
            steps:
              - id: x
                exec: {shell: 'echo "$KEY" | wc -c >>did', env: {KEY: '${{ secrets.key }}'}}
                undo: none
        """, "inner.yaml")
        self.rbx("run", self.write("""
            rbx: 1
            name: outer
            steps:
              - {id: a, playbook: {file: inner.yaml}}
              - {id: b, playbook: {file: inner.yaml}}
        """), INNER_KEY="swordfish")
        self.assertEqual(self.effects_of(), ["10", "10"])

    def test_a_secret_output_is_asked_again(self):
        """The record does not have it: the check that gave it is asked once more, before what uses it goes on."""
        path = self.write("""
            rbx: 1
            name: test
            steps:
              - id: login
                exec: {shell: 'echo asked >>did; test -e gone && exit 1; echo "token-$(wc -l <did)"'}
                effect: pure
                outputs:
                  token: secret(self.stdout.trim())
              - {id: other, exec: {argv: [echo, hello]}, effect: pure}
              - {id: ask, manual: {text: wait}}
              - id: use
                exec: {shell: 'test "$TOKEN" = "token-       2" || test "$TOKEN" = token-2', env: {TOKEN: '${{ steps.login.outputs.token }}'}}
                undo: none
        """)
        self.rbx("run", path, expect=PERSON)
        run = self.last()
        self.rbx("approve", run, "ask")
        os.close(os.open(os.path.join(self.dir, "gone"), os.O_CREAT))
        self.assertIn("login, which is asked again", self.rbx("resume", run, expect=3).stderr)
        os.unlink(os.path.join(self.dir, "gone"))
        with open(os.path.join(self.dir, "did"), "w") as f:
            f.write("asked\n")
        self.rbx("resume", run)
        self.assertEqual(self.effects_of(), ["asked", "asked"])
        with sqlite3.connect(os.path.join(self.store, "store.db")) as db:
            bodies = [body for body, in db.execute("SELECT body FROM record WHERE path = 'login'")]
        self.assertEqual((len(bodies), [b for b in bodies if "token" in b]), (1, []))

    def test_a_fenced_owner_stops_at_once(self):
        """Another owner has written where this one would: it ends what it carries out, writes nothing more, exit 75."""
        child = self.start("run", self.write("""
            rbx: 1
            name: test
            steps:
              - {id: a, exec: {shell: 'echo $$ >>did; exec sleep 60'}, undo: none}
              - {id: b, exec: {shell: 'echo b >>did'}, undo: none}
            finally:
              - {id: c, exec: {shell: 'echo c >>did'}, undo: none}
        """))
        self.wait(lambda: os.path.exists(os.path.join(self.dir, "did")) and self.effects_of(), "the effect")
        run, pid = self.last(), int(self.effects_of()[0])
        with sqlite3.connect(os.path.join(self.store, "store.db")) as db:
            db.execute("INSERT INTO record SELECT run, seq + 1, at, boot, kind, path, attempt, body, hash FROM record"
                       " WHERE run = ?1 ORDER BY seq DESC LIMIT 1", (run,))
        child.send_signal(signal.SIGINT)
        said = child.communicate(timeout=60)[0]
        self.assertEqual(child.returncode, HELD, said)
        self.assertIn("rbx resume " + run, said)
        self.assertFalse(os.path.exists("/proc/%d" % pid), "what ran goes on")
        self.assertEqual(self.effects_of(), [str(pid)])

    def test_a_run_under_way_is_not_undone(self):
        child = self.start("run", self.write("""
            rbx: 1
            name: test
            steps:
              - {id: a, exec: {shell: 'echo done >>did; sleep 60'}, undo: none}
        """))
        self.wait(lambda: os.path.exists(os.path.join(self.dir, "did")) and self.effects_of(), "the effect")
        self.rbx("undo", self.last(), "--yes", expect=HELD)
        self.rbx("resolve", self.last(), "nowhere", "--done", "--reason", "x", expect=WRONG)
        child.kill()
        child.wait()

    def test_an_ended_run_hears_nothing(self):
        self.rbx("run", self.book())
        self.assertIn("has ended as done", self.rbx("cancel", self.last(), expect=WRONG).stderr)
        self.rbx("resolve", self.last(), "a", "--done", "--reason", "x", expect=WRONG)

    def test_a_resolve_of_an_earlier_attempt_settles_nothing(self):
        def attempt(*words):
            child = self.start(*words)
            before = len(self.effects_of()) if os.path.exists(os.path.join(self.dir, "did")) else 0
            self.wait(lambda: os.path.exists(os.path.join(self.dir, "did")) and len(self.effects_of()) > before, "an effect")
            child.kill()
            child.wait()
        attempt("run", self.write("""
            rbx: 1
            name: test
            steps:
              - {id: a, exec: {shell: 'echo done >>did; sleep 60'}, undo: none}
        """))
        run = self.last()
        self.rbx("resume", run, expect=PERSON)
        self.rbx("resolve", run, "a", "--retry", "--reason", "again")
        self.rbx("resolve", run, "a", "--done", "--reason", "I saw the first one")
        attempt("resume", run)
        self.rbx("resume", run, expect=PERSON)
        self.assertEqual(self.states(run)["a"], "doubt")

    def test_output_that_is_lost_is_told(self):
        self.rbx("run", self.book())
        with open("/dev/full", "w") as full:
            self.assertEqual(world.subprocess.run([world.RBX, "list"], stdout=full, stderr=world.subprocess.DEVNULL,
                                                  env=self.env()).returncode, FAILED)

    def test_an_abbreviation_is_no_option(self):
        self.assertIn("did you mean", self.rbx("resolve", "x", "a", "--retry-", "--reason", "x", expect=WRONG).stderr)


if __name__ == "__main__":
    unittest.main()
