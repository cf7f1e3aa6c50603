"""What the kill sweep kills: how the world of each is made ready, what is typed, what must be so at the end."""
import json
import os
import re
import shutil
import subprocess
import time

import world
from world import DONE, FAILED, PERSON, ROOT, RBX, ledger


class Victim:
    """One playbook. `typed` are its commands in order, each with the exit code that it has when nobody kills it; LAST stands for
    the run. `settle` says what a person would do about a step that waits for one."""
    name = None
    playbook = None              # its name, where it is not that of the victim
    code, state = DONE, "done"   # the end of it all
    twice = True                 # it is swept with a used store as well
    moves = 1                    # how often a record of DNS may come to hold something else
    keyed = {("webhook", "post")}                   # what the far side takes once for each key
    once = {("exec", "once"), ("exec", "last")}

    def __init__(self, lab, folder):
        self.lab, self.folder = lab, folder
        self.store, self.work = os.path.join(folder, "runs"), os.path.join(folder, "work")
        self.ledger = os.path.join(lab.folder, "ledger.jsonl")
        self.kept = False        # the store is one that was used before

    def prepare(self):
        shutil.rmtree(self.work, ignore_errors=True)
        self.forget()
        os.mkdir(self.work, 0o700)
        self.ready()
        if self.kept:
            self.call("run", "examples/hello.yaml")
        ledger.Ledger(self.ledger).clear()

    def ready(self):
        self.lab.ask("POST", "/reset")

    def forget(self):
        """What a tool without memory knows."""
        shutil.rmtree(self.store, ignore_errors=True)

    def env(self):
        return dict(os.environ, RBX_STORE=self.store, RBX_LAB_LEDGER=self.ledger, NO_COLOR="1")

    def call(self, *args, strace=()):
        done = subprocess.run([*strace, RBX, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", env=self.env(), cwd=ROOT, timeout=180)
        return done.returncode, done.stdout

    def run(self):
        """The newest run of this playbook, as `list` shows it; None: there is none."""
        code, text = self.call("list", "--json")
        runs = [json.loads(l) for l in text.splitlines() if l.startswith("{")] if code == 0 else []
        runs = [r for r in runs if r["playbook"] == (self.playbook or self.name)]
        return runs[0] if runs else None

    def typed(self):
        return [(self.args(), self.code)]

    def type(self, number, strace=()):
        args = self.typed()[number][0]
        if "LAST" in args:
            run = self.run()
            args = [run["run"] if run and a == "LAST" else a for a in args]
        return self.call(*args, strace=strace)

    def settle(self, step, run):
        """The command that answers, or NULL. A doubt is settled by the ledger."""
        if step["state"] in ("in_doubt", "doubt"):
            return ["resolve", run, step["path"], "--done" if self.seen(step) else "--retry", "--reason", "the ledger says so"]
        return None

    def seen(self, step):
        name = step["path"].split("/")[-1]
        return any(l["op"] == name and l["service"] == "exec" for l in self.effects())

    def effects(self):
        return ledger.read(self.ledger)

    def count(self, service, op):
        return sum(1 for l in self.effects() if (l["service"], l["op"]) == (service, op))

    def whole(self):
        return []

    def file(self, name):
        try:
            with open(os.path.join(self.work, name), encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return None


class Effects(Victim):
    name, playbook = "effects", "sweep-effects"

    def ready(self):
        self.lab.ask("POST", "/reset")
        self.lab.s3("DELETE", "/%s/sweep/object" % world.BUCKET)
        self.lab.databases[1].sql("delete from audit_log where who = 'sweep'; drop table if exists rbx_dedup")

    def args(self):
        return ["run", "tests/scenario/sweep/effects.yaml", "-i", "at=127.77.%d" % self.lab.net, "-i",
                "effect=" + os.path.join(ROOT, "tests/lab/effect"), "--yes"]

    def whole(self):
        rows = int(self.lab.databases[1].sql("select count(*) from audit_log where who = 'sweep'"))
        if rows != 1:
            yield "the keyed statement happened %d times" % rows
        for want in (("exec", "once"), ("exec", "last"), ("s3", "PutObject"), ("webhook", "post"),
                     ("route53", "ChangeResourceRecordSets"), ("webhook", "slack")):
            if not self.count(*want):
                yield "%s %s never happened" % want


class Quick(Victim):
    """One of the site's playbooks with shorter pauses, else as it is."""
    more = ()

    def copy(self, name):
        with open(os.path.join(ROOT, "playbooks", name + ".yaml"), encoding="utf-8") as f:
            text = f.read()
        path = os.path.join(ROOT, "build", "sweep-%d-%s.yaml" % (self.lab.net, name))
        with open(path, "w", encoding="utf-8") as f:
            f.write(re.sub(r"every: [35]s", "every: 100ms", text))
        return path

    def args(self):
        return ["run", self.copy(self.playbook or self.name), "--inputs", self.lab.copy_inputs(), *self.more, "--yes"]


class Failover(Quick):
    name = "emergency-failover"
    more = "-i", "down_since=-10s", "-i", "grace=0s"

    def ready(self):
        self.lab.ask("POST", "/reset")
        self.lab.sites[0].stop()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.lab.s3("PUT", "/%s/db/LAST_RESTORED" % world.BUCKET, ('{"taken_at": "%s"}' % stamp).encode())

    def whole(self):
        if not self.count("route53", "ChangeResourceRecordSets"):
            yield "the record was never changed"
        text = self.lab.ask("GET", "/records")
        if world.STAGING not in text or '"HTTPS"' in text:
            yield "the records are not those of the failover"
        if not any(l["op"] == "slack" and l["data"]["text"].startswith("STOP") for l in self.effects()):
            yield "nobody was told"


class Rollback(Quick):
    """After a failover; two questions lie on its way, and each command of the person is killed as well."""
    name, twice = "rollback-to-production", False

    def ready(self):
        before = Failover(self.lab, self.folder)
        before.ready()
        code, text = before.call(*before.args())
        if code:
            raise SystemExit("kill_sweep: the failover before the rollback: " + text)
        self.lab.sites[0].start()

    def args(self):
        return [a for a in super().args() if a != "--yes"]

    def typed(self):
        return [(self.args(), PERSON),
                (["approve", "LAST", "merge", "--word", "MERGED", "--answer", "lost=0"], DONE), (["resume", "LAST"], PERSON),
                (["approve", "LAST", "move/back", "--word", "ROLLBACK"], DONE), (["resume", "LAST"], DONE)]

    def settle(self, step, run):
        if step["state"] != "waiting":
            return super().settle(step, run)
        return ["approve", run, step["path"], "--word", *(["MERGED", "--answer", "lost=0"] if step["path"] == "merge" else ["ROLLBACK"])]

    def whole(self):
        if world.PRODUCTION not in self.lab.ask("GET", "/records"):
            yield "the records are not those of production"
        if not any(l["op"] == "slack" and l["data"]["text"].startswith("[x] ROLLBACK COMPLETE") for l in self.effects()):
            yield "nobody was told"


class Readiness(Quick):
    """It changes nothing but the minds of people: Staging is not ready here, which it has to tell."""
    name = "staging-readiness"
    code, state = FAILED, "failed"

    def ready(self):
        self.lab.ask("POST", "/reset")
        self.lab.s3("DELETE", "/%s/db/LAST_RESTORED" % world.BUCKET)

    def whole(self):
        if not any(l["op"] == "slack" and "fresh" in l["data"]["text"] for l in self.effects()):
            yield "nobody was told"


class Sync(Quick):
    name, twice = "db-sync", False

    def ready(self):
        self.lab.reset()

    def whole(self):
        staging = self.lab.databases[1]
        names = staging.sql("select string_agg(datname, ' ' order by datname) from pg_database where datname like 'meshgen_db%'"
                            " and datname <> 'meshgen_db_example'", "postgres")
        if names != "meshgen_db meshgen_db_old":
            yield "the databases are: " + names
        for db, want in (("meshgen_db", "20000"), ("meshgen_db_old", "15000")):
            if db in names.split() and staging.sql("select count(*) from users", db) != want:
                yield "%s does not hold %s users" % (db, want)
        if self.lab.s3("GET", "/%s/db/LAST_RESTORED" % world.BUCKET)[0] != 200:
            yield "the marker is missing"
        for key in re.findall(r"<Key>(db/[^<]*)</Key>", self.lab.s3("GET", "/" + world.BUCKET, query="list-type=2&prefix=db%2F")[1].decode()):
            if not key.endswith((".dump", "/LAST_RESTORED")):
                yield "%s was left behind" % key


def shrink(lab):
    """Production with all its rows and little in them: a dump of some hundred kB, which goes through few writes."""
    lab.databases[0].sql("update meshes set preview = null; update projects set settings = '{}'")


class SmallSync(Sync):
    """The same with a small dump, so that each of its writes can be gone through."""
    name, playbook = "db-sync-small", "db-sync"
    more = "-i", "min_dump=10kB"

    def ready(self):
        self.lab.reset()
        shrink(self.lab)


class Example(Victim):
    """One of examples/."""
    given = ()

    def args(self):
        text = "examples/%s.yaml" % (self.playbook or self.name)
        with open(os.path.join(ROOT, text), encoding="utf-8") as f:
            known = f.read()
        args = ["run", text]
        if "  dir:" in known:
            args += ["-i", "dir=" + self.work]
        if "  at:" in known:
            args += ["-i", "at=127.77.%d" % self.lab.net]
        return args + list(self.given)


class Ask(Example):
    name = "ask"

    def typed(self):
        return [(self.args(), PERSON), (["resolve", "LAST", "risky", "--skip", "--reason", "not today"], DONE), (["resume", "LAST"], DONE)]

    def settle(self, step, run):
        return ["resolve", run, step["path"], "--skip", "--reason", "not today"]


class Backup(Example):
    name, twice = "backup", False

    def ready(self):
        self.lab.reset()
        shrink(self.lab)

    def whole(self):
        if self.lab.databases[1].sql("select count(*) from users", "meshgen_db_example") != "20000":
            yield "the copy is not whole"
        if os.listdir(self.work) != ["rbx-backup.dump"]:
            yield "left behind: %s" % os.listdir(self.work)


class Bucket(Example):
    name = "bucket"

    def whole(self):
        note = json.loads(self.file("rbx-note.json") or "{}")
        if note.get("by") != self.run()["run"]:
            yield "the note is %s" % note
        if os.listdir(self.work) != ["rbx-note.json"]:
            yield "left behind: %s" % os.listdir(self.work)


class Confirm(Example):
    name = "confirm"

    def ready(self):
        open(os.path.join(self.work, "rbx-confirm"), "w").close()

    def typed(self):
        return [(self.args(), PERSON), (["approve", "LAST", "remove"], DONE), (["resume", "LAST"], DONE)]

    def settle(self, step, run):
        return ["approve", run, step["path"]]

    def whole(self):
        if os.listdir(self.work):
            yield "the file is still there"


class Drill(Example):
    name, moves = "drill", 2

    def args(self):
        return ["drill", *super().args()[1:]]

    def whole(self):
        if world.STAGING in self.lab.ask("GET", "/records"):
            yield "the drill left its record behind"


class Finally(Example):
    name = "finally"

    def whole(self):
        if os.listdir(self.work):
            yield "the lock is still there"


class FinallyFails(Finally):
    name, playbook, given = "finally-fails", "finally", ("-i", "fail=true")
    code, state = FAILED, "failed"


class Folder(Example):
    name = "folder"

    def ready(self):
        self.lab.ask("POST", "/reset")
        for name in ("web/index.html", "web/app.js", "kept.html"):
            self.lab.s3("DELETE", "/%s/examples/%s" % (world.BUCKET, name))

    def whole(self):
        if sorted(os.listdir(os.path.join(self.work, "copy"))) != ["app.js", "index.html"]:
            yield "the copy holds %s" % os.listdir(os.path.join(self.work, "copy"))
        status = [self.lab.s3("GET", "/%s/examples/%s" % (world.BUCKET, n))[0] for n in ("kept.html", "web/index.html", "web/app.js")]
        if status != [200, 404, 404]:
            yield "the bucket answers %s" % status


class Http(Example):
    name = "http"

    def whole(self):
        if not self.count("webhook", "post"):
            yield "the order never came"


class Manual(Example):
    name = "manual"

    def typed(self):
        return [(self.args(), PERSON), (["approve", "LAST", "dns", "--word", "CHANGED"], DONE), (["resume", "LAST"], DONE)]

    def settle(self, step, run):
        return ["approve", run, step["path"], "--word", "CHANGED"]


class Probe(Example):
    name = "probe"

    def whole(self):
        orders = json.loads(self.file("rbx-probe.json") or "{}").get("orders", [])
        if len(orders) != 1:
            yield "the orders are %s" % orders


class Records(Example):
    name = "records"

    def whole(self):
        weights = {r.get("set"): r.get("weight") for rs in json.loads(self.lab.ask("GET", "/records")).values() for r in rs
                   if r["name"] == "split.khorium.ai."}
        if weights != ({"production": 100, "staging": 0} if self.code else {"production": 0, "staging": 100}):
            yield "the weights are %s" % weights


class RecordsBack(Records):
    """It fails when the records have been changed, and puts them back."""
    name, playbook, given, moves = "records-back", "records", ("-i", "expect=2"), 2
    code, state = FAILED, "failed"


class Retry(Example):
    name = "retry"

    def whole(self):
        if os.listdir(self.work):
            yield "left behind: %s" % os.listdir(self.work)


class Sql(Example):
    name = "sql"

    def ready(self):
        self.lab.databases[1].sql("delete from audit_log where who = 'rbx'; drop table if exists rbx_dedup")

    def whole(self):
        rows = self.lab.databases[1].sql("select count(*) from audit_log where who = 'rbx'")
        if rows != "1":
            yield "%s rows" % rows


class Tell(Example):
    name = "tell"

    def whole(self):
        for want in (("webhook", "slack"), ("webhook", "post"), ("smtp", "mail")):
            if not self.count(*want):
                yield "%s %s never happened" % want


class Undo(Example):
    """All of it or nothing: here nothing."""
    name = "undo"
    code, state = FAILED, "failed"

    def whole(self):
        if os.listdir(self.work):
            yield "left behind: %s" % os.listdir(self.work)


class Until(Example):
    name = "until"


KINDS = [Effects, Failover, Rollback, Readiness, Sync, Ask, Bucket, Confirm, Drill, Finally, FinallyFails, Folder, Http, Manual,
         Probe, Records, RecordsBack, Retry, Sql, Tell, Undo, Until, SmallSync, Backup]
