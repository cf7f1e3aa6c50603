"""What befalls a run from outside: owners that are killed at a bad moment or twice, people who cancel, a second rbx, disks and
terminals that go away. Each has a clear end state, and no effect happens twice in silence."""
import os
import shutil
import signal
import sqlite3
import subprocess
import textwrap
import time
import unittest

import world
from killed import ONCE_THEN_QUICK, Killed
from screen import Terminal
from world import CANCELLED, DONE, FAILED, HELD, PERSON, RBX, ROOT, WRONG

UNDONE = """
steps:
  - id: all
    on_error: undo
    block:
      - id: first
        exec: {shell: 'echo first >>did'}
        effect: idempotent
        undo:
          - {id: back, exec: {shell: 'again=; [ -e again ] && again=1; touch again; echo back >>did; echo x >>began; [ $again ] || exec sleep %s'}, effect: %s}
      - id: second
        exec: {shell: 'exit 9'}
        undo: none
"""


class Killings(Killed):
    def did(self):
        return self.lines("did")

    def test_killed_while_it_undoes_it_undoes_on_resume(self):
        run = self.killed(UNDONE % (60, "idempotent"))
        self.rbx("resume", run, expect=FAILED)
        self.assertEqual(self.did(), ["first", "back", "back"])
        self.assertEqual(self.states(run)["all/first"], "undone")

    def test_killed_while_it_undoes_once_only_a_person_is_asked(self):
        run = self.killed(UNDONE % (60, "once"))
        self.rbx("resume", run, expect=PERSON)
        self.assertEqual(self.did(), ["first", "back"])
        self.rbx("resolve", run, "all/first/undo/back", "--done", "--reason", "it is back")
        self.rbx("resume", run, expect=FAILED)
        self.assertEqual(self.did(), ["first", "back"])

    def test_killed_in_finally_it_cleans_up_on_resume_and_repeats_no_step(self):
        run = self.killed("""
        steps:
          - {id: x, exec: {shell: 'echo x >>did'}, undo: none}
        finally:
          - {id: clean, exec: {shell: '%s'}, effect: idempotent}
        """ % ONCE_THEN_QUICK)
        self.rbx("resume", run)
        self.assertEqual((self.did(), len(self.lines("began")), self.show(run)["state"]), (["x"], 2, "done"))

    def test_killed_twice_in_a_row_and_in_the_resume_itself(self):
        """Each owner dies in the same step, and the one after a doubt as well."""
        text = """
        steps:
          - {id: a, exec: {shell: 'echo a >>did'}, undo: none}
          - {id: b, exec: {shell: 'echo x >>began; [ $(wc -l <began) -ge 4 ] || exec sleep 60'}, effect: idempotent}
          - {id: c, exec: {shell: 'echo c >>did'}, undo: none}
        """
        run = self.killed(text)
        for n in (2, 3):
            child = self.start("resume", run)
            self.wait(lambda n=n: len(self.lines("began")) == n, "the next attempt")
            self.kill(child)
        self.rbx("resume", run)
        self.assertEqual((self.did(), len(self.lines("began"))), (["a", "c"], 4))
        self.assertEqual([b["epoch"] for _, _, b in self.records(run, "own")], [1, 2, 3, 4])
        self.rbx("verify", run)

    def test_killed_twice_a_once_step_is_still_in_doubt(self):
        run = self.killed("steps:\n  - {id: x, exec: {shell: '%s'}, undo: none}" % ONCE_THEN_QUICK)
        for _ in range(2):
            self.rbx("resume", run, expect=PERSON)
        self.assertEqual(len(self.lines("began")), 1)
        self.assertEqual(len(self.records(run, "intent")), 1)

    def test_killed_at_every_record_of_a_resume(self):
        """strace ends the resume at its n-th sync, for each n that there is."""
        run = self.killed("""
        steps:
          - {id: x, exec: {shell: 'again=; [ -e again ] && again=1; touch again; echo x >>began; [ $again ] || exec sleep 60'}, effect: idempotent}
          - {id: y, exec: {shell: 'echo y >>did'}, undo: none}
        """)
        n = 0
        for n in range(1, 40):
            done = subprocess.run(["strace", "-f", "-b", "execve", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e",
                                   "inject=fdatasync:signal=KILL:when=%d" % n, RBX, "resume", run], env=self.env(ASAN_OPTIONS="detect_leaks=0"), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
            if done.returncode == PERSON:
                self.assertEqual(self.states(run)["y"], "doubt")
                self.rbx("resolve", run, "y", "--done" if self.did() else "--retry", "--reason", "the file says so")
            elif done.returncode not in (-9, 137):
                break
        self.assertGreater(n, 2, "no resume was killed")
        self.assertEqual((self.show(run)["state"], self.did()), ("done", ["y"]))


class People(Killed):
    def did(self):
        return self.lines("did")

    def test_cancelled_twice_what_runs_is_ended_and_told_as_doubt(self):
        child = self.begin("""
        steps:
          - {id: x, exec: {shell: 'echo $$ >>began; exec sleep 60'}, undo: none}
          - {id: y, exec: {shell: 'echo y >>did'}, undo: none}
        """)
        pid = int(self.lines("began")[0])
        child.send_signal(signal.SIGINT)
        self.wait(lambda: self.records(self.last(), "signal"), "the first cancel")
        self.assertTrue(self.runs_on(pid), "the first cancel ended what ran")
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=60)
        self.assertEqual(child.returncode, CANCELLED, out)
        self.assertFalse(self.runs_on(pid))
        run = self.last()
        self.assertEqual([b["what"] for _, _, b in self.records(run, "signal")], ["cancel", "stop"])
        self.assertEqual(self.records(run, "end")[0][2]["doubt"], ["x"])
        self.assertEqual(self.did(), [])

    def test_cancelled_while_it_undoes_the_undo_goes_to_its_end(self):
        child = self.begin(UNDONE % ("1; touch really-back", "idempotent"))
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=60)
        self.assertIn(child.returncode, (FAILED, CANCELLED), out)
        self.assertEqual(self.states(self.last())["all/first"], "undone")
        self.assertEqual(self.did(), ["first", "back"])

    def test_cancelled_twice_while_it_undoes_the_undo_is_in_doubt(self):
        child = self.begin(UNDONE % (60, "idempotent"))
        child.send_signal(signal.SIGINT)
        self.wait(lambda: self.records(self.last(), "signal"), "the first cancel")
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=60)
        self.assertEqual(child.returncode, CANCELLED, out)
        run = self.last()
        self.assertEqual(len(self.records(run, "end")), 1)
        self.assertIn("all/first", out)
        self.assertEqual(self.did(), ["first", "back"])
        self.rbx("resume", run, expect=WRONG)              # something was undone: a new run is wanted

    def test_a_resume_beside_the_owner_is_turned_away_and_told_where_it_stands(self):
        child = self.begin("steps:\n  - {id: slow, exec: {shell: 'echo x >>began; exec sleep 60'}, undo: none}")
        run = self.last()
        done = self.rbx("resume", run, expect=HELD)
        for word in (run, "pid %d" % child.pid, "at step slow", "since "):
            self.assertIn(word, done.stderr + done.stdout)
        self.assertEqual((len(self.lines("began")), len(self.records(run, "own"))), (1, 1))
        child.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)

    def test_of_two_resumes_at_once_one_carries_it_out(self):
        run = self.killed("steps:\n  - {id: x, exec: {shell: 'again=; [ -e again ] && again=1; touch again; echo x >>began; [ $again ] || exec sleep 60; sleep 1'},"
                          " effect: idempotent}")
        children = [self.start("resume", run) for _ in range(3)]
        codes = sorted(c.wait(60) for c in children)
        for c in children:
            c.stdout.close()
        self.assertEqual(codes, [DONE, HELD, HELD])
        self.assertEqual(len(self.lines("began")), 2)

    def test_an_owner_that_was_stopped_past_a_timeout_does_not_repeat(self):
        """As a laptop that sleeps: the clock that counts goes on meanwhile."""
        child = self.begin("steps:\n  - {id: x, exec: {shell: 'echo x >>began; exec sleep 60'}, undo: none, timeout: 1s}")
        child.send_signal(signal.SIGSTOP)
        time.sleep(1.5)
        child.send_signal(signal.SIGCONT)
        out, _ = child.communicate(timeout=60)
        self.assertEqual(child.returncode, PERSON, out)
        self.assertEqual((self.states(), len(self.lines("began"))), ({"x": "doubt"}, 1))


class Sleep(Killed):
    @unittest.skipIf(shutil.which("strace") is None, "no strace here")
    def test_what_was_decided_before_a_long_sleep_is_not_started_but_decided_again(self):
        """The disk takes 31 s to acknowledge the intent, as if the machine had slept: nothing of it may start any more."""
        self.play("steps:\n  - {id: first, exec: {argv: ['true']}, undo: none}")     # what makes the store syncs, too
        path = self.write("rbx: 1\nname: test\nsteps:\n  - {id: x, exec: {shell: 'echo x >>did'}, undo: none}\n")
        slow = ["strace", "-f", "-b", "execve", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e",
                "inject=fdatasync:delay_enter=31000000:when=2"]
        child = subprocess.Popen([*slow, RBX, "run", path], env=self.env(ASAN_OPTIONS="detect_leaks=0"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(child.wait)
        self.addCleanup(os.killpg, child.pid, signal.SIGKILL)
        self.wait(lambda: self.lines("did"), "the effect")
        with sqlite3.connect("file:%s/store.db?mode=ro" % self.store, uri=True) as db:      # rbx still has the lock
            run = db.execute("SELECT run FROM run ORDER BY at DESC LIMIT 1").fetchone()[0]
        self.assertEqual([k for k, _, _ in self.records(run, "intent", "retry")], ["intent", "retry", "intent"])
        self.assertIn("more than 30 s passed", self.records(run, "retry")[0][2]["error"]["message"])
        self.assertEqual(self.lines("did"), ["x"])


class Terminals(Killed):
    QUESTION = """
        steps:
          - {id: a, exec: {shell: 'echo a >>did'}, undo: none}
          - {id: b, confirm: 'Go on?', exec: {shell: 'echo b >>did'}, undo: none}
        """

    def at_terminal(self, text):
        path = self.write("rbx: 1\nname: test\n" + textwrap.dedent(text).strip() + "\n")
        terminal = Terminal([RBX, "run", path], self.env(TERM="xterm"), ROOT)
        self.addCleanup(terminal.close)
        return terminal

    def test_a_terminal_that_goes_away_in_a_question_leaves_it_to_others(self):
        terminal = self.at_terminal(self.QUESTION)
        self.assertTrue(terminal.see(r"Go on\?"))
        run, pid = self.last(), terminal.pid
        os.close(terminal.fd)                              # HUP
        terminal.fd = os.open("/dev/null", os.O_RDWR)
        terminal.code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self.assertEqual(terminal.code, PERSON)
        self.assertEqual((self.lines("did"), self.records(run, "end")), (["a"], []))
        self.rbx("approve", run, "b")
        self.rbx("resume", run)
        self.assertEqual(self.lines("did"), ["a", "b"])

    def test_a_reader_that_goes_away_does_not_end_the_run(self):
        child = self.begin("""
        steps:
          - {id: a, exec: {shell: 'echo a >>began; sleep 1'}, undo: none}
          - {id: b, exec: {shell: 'echo b >>did'}, undo: none}
        """)
        child.stdout.close()
        self.assertNotIn(child.wait(60), (-signal.SIGPIPE, 141))
        self.assertEqual((self.lines("did"), self.show()["state"]), (["b"], "done"))

    def test_no_standard_output_at_all(self):
        path = self.write("rbx: 1\nname: test\nsteps:\n  - {id: a, exec: {shell: 'echo a >>did'}, undo: none}\n")
        subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", RBX, "run", path], env=self.env(), timeout=60)
        self.assertEqual((self.lines("did"), self.show()["state"]), (["a"], "done"))
        self.rbx("verify", self.last())


class Stores(Killed):
    def test_a_newer_store_is_refused_by_all_and_left_as_it_is(self):
        run = self.killed("steps:\n  - {id: x, exec: {shell: '%s'}, undo: none}" % ONCE_THEN_QUICK)
        with sqlite3.connect(os.path.join(self.store, "store.db")) as db:
            db.execute("PRAGMA user_version = 99")
        before = len(self.records(run))
        book = self.write("rbx: 1\nname: test\nsteps:\n  - {id: a, exec: {shell: 'echo a >>did'}, undo: none}\n")
        for args in (["run", book], ["resume", run], ["list"], ["show", run], ["approve", run, "x"], ["cancel", run]):
            done = self.rbx(*args, expect=WRONG)
            self.assertIn("newer than this rbx", done.stderr)
        self.assertEqual((len(self.records(run)), self.lines("did"), len(self.lines("began"))), (before, [], 1))

    def in_mount(self, options, text):
        """Shell text in a mount namespace in which the store lies on a file system of its own."""
        os.makedirs(self.store, mode=0o700, exist_ok=True)
        script = "set -e\nmount -t tmpfs -o mode=0700,%s tmpfs %s\ncd %s\n%s" % (options, self.store, self.dir, text)
        done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=120,
                              env=self.env(R=RBX, STORE=self.store), stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout + done.stderr

    @unittest.skipIf(os.geteuid() != 0, "only root mounts")
    def test_a_disk_that_fills_in_the_middle_starts_nothing_more_and_loses_nothing(self):
        self.write("""
            rbx: 1
            name: test
            steps:
              - {id: a, exec: {shell: 'echo a >>did; cat /dev/zero >"$1/filler" 2>/dev/null || :', args: ['%s']}, undo: none}
              - {id: b, exec: {shell: 'echo b >>did'}, undo: none}
              - {id: c, exec: {shell: 'echo c >>did'}, undo: none}
        """ % self.store)
        code, out = self.in_mount("size=24m", """
            "$R" run playbook.yaml && exit 99 || code=$?
            cat did >before
            "$R" list --json
            rm "$STORE/filler"
            "$R" resume last
            "$R" verify last
            exit $code
        """)
        self.assertEqual(code, PERSON, out)
        self.assertEqual(self.lines("before"), ["a"], out)
        self.assertEqual(self.lines("did"), ["a", "b", "c"], out)

    @unittest.skipIf(os.geteuid() != 0, "only root mounts")
    def test_a_read_only_store_starts_nothing(self):
        self.write("rbx: 1\nname: test\nsteps:\n  - {id: a, exec: {shell: 'echo a >>did'}, undo: none}\n")
        code, out = self.in_mount("size=32m", """
            "$R" run playbook.yaml
            mount -o remount,ro tmpfs "$STORE"
            "$R" run playbook.yaml && exit 99 || exit $?
        """)
        self.assertEqual((code, self.lines("did")), (WRONG, ["a"]), out)
        self.assertIn("read-only", out.lower())

    @unittest.skipIf(os.geteuid() != 0, "only root mounts")
    def test_a_store_that_becomes_read_only_ends_the_run(self):
        """An ext4 does that when its disk fails. What ran is on no record any more: it is in doubt afterwards."""
        self.write("""
            rbx: 1
            name: test
            steps:
              - {id: a, exec: {shell: 'echo a >>did'}, undo: none}
              - {id: b, exec: {shell: 'echo b >>did; mount -o remount,ro tmpfs "$1"', args: ['%s']}, undo: none}
              - {id: c, exec: {shell: 'echo c >>did'}, undo: none}
        """ % self.store)
        code, out = self.in_mount("size=32m", """
            "$R" run playbook.yaml && exit 99 || code=$?
            cat did >before
            mount -o remount,rw tmpfs "$STORE"
            "$R" resume last && exit 98 || [ $? = 4 ]
            "$R" resolve last b --done --reason 'the file says so'
            "$R" resume last
            exit $code
        """)
        self.assertNotIn(code, (0, 98, 99), out)
        self.assertEqual((self.lines("before"), self.lines("did")), (["a", "b"], ["a", "b", "c"]), out)


if __name__ == "__main__":
    unittest.main()
