"""Every key of a step, with the real binary: what it does when it holds and when it does not."""
import json
import os
import pwd
import socket
import unittest

import world
from world import CANCELLED, DONE, FAILED, LATE, PERSON, REFUSED, WRONG

TRUE = "exec: {argv: ['true']}\n    effect: pure"


class Keys(world.Scenario):
    def file(self, name):
        return os.path.join(self.dir, name)

    def there(self, name):
        return os.path.exists(self.file(name))

    def wrote(self, name):
        """The shell opens the file before it writes: a kill in between leaves it empty."""
        return self.there(name) and os.path.getsize(self.file(name)) > 0

    def lines(self, name):
        with open(self.file(name)) as f:
            return f.read().splitlines()

    def test_when(self):
        self.play("""
            steps:
              - id: a
                when: false
                exec: {argv: [touch, a]}
                undo: none
              - id: b
                when: steps.a.status == 'skipped'
                exec: {argv: [touch, b]}
                undo: none
        """)
        self.assertEqual(self.states(), {"a": "skipped", "b": "ok"})
        self.assertEqual((self.there("a"), self.there("b")), (False, True))

    def test_for_each(self):
        self.play("""
            steps:
              - id: each
                for_each: {in: [1, 2, 3], at_once: 3}
                exec: {argv: [touch, 'f${{ item }}']}
                undo: none
              - id: none
                for_each: []
                exec: {argv: [touch, never]}
                undo: none
              - id: count
                assert:
                  - steps.none.status == 'skipped' && steps.each.items.size() == 3
        """)
        self.assertTrue(all(self.there(n) for n in ("f1", "f2", "f3")))
        self.assertFalse(self.there("never"))

    def test_for_each_goes_on_after_a_failed_item(self):
        self.play("""
            steps:
              - id: each
                for_each: [1, 2, 3]
                on_error: continue
                exec: {shell: 'echo "$1" >>said; [ "$1" != 2 ]', args: ['${{ item }}']}
                undo: none
              - id: seen
                assert:
                  - steps.each.?items.orValue([]).map(i, i.status) == ['done', 'failed', 'done']
        """)
        self.assertEqual(self.lines("said"), ["1", "2", "3"])

    def test_needs(self):
        self.play("""
            steps:
              - id: all
                parallel:
                  - {id: late, needs: [early], exec: {shell: 'cat early'}, undo: none}
                  - {id: early, exec: {shell: 'sleep 0.2; echo x >early'}, undo: none}
        """)

    def test_needs_elsewhere_and_in_a_circle(self):
        done = self.play("steps:\n  - {id: a, wait: {for: 1ms}}\n  - {id: b, needs: [a], wait: {for: 1ms}}", expect=WRONG)
        self.assertIn("parallel", done.stderr)
        done = self.play("""
            steps:
              - id: all
                parallel:
                  - {id: a, needs: [b], wait: {for: 1ms}}
                  - {id: b, needs: [a], wait: {for: 1ms}}
        """, expect=WRONG)
        self.assertRegex(done.stderr, "a.*b|b.*a")

    def test_confirm(self):
        text = """
            steps:
              - {id: a, confirm: 'really?', exec: {argv: [touch, a]}, undo: none}
        """
        self.play(text, expect=PERSON)
        self.assertFalse(self.there("a"))
        run = self.last()
        self.rbx("approve", run, "a", "--no")
        self.rbx("resume", run, expect=FAILED)
        self.assertFalse(self.there("a"))
        self.play(text, "--yes")
        self.assertTrue(self.there("a"))

    def test_confirm_with_a_word_is_not_answered_by_yes(self):
        self.play("steps:\n  - {id: a, confirm: {text: 'really?', word: DROP}, exec: {argv: [touch, a]}, undo: none}", "--yes", expect=PERSON)
        self.assertFalse(self.there("a"))

    def persons(self):
        """Runs rbx as sudo would start it for somebody; the system's own users have no login here."""
        with open("/proc/self/loginuid", encoding="ascii") as f:
            login = f.read()
        if os.getuid() != 0 or login != "4294967295":
            self.skipTest("only as root, of whom nobody knows who it is")
        return {name: {"SUDO_UID": str(pwd.getpwnam(name).pw_uid)} for name in ("daemon", "bin", "sys")}

    def test_confirm_by_two_others_of_a_group(self):
        text = """
            steps:
              - {id: a, confirm: {text: 'really?', at_least: 2, not_by: requester}, exec: {argv: [touch, a]}, undo: none}
        """
        who = self.persons()
        self.assertIn("root is no person", self.play(text, expect=WRONG).stderr)
        out = self.play(text, "--yes", expect=PERSON, **who["daemon"]).stdout
        self.assertIn("2 persons, not daemon, who asked for the run", out)
        run = self.last()
        self.assertIn("daemon asked for this run", self.rbx("approve", run, "a", expect=WRONG, **who["daemon"]).stderr)
        self.assertIn("cannot be told", self.rbx("approve", run, "a", expect=WRONG).stderr)
        out = self.rbx("approve", run, "a", **who["bin"]).stdout
        self.assertIn("it still needs 1 more person, not daemon, who asked for the run; yes from bin", out)
        self.rbx("approve", run, "a", **who["bin"])           # nobody has read the first one yet
        out = self.rbx("resume", run, expect=PERSON, **who["daemon"]).stdout
        self.assertIn("approved by bin; 1 more has to", out)
        self.assertIn("bin has said yes already", out)
        self.assertFalse(self.there("a"))
        self.rbx("approve", run, "a", **who["sys"])
        self.rbx("resume", run, **who["daemon"])
        self.assertTrue(self.there("a"))

    def test_confirm_by_a_group(self):
        text = """
            steps:
              - {id: a, confirm: {text: 'really?', by: %s}, exec: {argv: [touch, a]}, undo: none}
              - {id: b, manual: {text: 'look', by: bin}}
        """
        who = self.persons()
        self.assertIn("knows no group no-such", self.play(text % "no-such", expect=WRONG).stderr)
        self.play(text % "bin", expect=PERSON)
        for step in "a", "b":
            self.assertIn("daemon is not in the group bin", self.rbx("approve", "last", step, expect=WRONG, **who["daemon"]).stderr)
            self.rbx("approve", "last", step, **who["bin"])
            self.rbx("resume", "last", expect=PERSON if step == "a" else DONE)
        self.assertTrue(self.there("a"))

    def test_locks_of_a_called_playbook(self):
        self.write("""
            rbx: 1
            name: inner
            inputs: {db: {type: string}, more: {type: string, default: x}}
            locks: ['db/${{ inputs.db }}']
            steps:
              - {id: hold, confirm: ok, exec: {argv: [touch, held]}, undo: none}
        """, "inner.yaml")
        text = """
            inputs: {base: {type: string, default: one}}
            steps:
              - {id: first, wait: {for: 1ms}}
              - {id: call, playbook: {file: inner.yaml, inputs: {db: %s}}, undo: none}
        """
        self.play(text % "'${{ inputs.base }}'", expect=PERSON)
        done = self.play(text % "'${{ inputs.base }}'", expect=75)
        self.assertIn("lock db/one is held by run", done.stderr)
        self.play(text % "'${{ inputs.base }}'", "-i", "base=two", expect=PERSON)
        self.play(text % "'${{ inputs.base }}'", "--dry-run")
        done = self.play(text.replace("wait: {for: 1ms}", "exec: {argv: [echo, a]}, undo: none") % "'n${{ steps.first.outputs.code }}'", expect=WRONG)
        self.assertIn("a lock of the playbook that call calls", done.stderr)

    def test_preconditions(self):
        self.play("""
            steps:
              - id: a
                preconditions:
                  - {id: key, file_check: {path: '${{ inputs.dir }}/key'}}
                exec: {argv: [touch, a]}
                undo: none
                retry: {attempts: 1}
            inputs: {dir: {type: path}}
        """, "-i", "dir=" + self.dir, expect=FAILED)
        self.assertFalse(self.there("a"))

    def test_a_timeout_says_what_was_waited_for(self):
        """A server that takes the connection and then says nothing."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            out = self.play("""
                defaults: {timeout: 300ms, retry: {attempts: 1}}
                steps:
                  - {id: a, http_check: {url: 'http://127.0.0.1:%d/'}, on_error: continue}
                  - {id: b, http_check: {url: 'https://127.0.0.1:%d/'}, on_error: continue}
                  - {id: c, wait: {for: 1ms}}
            """ % (port, port)).stdout
        self.assertIn("timed out waiting for the first byte of the answer", out)
        self.assertIn("timed out in the TLS handshake", out)

    def test_timeout_ends_the_whole_tree(self):
        """A child that ignores TERM and leaves a grandchild with the pipe."""
        self.play("""
            steps:
              - id: a
                timeout: 300ms
                exec:
                  shell: |
                    trap '' TERM
                    (trap '' TERM; echo $$ >pid; exec sleep 300) &
                    sleep 300
                undo: none
        """, expect=None)
        self.assertIn(self.states()["a"], ("doubt", "failed"))
        self.assertFalse(os.path.exists("/proc/%s/exe" % self.lines("pid")[0]))

    def test_deadline(self):
        self.play("""
            steps:
              - id: a
                file_check: {path: never}
                every: 100ms
                deadline: 1s
        """, expect=FAILED)
        self.play("""
            limits: {deadline: 1s}
            steps:
              - {id: a, exec: {argv: [sleep, '60']}, effect: pure}
        """, expect=LATE)

    def test_retry(self):
        self.play("""
            steps:
              - id: a
                exec: {shell: 'echo x >>tries; exit 3'}
                effect: idempotent
                retry: {attempts: 4, delay: 10ms}
        """, expect=FAILED)
        self.assertEqual(len(self.lines("tries")), 4)

    def test_a_once_step_is_not_repeated(self):
        self.play("""
            steps:
              - id: a
                exec: {shell: 'echo x >>tries; exit 3'}
                undo: none
                retry: {attempts: 4, delay: 10ms}
        """, expect=FAILED)
        self.assertEqual(len(self.lines("tries")), 1)

    def test_every_until_fail_if(self):
        text = """
            steps:
              - id: a
                exec: {shell: 'echo x >>asked; printf "{\\"n\\": %%d}" "$(wc -l <asked)"', json: true}
                effect: pure
                every: 100ms
                deadline: 30s
                until: self.json.n >= 3
                fail_if: self.json.n == %d
        """
        self.play(text % 99)
        self.assertEqual(len(self.lines("asked")), 3)
        os.unlink(self.file("asked"))
        self.play(text % 2, expect=FAILED)
        self.assertEqual(len(self.lines("asked")), 2)

    def test_samples(self):
        text = """
            steps:
              - id: a
                exec: {shell: 'echo x >>asked; [ "$(wc -l <asked)" -ne 2 ]'}
                effect: pure
                samples: {count: 3, every: 10ms, pass: %d}
                retry: {attempts: 1}
        """
        self.play(text % 2)
        os.unlink(self.file("asked"))
        self.play(text % 3, expect=FAILED)

    def test_accept(self):
        self.play("""
            steps:
              - {id: a, exec: {shell: 'exit 3'}, accept: [3], undo: none}
              - id: b
                assert:
                  - steps.a.outputs.code == 3
        """)

    def test_assert(self):
        done = self.play("""
            steps:
              - id: a
                exec: {shell: 'echo x >>did; echo 5'}
                undo: none
                assert:
                  - int(self.stdout.trim()) > 3
                  - check: int(self.stdout.trim()) > 7
                    message: five is not enough
        """, expect=FAILED)
        self.assertIn("five is not enough", done.stdout + done.stderr)
        self.assertEqual(len(self.lines("did")), 1)

    def test_outputs_and_measures(self):
        self.play("""
            objectives: {size: 9}
            steps:
              - id: a
                exec: {argv: [echo, '7']}
                effect: pure
                outputs:
                  n: int(self.stdout.trim())
                  twice: outputs.n * 2
                measures:
                  size: outputs.n
        """)
        shown = self.show()
        self.assertEqual({s["path"]: s for s in shown["steps"]}["a"]["outputs"]["twice"], 14)
        self.assertIn("size", json.dumps(shown["measures"]))

    def test_effect_pure_runs_in_a_dry_run(self):
        self.play("""
            steps:
              - {id: a, exec: {shell: 'touch looked'}, effect: pure}
              - {id: b, exec: {shell: 'touch changed'}, undo: none}
        """, "--dry-run")
        self.assertEqual((self.there("looked"), self.there("changed")), (True, False))

    def test_a_probe_tells_that_there_is_nothing_to_do(self):
        steps = """
            steps:
              - id: a
                exec: {shell: 'echo a >>did; echo "{\\"made\\": true, \\"n\\": 5}" >state'}
                probe:
                  file_check: {path: state, json: true}
                  done: self.json.made
                  outputs:
                    n: self.json.n
                outputs:
                  n: "5"
                undo: none
              - id: b
                exec: {shell: 'echo b >>did'}
                probe:
                  file_check: {path: state, json: true}
                  done: self.json.n == steps.a.outputs.n
                undo: none
        """

        def seen(*args):
            self.play(steps, *args)
            return {p: (s["how"], s.get("grade")) for p, s in self.steps().items()}

        def state(text):
            with open(self.file("state"), "w") as f:
                f.write(text)

        self.assertEqual(seen("--dry-run"), {"a": (None, "assumed"), "b": (None, "assumed")})
        state('{"made": false, "n": 0}')
        self.assertEqual(seen("--dry-run"), {"a": (None, "predicted"), "b": (None, "unknown")})
        self.assertFalse(self.there("did"))
        self.assertEqual(seen(), {"a": ("ran", None), "b": ("unchanged", None)})
        self.assertEqual(seen("--dry-run"), {"a": (None, "checked"), "b": (None, "checked")})
        self.assertEqual(seen(), {"a": ("unchanged", None), "b": ("unchanged", None)})
        self.assertEqual(self.steps()["a"]["outputs"]["n"], 5)
        self.assertEqual(self.lines("did"), ["a"])
        state('{}')
        self.assertEqual(seen()["a"], ("ran", None))

    def test_a_probe_that_cannot_look_fails_the_step(self):
        text = """
            steps:
              - id: a
                exec: {shell: 'touch did'}
                probe:
                  http_check: {url: 'http://127.0.0.1:1/'}
                  done: "true"
                retry: {attempts: 1}
                undo: none
        """
        self.play(text, expect=FAILED)
        self.assertEqual((self.steps()["a"]["state"], self.there("did")), ("failed", False))
        self.play(text, "--dry-run", expect=FAILED)

    def test_probe_settles_a_doubt(self):
        child = self.start("run", self.write("""
            rbx: 1
            name: test
            steps:
              - id: a
                timeout: 2s
                exec: {shell: 'echo x >>did; echo "{\\"made\\": true}" >state.json; sleep 60'}
                probe:
                  file_check: {path: state.json, json: true}
                  done: self.json.made
                undo: none
        """))
        self.wait(lambda: self.there("state.json"), "the effect")
        child.kill()
        child.wait()
        self.rbx("resume", "last")
        self.assertEqual(self.lines("did"), ["x"])
        self.assertEqual(self.steps()["a"]["how"], "adopted")

    def test_undo_and_finally(self):
        self.play("""
            steps:
              - id: all
                on_error: undo
                block:
                  - {id: a, exec: {shell: 'echo a >>log'}, undo: [{id: ua, exec: {shell: 'echo undo a >>log'}}]}
                  - {id: b, exec: {shell: 'echo b >>log'}, undo: [{id: ub, exec: {shell: 'echo undo b >>log'}}]}
                  - {id: c, exec: {shell: 'exit 1'}, undo: none}
                finally:
                  - {id: f, exec: {shell: 'echo finally >>log'}, undo: none}
        """, expect=FAILED)
        self.assertEqual(self.lines("log"), ["a", "b", "undo b", "undo a", "finally"])
        states = self.states()
        self.assertEqual([states["all/" + p] for p in ("a", "b", "c")], ["undone", "undone", "failed"])
        self.assertRegex(self.rbx("show", self.last()).stdout, " all/a +undone")

    def test_on_error(self):
        text = """
            steps:
              - {id: a, exec: {shell: 'exit 1'}, undo: none, on_error: %s}
              - {id: b, exec: {shell: 'touch b'}, undo: none}
        """
        self.play(text % "stop", expect=FAILED)
        self.assertFalse(self.there("b"))
        self.play(text % "continue")
        self.assertTrue(self.there("b"))
        os.unlink(self.file("b"))
        self.play(text % "ask", expect=PERSON)
        run = self.last()
        self.rbx("resolve", run, "a", "--skip", "--reason", "it is fine")
        self.rbx("resume", run)
        self.assertTrue(self.there("b"))

    def test_handlers(self):
        text = """
            inputs: {code: {type: string}}
            steps:
              - {id: a, exec: {shell: 'exit "$1"', args: ['${{ inputs.code }}']}, undo: none}
            on_success:
              - {id: s, exec: {shell: 'echo success >>log'}, undo: none}
            on_failure:
              - {id: f, exec: {shell: 'echo "$1" >>log', args: ['${{ failure.step }} ${{ failure.kind }}']}, undo: none}
            finally:
              - {id: z, exec: {shell: 'echo finally >>log'}, undo: none}
        """
        self.play(text, "-i", "code=0")
        self.play(text, "-i", "code=1", expect=FAILED)
        self.assertEqual(self.lines("log"), ["success", "finally", "a failed", "finally"])

    def test_missing_secret_and_input(self):
        self.play("secrets: {s: {env: RBX_TEST_NOT_THERE}}\nsteps:\n  - {id: a, wait: {for: 1ms}}", expect=REFUSED)
        done = self.play("inputs: {n: {type: int}}\nsteps:\n  - {id: a, wait: {for: 1ms}}", expect=WRONG)
        self.assertIn("'n'", done.stderr)
        self.play("inputs: {n: {type: int, max: 3}}\nsteps:\n  - {id: a, wait: {for: 1ms}}", "-i", "n=4", expect=WRONG)
        self.play("steps:\n  - {id: a, wait: {for: 1ms}}", "-i", "n=4", expect=WRONG)

    def test_doubt_is_settled_by_a_person(self):
        child = self.start("run", self.write("""
            rbx: 1
            name: test
            steps:
              - {id: a, exec: {shell: 'echo x >>did; sleep 60'}, undo: none}
              - {id: b, exec: {shell: 'touch b'}, undo: none}
        """))
        self.wait(lambda: self.wrote("did"), "the effect")
        child.kill()
        child.wait()
        run = self.last()
        done = self.rbx("resume", run, expect=PERSON)
        self.assertIn("rbx resolve", done.stdout + done.stderr)
        self.assertEqual(self.states(run)["a"], "doubt")
        self.rbx("resolve", run, "a", "--done", "--reason", "I looked")
        self.rbx("resume", run)
        self.assertEqual(len(self.lines("did")), 1)
        self.assertTrue(self.there("b"))

    def test_cancel_by_signal(self):
        child = self.start("run", self.write("""
            rbx: 1
            name: test
            steps:
              - {id: a, exec: {shell: 'echo x >>did; sleep 1'}, undo: none}
              - {id: b, exec: {shell: 'touch b'}, undo: none}
        """))
        self.wait(lambda: self.wrote("did"), "the effect")
        child.send_signal(2)
        out, _ = child.communicate(timeout=60)
        self.assertEqual(child.returncode, CANCELLED, out)
        self.assertFalse(self.there("b"))

    def test_hangup_goes_on(self):
        child = self.start("run", self.write("""
            rbx: 1
            name: test
            steps:
              - {id: a, exec: {shell: 'echo x >>did; sleep 0.5'}, undo: none}
              - {id: b, exec: {shell: 'touch b'}, undo: none}
        """))
        self.wait(lambda: self.wrote("did"), "the effect")
        child.send_signal(1)
        self.assertEqual(child.wait(60), DONE)
        self.assertTrue(self.there("b"))


if __name__ == "__main__":
    unittest.main()
