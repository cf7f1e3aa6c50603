#!/usr/bin/env python3
"""What a person at a terminal sees and types."""
import re
import termios
import unittest

import world
from screen import Screen, Terminal
from world import CANCELLED, DONE, FAILED, ROOT, Scenario

OUTAGE = """
    rbx: 1
    name: outage
    objectives: {rto: 10m}
    inputs: {down_since: {type: timestamp}, pause: {type: string, default: '0.1'}}
    steps:
      - {id: first, exec: {argv: [sleep, '0.1']}, effect: idempotent}
      - {id: long, exec: {argv: [sleep, '${{ inputs.pause }}']}, effect: idempotent}
      - id: back
        wait: {for: 1s}
        measures:
          rto: now - inputs.down_since
"""


class TheScreen(Scenario):
    """Negative control: a picture that is taken back is not seen any more."""

    def test_what_is_wiped_is_gone(self):
        screen = Screen()
        screen.feed(b"kept\nold one\nold two\n")
        screen.feed(b"\r\x1b[2A\x1b[Jnew\x1b[K\n")
        self.assertEqual(screen.text(), "kept\nnew\n")


class AtTheTerminal(Scenario):
    def at(self, *args, columns=100, **env):
        env = {**self.env(TERM="xterm-256color"), **env}
        terminal = Terminal([world.RBX, *map(str, args)], env, ROOT, columns)
        self.addCleanup(terminal.close)
        return terminal

    def seen(self, terminal, pattern, seconds=20):
        found = terminal.see(pattern, seconds)
        self.assertTrue(found, "not seen: %s\n%s" % (pattern, terminal.screen.text()))
        return found

    def test_a_question_is_answered_where_it_is_asked(self):
        book = self.write("""
            rbx: 1
            name: ask
            steps:
              - {id: drop, confirm: 'Drop it?', exec: {argv: ['true']}, effect: idempotent}
            """)
        terminal = self.at("run", book)
        self.seen(terminal, r"Drop it\? \[y/n\]")
        terminal.type("y\n")
        self.seen(terminal, r"done  run")
        self.assertEqual(terminal.end(), DONE)
        self.assertNotIn("[y/n]", terminal.screen.text())         # the question went with its region
        terminal = self.at("run", book)
        self.seen(terminal, r"Drop it\? \[y/n\]")
        terminal.type("\n?\n")                                    # neither yes nor no: it still stands
        self.assertIsNone(terminal.see("said no", 1))
        terminal.type("n\n")
        self.seen(terminal, r"drop has failed\. \[retry/skip/stop\]")
        self.assertRegex(terminal.screen.text(), r"\? drop +\w+ said no")
        terminal.type("stop\n")
        self.seen(terminal, "why failed")
        terminal.type("not today\n")
        self.assertEqual(terminal.end(), FAILED)

    def test_the_countdown_begins_with_the_outage(self):
        book = self.write(OUTAGE)
        terminal = self.at("run", book, "-i", "down_since=-4m", "-i", "pause=30")
        left = self.seen(terminal, r"RTO (\d)m\d+s left")
        self.assertEqual(left[1], "5")
        terminal.type("\x03\x03")
        terminal.end()
        terminal = self.at("run", book, "-i", "down_since=-12m", "-i", "pause=30")
        self.seen(terminal, r"RTO over by 2m0\ds")
        terminal.type("\x03\x03")
        terminal.end()

    def test_the_rest_is_told_by_the_former_run(self):
        book = self.write(OUTAGE)
        self.rbx("run", book, "-i", "down_since=-1m", "-i", "pause=3")
        former = self.last()
        terminal = self.at("run", book, "-i", "down_since=-1m", "-i", "pause=2")
        self.seen(terminal, r"about [34]\.?\d*s to go, as in " + former)
        self.assertEqual(terminal.end(), DONE)
        dry = self.at("run", book, "-i", "down_since=-1m", "--dry-run")
        self.assertEqual(dry.end(), DONE)
        self.assertNotIn("to go", dry.screen.text())

    def test_once_ctrl_c_ends_what_runs_and_stops(self):
        book = self.write("""
            rbx: 1
            name: two
            steps:
              - {id: one, exec: {argv: [sleep, '1']}, effect: idempotent}
              - {id: two, exec: {argv: [sleep, '30']}, effect: idempotent}
            """)
        terminal = self.at("run", book)
        self.seen(terminal, "one +runs|one +changes|[⠋⠙⠸⠴⠦⠇] one")
        terminal.type("\x03")
        self.assertEqual(terminal.end(), CANCELLED)
        states = self.states()
        self.assertEqual(states["one"], "ok")
        self.assertNotEqual(states.get("two"), "ok")
        self.assertEqual(termios.tcgetattr(terminal.fd)[3], terminal.modes[3])      # as it was before

    def test_colour_only_where_it_is_wanted(self):
        book = self.write("rbx: 1\nname: c\nsteps:\n  - {id: a, wait: {for: 1ms}}\n")
        plain, bright = self.at("run", book), self.at("run", book, NO_COLOR="")
        self.assertEqual((plain.end(), bright.end()), (DONE, DONE))
        self.assertEqual(plain.screen.colours, 0)
        self.assertGreater(bright.screen.colours, 0)

    def test_no_line_of_the_region_is_wider_than_the_terminal(self):
        long = "x" * 60
        book = self.write("rbx: 1\nname: w\nsteps:\n  - {id: %s, exec: {argv: [sh, -c, 'echo %s; sleep 2']}, effect: idempotent}\n"
                          % (long, "y" * 300))
        terminal = self.at("run", book, columns=40)
        self.seen(terminal, "Ctrl-C|y{20}")
        region = terminal.screen.text().split("\n")[-5:]
        self.assertTrue(all(len(line) <= 40 for line in region if re.search("[⠋⠙⠸⠴⠦⠇y]", line)), region)
        self.assertEqual(terminal.end(), DONE)


if __name__ == "__main__":
    unittest.main()
