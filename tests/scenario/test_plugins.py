"""Step types of third parties that do not keep to what they say of themselves."""
import json
import os
import unittest

import world
from world import DONE, FAILED, PERSON


class Plugins(world.OneStep):
    in_lab = False
    net = ""

    def plug(self, answer, effect="once", **out):
        folder = os.path.join(self.dir, "plugins")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        said = json.dumps({"v": 1, "summary": "x", "effect": effect, "timeout": "5s", "in": {}, "out": out})
        with open(os.path.join(folder, "rbx-step-mine"), "w") as f:
            f.write("#!/bin/sh\n[ $1 = describe ] && { cat <<'E'\n%s\nE\nexit 0; }\ncat >%s/heard\n%s\n" % (said, self.dir, answer))
        os.chmod(f.name, 0o700)
        return {"RBX_PLUGINS": folder}

    def answers(self, verdict="done", **more):
        return "cat <<'E'\n%s\nE" % json.dumps(dict(more, verdict=verdict))

    number = {"type": "int", "output": True}

    def test_results_are_what_was_said_of_them(self):
        for out, words in (({"n": "x"}, "gave 'n' otherwise than it says: .*integer"), ({}, "gave no 'n'")):
            with self.subTest(out=out):
                env = self.plug(self.answers(out=out), n=self.number)
                done = self.one("mine: {{}}\nundo: none", expect=FAILED, **env)
                self.assertRegex(done.stdout, words)
                self.rbx("resume", self.last(), expect=PERSON, **env)
        env = self.plug(self.answers(out={"n": 3}), n=self.number, m=dict(self.number, maybe=True))
        self.one("mine: {{}}\nundo: none\nassert:\n  - self.n == 3", **env)

    def test_times_are_times(self):
        env = self.plug(self.answers(out={"t": "90s", "at": "2026-01-19T13:00:00Z"}), "pure", t={"type": "duration"}, at={"type": "timestamp"})
        self.one("mine: {{}}\nassert:\n  - self.t > duration('1m') && self.at < now", **env)

    def test_a_check_that_does_not_hold_yet(self):
        env = self.plug("[ -e %s/second ] && { %s\n}\ntouch %s/second\n%s" % (self.dir, self.answers(out={"n": 1}) + "\nexit 0", self.dir,
                        self.answers("fail", unmet=True, message="not yet", out={"n": 0})), "pure", n=self.number)
        self.one("mine: {{}}\nevery: 10ms\ndeadline: 20s", **env)
        self.assertEqual(self.steps()["s"]["outputs"], {"n": 1})


if __name__ == "__main__":
    unittest.main()
