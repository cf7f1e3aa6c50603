"""For tests that kill the owner of a run: how that is done, and what is looked at then."""
import json
import os
import sqlite3
import textwrap

import world

ONCE_THEN_QUICK = 'again=; [ -e again ] && again=1; touch again; echo $$ >>began; [ $again ] || exec sleep 60'


class Killed(world.Scenario):
    """How an owner is killed, and what is looked at then."""

    def file(self, name):
        return os.path.join(self.dir, name)

    def lines(self, name):
        try:
            with open(self.file(name)) as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    def begin(self, text, *args, until="began", **env):
        """Carries the steps out until the file `until` has a line."""
        path = self.write("rbx: 1\nname: test\n" + textwrap.dedent(text).strip() + "\n")
        child = self.start("run", path, *args, **env)
        self.wait(lambda: self.lines(until) or child.poll() is not None, "a line in " + until)
        if child.poll() is not None:
            self.fail(child.communicate()[0])
        return child

    def kill(self, child):
        child.kill()
        child.wait()
        child.stdout.close()
        return self.last()

    def killed(self, text, *args, **how):
        """The run, of which the owner was killed when `began` had a line."""
        return self.kill(self.begin(text, *args, **how))

    def records(self, run, *kinds):
        with sqlite3.connect("file:%s/store.db?mode=ro" % self.store, uri=True) as db:
            rows = db.execute("SELECT kind, path, body FROM record WHERE run = ? ORDER BY seq", (run,)).fetchall()
        return [(kind, path, json.loads(body)) for kind, path, body in rows if not kinds or kind in kinds]

    def later(self, run, seconds):
        """So long ago the run began."""
        with sqlite3.connect("file:%s/store.db?mode=ro" % self.store, uri=True) as db:
            at, now = db.execute("SELECT min(at), strftime('%s', 'now') FROM record WHERE run = ?", (run,)).fetchone()
        return int(now) - at / 1e6 > seconds

    def runs_on(self, pid):
        try:
            with open("/proc/%d/stat" % pid) as f:
                return f.read().rpartition(")")[2].split()[0] not in "ZX"
        except FileNotFoundError:
            return False
