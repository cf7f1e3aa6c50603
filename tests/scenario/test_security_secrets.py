"""The security checklist, rows 8 to 13: where a secret may not show. docs/security.md names the test of each row."""
import base64
import glob
import os

import world
from world import WRONG

CANARY = "kanarienvogel-7f3a"


class Secrets(world.Scenario):
    def sinks(self):
        for path in glob.glob(self.store + "/**", recursive=True) + [self.file("copy.db")]:
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    yield path, f.read()

    def test_c08_a_secret_shows_nowhere(self):
        """in no output, record, log, file of the store or its copy, argv or foreign environment, in no form."""
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

    def test_c12_passwords_in_addresses_are_masked(self):
        """An address with a name and a password is refused, and not repeated."""
        text = "inputs: {x: {type: url}}\nsteps:\n  - {id: a, http_check: {url: '${{ inputs.x }}'}}"
        done = self.refused(text, "-i", "x=https://u:%s@h/" % CANARY, why="https://***@h/")
        self.assertNotIn(CANARY, (done.stdout + done.stderr).split("\n")[0])


def in_base64(text, shift):
    """What of the text shows in base64 whatever stands around it."""
    whole = base64.b64encode(b"x" * shift + text.encode()).decode()
    return whole[4 if shift else 0:len(whole) - 4]
