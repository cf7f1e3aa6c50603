"""The rules of resuming (resilience.md D2), each with the real binary and a real SIGKILL. Commands write down what they do; what
they wrote is the judge."""
import json
import os
import signal
import sqlite3
import subprocess
import textwrap
import unittest

from killed import ONCE_THEN_QUICK, Killed
from world import CANCELLED, FAILED, LATE, PERSON, RBX, WRONG


class Resume(Killed):
    def looks(self):
        """A command that writes down what the store says while it runs."""
        return "    exec: {shell: '\"$1\" show last --json >seen', args: ['%s'], pass_env: [RBX_STORE]}\n    undo: none" % RBX

    def seen(self):
        return json.loads("\n".join(self.lines("seen")))

    # ---- R1: intent first

    def test_r01_the_intent_is_on_record_before_the_command_runs(self):
        self.play("steps:\n  - id: x\n" + self.looks())
        self.assertEqual([s["path"] for s in self.seen()["steps"]], ["x"])

    def test_r01_inputs_are_recorded_and_not_evaluated_again(self):
        run = self.killed("""
        steps:
          - id: x
            exec: {shell: 'again=; [ -e again ] && again=1; touch again; echo "$1" >>began; [ $again ] || exec sleep 60', args: ['${{ string(now) }}']}
            effect: idempotent
        """)
        self.rbx("resume", run)
        first, second = self.lines("began")
        self.assertEqual(first, second)

    def test_r01_a_secret_leaf_is_evaluated_as_at_the_first_intent(self):
        """Anew, with the secret as it is now; else all attempts send the same."""
        text = """
        secrets: {token: {env: TOKEN}}
        steps:
          - id: x
            exec: {shell: 'echo "$T" | cut -c 1-3,8- >>began; [ "$(wc -l <began)" -ge 3 ] || exit 9', env: {T: '${{ secrets.token + string(now) }}'}}
            effect: idempotent
            retry: {attempts: 2, delay: 1100ms}
        """
        self.rbx("run", self.write("rbx: 1\nname: test\n" + textwrap.dedent(text).strip() + "\n"), expect=FAILED, TOKEN="AAAsecret-1")
        self.rbx("resume", self.last(), TOKEN="BBBsecret-2")
        told = self.lines("began")
        self.assertEqual([t[:3] for t in told], ["AAA", "AAA", "BBB"])
        self.assertEqual(len({t[-20:] for t in told}), 1, told)

    # ---- R2: outcome before successors

    def test_r02_the_outcome_is_on_record_before_what_follows(self):
        self.play("steps:\n  - {id: a, exec: {argv: ['true']}, undo: none}\n  - id: b\n" + self.looks())
        self.assertEqual({s["path"]: s["state"] for s in self.seen()["steps"]}["a"], "ok")

    # ---- R3: what is doubt, and what is none

    def test_r03_a_program_that_is_not_there_is_no_doubt(self):
        self.play("steps:\n  - {id: x, exec: {argv: [/nowhere/program]}, undo: none}", expect=FAILED)
        self.assertEqual([b["fate"] for _, _, b in self.records(self.last(), "outcome")], ["none"])

    def test_r03_a_command_that_failed_by_itself_is_no_doubt(self):
        self.play("steps:\n  - {id: x, exec: {shell: exit 3}, undo: none}", expect=FAILED)
        self.assertEqual([b["fate"] for _, _, b in self.records(self.last(), "outcome")], ["partial"])

    def test_r03_a_command_that_rbx_ended_is_in_doubt(self):
        done = self.play("steps:\n  - {id: x, exec: {argv: [sleep, '60']}, undo: none, timeout: 300ms}", expect=PERSON)
        self.assertEqual(self.states(), {"x": "doubt"})
        self.assertIn("timeout of 300ms", done.stdout + done.stderr)

    # ---- R4: keys

    def test_r04_the_key_outlives_attempts_and_owners_and_not_a_new_try(self):
        text = """
        steps:
          - id: x
            for_each: [a, b]
            exec: {shell: 'echo "$1 $RBX_KEY" >>began; [ -e "again-$1" ] || { touch "again-$1"; exec sleep 60; }', args: ['${{ item }}']}
            effect: idempotent
            timeout: 500ms
            retry: {attempts: 2, delay: 10ms}
          - {id: y, exec: {shell: 'echo "y $RBX_KEY" >>began; touch y; [ -e new ] || { touch new; exec sleep 60; }'}, undo: none}
        """
        child = self.begin(text)
        self.wait(lambda: os.path.exists(self.file("y")), "y")
        run = self.kill(child)
        self.rbx("resume", run, expect=PERSON)
        self.rbx("resolve", run, "y", "--retry-as-new", "--reason", "it is another order")
        self.rbx("resume", run)
        keys = {}
        for line in self.lines("began"):
            name, key = line.split()
            keys.setdefault(name, []).append(key)
        self.assertEqual([len(keys["a"]), len(set(keys["a"]))], [2, 1])
        self.assertEqual([len(keys["b"]), len(set(keys["b"]))], [2, 1])
        self.assertEqual([len(keys["y"]), len(set(keys["y"]))], [2, 2])
        self.assertEqual(len({keys["a"][0], keys["b"][0], *keys["y"]}), 4)

    # ---- R5: what was decided comes from the store

    def test_r05_lists_vars_and_outputs_are_those_of_before(self):
        with open(self.file("list"), "w") as f:
            f.write('["a","b"]')
        run = self.killed("""
        vars: {stamp: '${{ string(now) }}'}
        steps:
          - id: list
            exec: {argv: [cat, list], json: true}
            effect: pure
            outputs:
              all: self.json
          - id: x
            for_each: '${{ steps.list.outputs.all }}'
            exec: {shell: 'echo "$1 $2" >>did', args: ['${{ item }}', '${{ vars.stamp }}']}
            effect: idempotent
          - {id: y, exec: {shell: '%s'}, effect: idempotent}
          - {id: z, exec: {shell: 'echo "$1 $2" >>did', args: ['${{ string(size(steps.list.outputs.all)) }}', '${{ vars.stamp }}']}, effect: idempotent}
        """ % ONCE_THEN_QUICK)
        with open(self.file("list"), "w") as f:
            f.write('["c"]')
        self.rbx("resume", run)
        did = [l.split() for l in self.lines("did")]
        self.assertEqual([d[0] for d in did], ["a", "b", "2"])
        self.assertEqual(len({d[1] for d in did}), 1, did)

    def test_r05_a_rotated_secret_is_the_new_one(self):
        run = self.killed("""
        secrets: {token: {env: TOKEN}}
        steps:
          - {id: x, exec: {shell: '%s'}, effect: idempotent}
          - {id: y, exec: {shell: '[ "$T" = second-secret ]', env: {T: '${{ secrets.token }}'}}, undo: none}
        """ % ONCE_THEN_QUICK, TOKEN="first-secret")
        self.rbx("resume", run, TOKEN="second-secret")

    # ---- R6: what still runs

    def test_r06_what_still_runs_is_ended_before_it_is_repeated(self):
        """A child that does not heed TERM, and its own child, outlive their owner."""
        run = self.killed("""
        steps:
          - id: x
            exec:
              shell: |
                trap '' TERM
                echo $$ >>began
                if [ -e again ]; then
                  grep -qs '^State:.[^ZX]' "/proc/$(head -1 began)/status" && echo "still there" >>overlap
                  exit 0
                fi
                touch again
                sleep 60 & echo $! >>began
                wait; sleep 60
            effect: idempotent
        """)
        self.wait(lambda: len(self.lines("began")) == 2, "the child's child")
        pids = [int(l) for l in self.lines("began")]
        self.assertTrue(all(self.runs_on(p) for p in pids), "the children ended with their owner: nothing is shown")
        self.rbx("resume", run)
        self.assertEqual(self.lines("overlap"), [])
        self.assertEqual(len(self.lines("began")), 3)
        self.assertFalse(any(self.runs_on(p) for p in pids))

    @unittest.skipIf(os.geteuid() != 0, "only root can make another host")
    def test_r06_what_another_host_began_is_left_to_a_person(self):
        run = self.killed("""
        steps:
          - {id: x, exec: {shell: '%s'}, effect: idempotent}
        """ % ONCE_THEN_QUICK)
        boot = self.file("boot")
        with open(boot, "w") as f:
            f.write("11111111-2222-3333-4444-555555555555\n")
        here = "mount --bind %s /proc/sys/kernel/random/boot_id && hostname elsewhere && exec %s resume %s" % (boot, RBX, run)
        done = subprocess.run(["unshare", "--mount", "--uts", "sh", "-c", here], capture_output=True, text=True, env=self.env(), timeout=60)
        self.assertEqual(done.returncode, PERSON, done.stdout + done.stderr)
        self.assertIn("it was begun on " + os.uname().nodename, done.stdout + done.stderr)
        self.assertEqual(len(self.lines("began")), 1)
        self.rbx("resume", run)                     # where it was begun it can be looked after
        self.assertEqual(len(self.lines("began")), 2)

    # ---- R7: parking

    def test_r07_parking_stops_only_what_follows(self):
        run = self.killed("""
        steps:
          - id: both
            parallel:
              - {id: a, exec: {shell: '%s'}, undo: none}
              - {id: b, needs: [a], exec: {shell: 'touch b'}, undo: none}
              - {id: c, exec: {shell: 'sleep 1; touch c'}, effect: idempotent}
              - {id: d, needs: [c], exec: {shell: 'touch d'}, undo: none}
        on_waiting:
          - {id: call, exec: {shell: 'echo "$1" >>called', args: ['${{ waiting.step }}']}, effect: repeatable}
        """ % ONCE_THEN_QUICK)
        said = self.rbx("resume", run, expect=PERSON).stdout
        self.assertEqual([os.path.exists(self.file(n)) for n in "bcd"], [False, True, True])
        self.assertEqual(self.lines("called"), ["both/a"])
        self.assertEqual(self.records(run, "end"), [])
        for word in ("rbx resolve %s both/a" % run, "--done", "--retry"):
            self.assertIn(word, said)
        key, = [b["key"] for _, path, b in self.records(run, "intent") if path == "both/a"]
        for word in ("interrupted", "tried: exec, attempt 1 at ", " from %s by " % os.uname().nodename, "key: " + key):
            self.assertIn(word, said)
        self.rbx("resolve", run, "both/a", "--done", "--reason", "seen")
        self.rbx("resume", run)
        self.assertTrue(os.path.exists(self.file("b")))

    def test_r07_an_end_lists_what_is_in_doubt(self):
        run = self.killed("steps:\n  - {id: x, exec: {shell: '%s'}, undo: none}" % ONCE_THEN_QUICK)
        self.rbx("resume", run, expect=PERSON)
        self.rbx("cancel", run)
        self.rbx("resume", run, expect=CANCELLED)
        self.assertEqual(self.records(run, "end")[-1][2]["doubt"], ["x"])

    # ---- R8: resolve

    def test_r08_a_second_resolve_is_void_and_each_has_its_record(self):
        run = self.killed("steps:\n  - {id: x, exec: {shell: '%s'}, undo: none}" % ONCE_THEN_QUICK)
        self.rbx("resume", run, expect=PERSON)
        self.rbx("resolve", run, "x", "--done", "--output", "n=1", "--reason", "first")
        self.rbx("resolve", run, "x", "--failed", "--reason", "second", expect=None)
        self.rbx("resume", run)
        records = [b for _, _, b in self.records(run, "resolve")]
        self.assertEqual([(b["choice"], b.get("void", False)) for b in records], [("done", False), ("failed", True)])
        self.assertEqual([(b["by"]["uid"], b["reason"]) for b in records], [(os.getuid(), "first"), (os.getuid(), "second")])
        self.assertEqual(self.steps(run)["x"]["state"], "ok")

    def test_r08_a_resolve_is_taken_before_an_open_intent_is_decided_about(self):
        """The owner is dead and nobody has resumed: what the person says counts, and the probe's word is not asked for."""
        run = self.killed("steps:\n  - {id: x, exec: {shell: '%s'}, effect: idempotent}" % ONCE_THEN_QUICK)
        self.rbx("resolve", run, "x", "--done", "--reason", "I looked", expect=None)
        self.rbx("resume", run)
        self.assertEqual((self.steps(run)["x"]["how"], len(self.lines("began"))), ("resolved", 1))

    # ---- R10: only the owner appends

    def test_r10_a_message_does_not_say_who_wrote_it(self):
        run = self.killed("steps:\n  - {id: x, exec: {shell: '%s'}, undo: none}" % ONCE_THEN_QUICK)
        self.rbx("resume", run, expect=PERSON)
        before = len(self.records(run))
        self.rbx("resolve", run, "x", "--done", "--reason", "seen")
        self.assertEqual(len(self.records(run)), before, "a message was written as a record")
        with sqlite3.connect(os.path.join(self.store, "store.db")) as db:
            db.execute("UPDATE message SET body = json_set(body, '$.by', json('{\"uid\": 4711, \"user\": \"mallory\"}'))")
        self.rbx("resume", run)
        self.assertEqual(self.records(run, "resolve")[0][2]["by"]["uid"], os.getuid())

    # ---- R11: time

    def test_r11_a_deadline_that_passed_while_dead_allows_one_more_attempt(self):
        run = self.killed("steps:\n  - {id: x, exec: {shell: '%s'}, effect: idempotent, deadline: 1s}" % ONCE_THEN_QUICK)
        self.wait(lambda: self.later(run, 1.2), "the deadline")
        self.rbx("resume", run)
        self.assertEqual(len(self.lines("began")), 2)

    def test_r11_and_not_two(self):
        run = self.killed("steps:\n  - {id: x, exec: {shell: 'again=; [ -e again ] && again=1; touch again; echo x >>began; [ $again ] || exec sleep 60; exit 9'},"
                          " effect: idempotent, deadline: 1s, retry: {attempts: 5, delay: 10ms}}")
        self.wait(lambda: self.later(run, 1.2), "the deadline")
        self.rbx("resume", run, expect=None)
        self.assertEqual(len(self.lines("began")), 2)

    def test_r11_the_passed_deadline_of_a_run_wants_a_new_one(self):
        run = self.killed("limits: {deadline: 1s}\nsteps:\n  - {id: x, exec: {shell: '%s'}, effect: idempotent}" % ONCE_THEN_QUICK)
        self.wait(lambda: self.later(run, 1.2), "the deadline")
        before = len(self.records(run))
        done = self.rbx("resume", run, expect=WRONG)
        self.assertIn("--deadline", done.stderr + done.stdout)
        self.assertEqual((len(self.records(run)), len(self.lines("began"))), (before, 1))
        self.rbx("resume", run, "--deadline", "30m")
        self.assertEqual(len(self.lines("began")), 2)

    def test_r11_a_deadline_of_a_run_is_on_the_record(self):
        self.play("limits: {deadline: 500ms}\nsteps:\n  - {id: x, exec: {argv: [sleep, '60']}, undo: none}", expect=LATE)
        self.assertEqual([(p, b["what"]) for _, p, b in self.records(self.last(), "signal")], [("", "deadline")])

    # ---- the playbook has changed

    def test_a_step_in_doubt_may_not_be_edited_before_it_is_settled(self):
        text = "steps:\n  - {id: x, exec: {shell: '%s'}, undo: none}\n  - {id: y, exec: {shell: touch y}, undo: none}"
        run = self.killed(text % ONCE_THEN_QUICK)
        other = self.write("rbx: 1\nname: test\n" + text % "true", "other.yaml")
        done = self.rbx("resume", run, "--playbook", other, expect=WRONG)
        self.assertIn("rbx resolve", done.stderr + done.stdout)
        self.assertEqual(self.records(run, "rebase"), [])

    def test_a_step_begun_by_another_version_of_its_type_waits_for_a_person(self):
        """Also when somebody says retry: what was recorded may mean something else to this version."""
        def plugin(version):
            path = os.path.join(self.dir, "rbx-step-demo")
            with open(path, "w") as f:
                f.write("""#!/bin/sh
                    [ "$1" = describe ] && exec echo '{"v": 1, "summary": "demo", "effect": "idempotent", "version": %d, "in": {}}'
                    cd %s; cat >/dev/null
                    if [ -e again ]; then echo $$ >>began; else touch again; echo $$ >>began; sleep 60; fi
                    echo '{"verdict": "done"}'
                    """ % (version, self.dir))
            os.chmod(path, 0o755)

        env = {"RBX_PLUGINS": self.dir}
        plugin(1)
        run = self.killed("steps:\n  - {id: x, demo: {}, undo: none}", **env)
        plugin(2)
        for _ in range(2):
            said = self.rbx("resume", run, expect=PERSON, **env).stdout
            self.assertIn("version 1 of demo, and this rbx has version 2", said)
            self.rbx("resolve", run, "x", "--retry", "--reason", "why not", **env)
        self.assertEqual(len(self.lines("began")), 1)
        plugin(1)
        self.rbx("resume", run, **env)
        self.assertEqual(len(self.lines("began")), 2)

    def test_a_record_from_the_future_refuses_the_run_alone(self):
        text = "steps:\n  - {id: x, exec: {shell: '%s'}, undo: none}" % ONCE_THEN_QUICK
        run = self.killed(text)
        with sqlite3.connect(os.path.join(self.store, "store.db")) as db:
            db.execute("INSERT INTO record SELECT run, seq + 1, at, boot, 'miracle', path, attempt, body, hash FROM record WHERE run = ?1"
                       " ORDER BY seq DESC LIMIT 1", (run,))
            db.execute("UPDATE run SET records = records + 1 WHERE run = ?", (run,))
        before = len(self.records(run))
        self.rbx("resume", run, expect=FAILED)
        self.assertEqual((len(self.records(run)), len(self.lines("began"))), (before, 1))
        self.play("steps:\n  - {id: y, exec: {shell: touch y}, undo: none}")
        self.assertTrue(os.path.exists(self.file("y")))


def nobody():
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@unittest.skipIf(os.geteuid() != 0, "only root can make a program that it alone may end")
class Sudo(Killed):
    """A command that has become another user's, as under sudo: rbx may not end it."""

    def setUp(self):
        super().setUp()
        self.sudo = self.file("sudo")
        subprocess.run(["cp", "/usr/bin/setpriv", self.sudo], check=True)
        os.chmod(self.sudo, 0o4755)
        os.chmod(self.dir, 0o755)
        os.chown(self.dir, 65534, 65534)

    def command(self):
        return "[%s, --reuid=0, --regid=0, --clear-groups, sh, -c, 'echo $$ >>%s; exec sleep 20']" % (self.sudo, self.file("began"))

    def as_nobody(self, *args):
        done = subprocess.run([*nobody(), RBX, *args], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env=dict(self.env(), HOME=self.dir), cwd=self.dir, timeout=90)
        return done.returncode, done.stdout + done.stderr

    def tearDown(self):
        for line in self.lines("began"):
            try:
                os.kill(int(line), signal.SIGKILL)
            except ProcessLookupError:
                pass

    def playbook(self, more):
        path = self.write("rbx: 1\nname: test\nsteps:\n  - {id: x, exec: {argv: %s}, effect: idempotent%s}\n" % (self.command(), more))
        os.chown(path, 65534, 65534)
        return path

    def test_r06_what_sudo_keeps_running_is_not_run_beside_itself(self):
        code, text = self.as_nobody("run", self.playbook(", timeout: 500ms, retry: {attempts: 3, delay: 10ms}"))
        self.assertEqual((code, len(self.lines("began"))), (PERSON, 1), text)
        self.assertIn("could not be ended", text)


if __name__ == "__main__":
    unittest.main()
