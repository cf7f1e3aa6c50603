"""The security checklist from row 16 on: what comes from outside, files and ids. docs/security.md names the test of each row."""
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
