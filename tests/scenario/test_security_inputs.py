"""The security checklist, rows 1 to 7: what an input may not do. docs/security.md names the test of each row."""
import os

import world
from world import DONE, FAILED, WRONG


class Inputs(world.Scenario):
    def test_c01_data_is_no_shell(self):
        """what comes from outside stays one argument; shell text takes no expression."""
        evil = "x; touch %s $(id)" % self.file("pwn")
        self.play("""
            inputs: {x: {type: string}}
            steps:
              - {id: a, exec: {argv: [printf, '%s', '${{ inputs.x }}']}, effect: pure}
              - {id: b, exec: {shell: 'printf %s "$1"', args: ['${{ inputs.x }}']}, effect: pure}
        """, "-i", "x=" + evil)
        self.assertFalse(self.there("pwn"))
        self.refused("steps:\n  - {id: a, exec: {shell: 'rm ${{ run.id }}'}, undo: none}", why="args")

    def test_c02_data_is_no_option(self):
        """an argument made of data does not begin with '-', a database is no connection string."""
        text = """
            inputs: {x: {type: string}}
            steps:
              - {id: a, exec: {argv: [touch, '${{ inputs.x }}']}, undo: none}
        """
        self.refused(text, "-i", "x=--file=/etc/x", why="take it for an option", expect=FAILED)
        text = """
            inputs: {x: {type: string}}
            steps:
              - id: a
                retry: {attempts: 1}
                sql_check: {host: 127.0.0.1, port: 1, db: '${{ inputs.x }}', user: u, query: select 1}
        """
        done = self.refused(text, "-i", "x=host=evil.example dbname=x", why="127.0.0.1", expect=FAILED)
        self.assertNotIn("evil.example:", done.stdout + done.stderr)

    def test_c04_answers_are_data(self):
        """what a step was answered is never an expression."""
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

    def test_c05_yaml_has_limits(self):
        """bombs end at once."""
        for text, why in (("a: 1\na: 2\n", "twice"), ("x: !!python/object:os.system {}\n", "tag"),
                          ("x: " + "[" * 50000 + "\n", "64"), ("x: &a {b: 1}\ny: {<<: *a}\n", "merge")):
            with self.subTest(why=why):
                done = self.rbx("validate", self.write("rbx: 1\nname: t\n" + text), expect=WRONG)
                self.assertIn(why, done.stdout + done.stderr)

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


PLUGIN = """#!/bin/sh
>>%s
env >%s
case $1 in
describe) echo '{"v": 1, "summary": "says hello", "effect": "pure", "out": {"x": {"type": "text", "output": true}}}';;
*) cat >/dev/null; echo '{"verdict": "done", "out": {"x": "hi"}}';;
esac
"""
