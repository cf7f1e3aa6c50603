"""What keys of the language mean together, with the real binary."""
import os
import time
import unittest

import world
from world import DONE, FAILED, REFUSED, WRONG


class Together(world.Scenario):
    def lines(self, name="log"):
        with open(os.path.join(self.dir, name), encoding="utf-8") as f:
            return f.read().splitlines()

    def errors(self):
        return {path: s["error"] for path, s in self.steps().items() if s["error"]}

    def test_finally_of_a_looped_block_is_of_each_item(self):
        self.play("""
            steps:
              - id: each
                for_each: {in: [1, 2], as: n, at_once: 2}
                on_error: continue
                block:
                  - {id: m, exec: {shell: '[ "$1" != 1 ]', args: ['${{ n }}']}, undo: none}
                finally:
                  - {id: f, exec: {shell: 'echo "$1 $2" >>log', args: ['${{ n }}', '${{ steps.m.status }}']}, undo: none}
              - {id: after, exec: {shell: 'echo after >>log'}, undo: none}
        """)
        self.assertEqual(sorted(self.lines()), ["1 failed", "2 done", "after"])
        self.assertNotIn("each/finally/f", self.states())
        self.assertFalse([p for p in self.states() if p.endswith("finally")])

    def test_undo_of_loops_of_members_that_run_at_once(self):
        step = """
                  - id: %s
                    needs: [%s]
                    exec: {shell: 'echo "%s$1" >>log; [ "%s$1" != b2 ]', args: ['${{ item }}']}
                    undo: [{id: u%s, exec: {shell: 'echo "u%s$1" >>log', args: ['${{ item }}']}}]"""
        self.play("""
            steps:
              - id: all
                on_error: undo
                for_each: [1, 2, 3]
                parallel:""" + "".join(step % (n, needs, n, n, n, n) for n, needs in (("a", ""), ("b", "a"), ("c", "b"))) + """
              - {id: z, exec: {shell: 'echo z >>log'}, undo: none}
        """, expect=FAILED)
        self.assertEqual(self.lines(), ["a1", "b1", "c1", "a2", "b2", "ub2", "ua2", "uc1", "ub1", "ua1"])

    def test_what_a_run_took_back_is_not_taken_back_again(self):
        self.play("""
            steps:
              - {id: z, exec: {shell: 'echo z >>log'}, undo: [{id: uz, exec: {shell: 'echo uz >>log'}}]}
              - id: g
                on_error: undo
                block:
                  - {id: a, exec: {shell: 'echo a >>log'}, undo: [{id: ua, exec: {shell: 'echo ua >>log'}}]}
                  - {id: b, exec: {shell: 'exit 1'}, undo: none}
        """, expect=FAILED)
        asked = self.rbx("undo", "last", expect=world.PERSON).stderr
        self.assertIn("  z\n", asked)
        self.assertNotIn("g/a", asked)
        self.rbx("undo", "last", "--yes")
        self.assertEqual(self.lines(), ["z", "a", "ua", "uz"])
        self.assertEqual(sorted(self.states()), ["z/undo", "z/undo/uz"])

    def test_a_deadline_tells_the_last_answer(self):
        self.play("""
            steps:
              - id: poll
                exec: {shell: 'echo 7', json: true}
                effect: pure
                every: 50ms
                deadline: 1s
                until: self.json == 8
                on_error: continue
              - {id: hang, exec: {argv: [sleep, '60']}, effect: pure, deadline: 300ms, on_error: continue}
              - id: group
                deadline: 300ms
                on_error: continue
                block:
                  - {id: slow, exec: {argv: [sleep, '60']}, effect: pure}
              - {id: end, notify: {to: stdout, text: '${{ steps.poll.status }} ${{ steps.hang.status }}'}}
        """)
        self.assertEqual(self.errors(), {
            "poll": "its deadline of 1s has passed; the last time: until does not hold yet: self.json == 8",
            "hang": "not done when its deadline of 300ms passed",
            "group/slow": "not done when the deadline of group passed"})

    def test_the_largest_measure_of_a_name_is_told(self):
        self.play("""
            objectives: {n: 4}
            steps:
              - id: a
                for_each: [1, 5, 3]
                exec: {argv: [echo, '${{ item }}']}
                effect: pure
                measures:
                  n: int(self.stdout.trim())
        """)
        shown = self.show()
        self.assertEqual((shown["measures"], shown["objectives"]["n"]["met"]), ({"n": 5}, False))

    def test_names_of_lists_are_no_ids(self):
        for name in "undo", "finally", "preconditions", "trigger", "on_waiting", "on_success", "on_failure":
            done = self.play("steps:\n  - {id: %s, wait: {for: 1ms}}" % name, expect=WRONG)
            self.assertIn("4:10: error: '%s' cannot be an id" % name, done.stderr)
        self.play("steps:\n  - {id: undone, wait: {for: 1ms}}", expect=DONE)

    GATES = """
        inputs: {t: {type: string, default: '0'}, p: {type: string, default: '0'}}
        trigger:
          - id: t1
            exec: {shell: 'echo t1 >>log; exit "$1"', args: ['${{ inputs.t }}']}
            effect: pure
            retry: {attempts: 1}
        preconditions:
          - id: p1
            exec: {shell: 'sleep 0.2; echo p1 >>log; exit "$1"', args: ['${{ inputs.p }}']}
            effect: pure
            retry: {attempts: 1}
            outputs:
              v: self.code
          - {id: p2, exec: {shell: 'echo "p2 $1" >>log', args: ['${{ steps.p1.outputs.v }}']}, effect: pure}
          - id: p3
            assert:
              - steps.p2.status == 'done'
          - {id: p4, exec: {shell: 'echo p4 >>log; exit "$1"', args: ['${{ inputs.p }}']}, effect: pure, retry: {attempts: 1}}
        steps:
          - {id: a, exec: {shell: 'echo a >>log'}, undo: none}
        on_failure:
          - {id: tell, notify: {to: stdout, text: '${{ failure.step }}: ${{ failure.all.map(f, f.step).join(" ") }}'}}
    """

    def test_a_precondition_waits_for_those_that_it_reads(self):
        self.play(self.GATES)
        self.assertEqual(self.lines()[-3:], ["p1", "p2 0", "a"])

    def test_a_precondition_that_reads_one_that_does_not_hold_is_not_asked(self):
        out = self.play(self.GATES, "-i", "p=1", expect=REFUSED).stdout
        self.assertEqual(sorted(self.lines()), ["p1", "p4", "t1"])
        self.assertIn("preconditions/p1 preconditions/p4", out)
        self.assertEqual(sorted(self.states()), ["on_failure/tell", "preconditions/p1", "preconditions/p4", "trigger/t1"])

    def test_override_names_what_is_there(self):
        done = self.play(self.GATES, "--override", "p9", "--reason", "x", expect=WRONG)
        self.assertIn("it has trigger/t1 preconditions/p1", done.stderr)
        out = self.play(self.GATES, "-i", "t=1", "-i", "p=1", "--override", "t1", "--reason", "I saw it",
                        "--override", "preconditions/p4", "--reason", "it is known", expect=REFUSED).stdout
        self.assertIn("preconditions/p1: preconditions/p1\n", out)
        self.play(self.GATES, "-i", "t=1", "--override", "trigger/t1", "--reason", "I saw it")
        self.assertEqual(self.lines()[-1], "a")

    def test_a_default_reads_the_run(self):
        text = """
            inputs: {name: {type: string, default: '${{ run.id }}-${{ run.mode }}'}}
            drill: {real: true}
            steps:
              - id: same
                assert:
                  - inputs.name == run.id + '-' + run.mode
        """
        self.play(text)
        self.play(text, "--dry-run")
        self.rbx("drill", os.path.join(self.dir, "playbook.yaml"))

    def test_what_is_typed_wrongly_is_shown(self):
        """All at once, each with a caret under the value."""
        err = self.play("""
            inputs:
              d: {type: duration, max: 2d}
              t: {type: timestamp}
              z: {type: size, max: 1GB}
              l: {type: list}
              u: {type: url}
            steps:
              - {id: a, wait: {for: 1ms}}
        """, "-i", "d=3d", "-i", "t=12m", "-i", "z=2GB", "-i", "l=", "-i", "u=https://me:hidden@h/", "-i", "x=1", expect=WRONG).stderr
        self.assertEqual([l for l in err.splitlines() if ": error: " in l], [
            "-i d:1:3: error: 'd' is out of range: at most 2d",
            "-i l:1:3: error: 'l' takes a list, not nothing",
            "-i t:1:3: error: 't' takes a timestamp, not '12m'",
            "-i u:1:3: error: 'u' takes a URL without user and password, not text \"https://***@h/\"",
            "-i x:1:1: error: 'test' has no input 'x'",
            "-i z:1:3: error: 'z' is out of range: at most 1000000000 bytes (1.0 GB)"])
        self.assertIn("   1 | t=12m\n     |   ^~~\n   hint: a time with its zone, as 2026-01-19T13:00:00Z; or now; or -12m", err)
        self.assertNotIn("hidden", err)

    def test_all_missing_secrets_are_told_at_once(self):
        err = self.play("""
            secrets:
              a: {env: RBX_TEST_NOT_THERE}
              b: {file: not-there}
              c: {command: [echo, '{"x": 1}'], field: y}
              d: {command: [echo, abc]}
            steps:
              - {id: s, wait: {for: 1ms}}
        """, expect=REFUSED).stderr
        self.assertEqual([l.split("secret ")[1][:3] for l in err.splitlines() if ": error: " in l], ["'a'", "'b'", "'c'", "'d'"])

    def test_an_expression_sees_no_secret_in_an_answer(self):
        """Neither a part of it, nor its length, nor another form gets into the record."""
        self.play("""
            secrets: {s: {env: RBX_TEST_SECRET}}
            steps:
              - id: a
                exec: {shell: 'printf "{\\"k\\": \\"<%s>\\"}" "$(cat)"', stdin: '${{ secrets.s }}', json: true}
                effect: pure
                outputs:
                  part: self.json.k.substring(1, 4)
                  length: size(self.stdout)
                  turned: self.stdout.reverse()
              - {id: b, notify: {to: stdout, text: '${{ steps.a.outputs.part }}'}}
        """, RBX_TEST_SECRET="qwertyuiop")
        outputs = self.steps()["a"]["outputs"]
        self.assertEqual((outputs["part"], outputs["length"], outputs["turned"]), ("***", 14, '}">***<" :"k"{'))

    def test_what_creates_names_is_there(self):
        """Unchanged: it is neither carried out nor taken back."""
        text = """
            steps:
              - id: g
                on_error: undo
                block:
                  - {id: a, exec: {shell: 'echo a >>log; touch made', creates: made}, undo: [{id: ua, exec: {shell: 'echo ua >>log'}}]}
                  - {id: b, exec: {shell: 'exit 1'}, undo: none}
        """
        self.play(text, "--dry-run")
        self.assertEqual(self.steps()["g/a"]["grade"], "assumed")
        self.play(text, expect=FAILED)
        self.play(text, expect=FAILED)
        self.assertEqual(self.lines(), ["a", "ua"])
        self.assertEqual(self.steps()["g/a"]["how"], "unchanged")
        self.play(text, "--dry-run")
        self.assertEqual(self.steps()["g/a"]["grade"], "checked")

    def test_texts_of_a_drill_say_so(self):
        text = """
            drill: {real: true}
            steps:
              - {id: t, notify: {to: stdout, text: hello}}
        """
        self.assertNotIn("[drill]", self.play(text).stdout)
        self.assertRegex(self.rbx("drill", os.path.join(self.dir, "playbook.yaml")).stdout, r"\[drill\] hello")

    def test_an_answer_that_comes_too_late(self):
        for text in ("{id: a, confirm: {text: sure, within: 300ms}, exec: {shell: 'echo a >>log'}, undo: none}",
                     "{id: a, confirm: {text: sure, within: 300ms}, block: [{id: b, exec: {shell: 'echo a >>log'}, undo: none}]}"):
            self.play("steps:\n  - " + text, expect=world.PERSON)
            time.sleep(0.4)
            self.assertIn("the time to answer was over at ", self.rbx("approve", "last", "a", expect=WRONG).stderr)
            self.rbx("resume", "last", expect=None)
            self.assertFalse(os.path.exists(os.path.join(self.dir, "log")))


if __name__ == "__main__":
    unittest.main()
