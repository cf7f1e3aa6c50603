#!/usr/bin/env python3
"""usage: kill_sweep.py [--points N | --all] [--seed N] [--playbook NAME] [--twice] [--control] [--only SYSCALL:N]

Runs a playbook in the lab and kills rbx with SIGKILL at the entry of its n-th write, sync, send or spawn; then resumes, and judges
by what others have written down: the lab's ledger, the databases, the DNS records. --twice kills the resume as well. --control
forgets the store in between: then the judge must find effects that happened twice, or it is no judge.

Traps that are minded here: strace counts calls by system call and by thread, so an index means the first thread that gets there;
it is never started with --seccomp-bpf, which lets the injection fail in silence; children are let go at their execve, or they
would die in rbx's stead; and a point counts only if strace says that its victim was killed."""
import argparse
import collections
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

import world
from world import ROOT, RBX, ledger

CALLS = ["write", "pwrite64", "pwritev", "writev", "fdatasync", "fsync", "rename", "renameat2", "unlink", "ftruncate", "sendto",
         "sendmsg", "sendmmsg", "vfork", "clone", "clone3", "connect"]
KEYED = {("webhook", "post")}                  # what the far side takes once for each key
REPEATABLE = {("webhook", "slack")}            # chat: a second telling is allowed, and marked


class Victim:
    """One playbook: how the world is made ready, how it is started, what must be so at the end."""

    def __init__(self, lab, folder):
        self.lab, self.folder = lab, folder
        self.store = os.path.join(folder, "runs")
        self.ledger = os.path.join(lab.folder, "ledger.jsonl")

    def prepare(self):
        self.forget()
        self.ready()
        ledger.Ledger(self.ledger).clear()

    def forget(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.mkdir(self.folder, 0o700)

    def env(self):
        return dict(os.environ, RBX_STORE=self.store, RBX_LAB_LEDGER=self.ledger, NO_COLOR="1")

    def call(self, *args, strace=()):
        done = subprocess.run([*strace, RBX, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", env=self.env(), cwd=ROOT, timeout=180)
        return done.returncode, done.stdout

    def effects(self):
        return ledger.read(self.ledger)


class Effects(Victim):
    name = "effects"

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
        done = {(l["service"], l["op"]) for l in self.effects()}
        for want in (("exec", "once"), ("exec", "last"), ("s3", "PutObject"), ("webhook", "post"),
                     ("route53", "ChangeResourceRecordSets"), ("webhook", "slack")):
            if want not in done:
                yield "%s %s never happened" % want


class Quick(Victim):
    """One of the site's playbooks with shorter pauses, else as it is."""
    file = None

    def copy(self):
        with open(os.path.join(ROOT, "playbooks", self.file), encoding="utf-8") as f:
            text = f.read()
        path = os.path.join(ROOT, "build", "sweep-%d-%s" % (self.lab.net, self.file))
        with open(path, "w", encoding="utf-8") as f:
            f.write(re.sub(r"every: [35]s", "every: 100ms", text))
        return path


class Failover(Quick):
    name, file = "emergency-failover", "emergency-failover.yaml"

    def ready(self):
        self.lab.ask("POST", "/reset")
        self.lab.sites[0].stop()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.lab.s3("PUT", "/%s/db/LAST_RESTORED" % world.BUCKET, ('{"taken_at": "%s"}' % stamp).encode())

    def args(self):
        return ["run", self.copy(), "--inputs", self.lab.copy_inputs(), "-i", "down_since=-10s", "-i", "grace=0s", "--yes"]

    def whole(self):
        changes = [l for l in self.effects() if l["service"] == "route53"]
        if not changes:
            yield "the record was never changed"
        status, text = 0, self.lab.ask("GET", "/records")
        if world.STAGING not in text or '"HTTPS"' in text:
            yield "the records are not those of the failover"
        if not any(l["op"] == "slack" and l["data"]["text"].startswith("STOP") for l in self.effects()):
            yield "nobody was told"


class Sync(Quick):
    name, file = "db-sync", "db-sync.yaml"

    def ready(self):
        self.lab.reset()

    def args(self):
        return ["run", self.copy(), "--inputs", self.lab.copy_inputs(), "--yes"]

    def whole(self):
        staging = self.lab.databases[1]
        names = staging.sql("select string_agg(datname, ' ' order by datname) from pg_database where datname like 'meshgen%'", "postgres")
        if names != "meshgen_db meshgen_db_old":
            yield "the databases are: " + names
        for db, want in (("meshgen_db", "20000"), ("meshgen_db_old", "15000")):
            if db in names.split() and staging.sql("select count(*) from users", db) != want:
                yield "%s does not hold %s users" % (db, want)
        if self.lab.s3("GET", "/%s/db/LAST_RESTORED" % world.BUCKET)[0] != 200:
            yield "the marker is missing"


def judge(victim):
    """What is wrong with what the outside saw: an empty list if nothing is."""
    wrong = list(victim.whole())
    by = collections.defaultdict(list)
    for line in victim.effects():
        by[line["service"], line["op"]].append(line)
    for line in by.pop(("exec", "once"), [])[1:] + by.pop(("exec", "last"), [])[1:]:
        wrong.append("the command %s happened again" % line["op"])
    for kind, lines in by.items():
        if kind in KEYED and len({l["key"] for l in lines}) != 1:
            wrong.append("%s %s was sent with %d keys" % (*kind, len({l["key"] for l in lines})))
        if kind == ("route53", "ChangeResourceRecordSets"):       # a repeat need not delete again what is gone
            wanted = collections.defaultdict(set)
            for change in [c for l in lines for c in l["changes"] if c["action"] != "DELETE"]:
                wanted[change["record"]["name"], change["record"]["type"]].add(json.dumps(change["record"], sort_keys=True))
            wrong += ["%s %s was set to different things" % k for k, v in wanted.items() if len(v) > 1]
        if kind[1] in ("PutObject", "CompleteMultipartUpload"):
            objects = collections.Counter((l["object"], l["digest"]) for l in lines)
            if kind[1] == "PutObject" and len(objects) > len({o for o, _ in objects}):
                wrong.append("an object was put with different contents")
    return wrong


def index(victim):
    """All points of one undisturbed run: [(call, n)], and proof that the judge is content with it."""
    victim.prepare()
    out = os.path.join(victim.folder, "trace")
    code, text = victim.call(*victim.args(), strace=["strace", "-f", "-b", "execve", "-qq", "-o", out, "-e", "trace=" + ",".join(CALLS)])
    wrong = judge(victim)
    if code or wrong:
        raise SystemExit("kill_sweep: %s does not work undisturbed (exit %d): %s\n%s" % (victim.name, code, wrong, text))
    counts = collections.defaultdict(collections.Counter)
    with open(out, errors="replace") as f:
        for line in f:
            found = re.match(r"(\d+)\s+(\w+)\(", line)
            if found:
                counts[found.group(2)][found.group(1)] += 1
    return [(call, n) for call in CALLS if call in counts for n in range(1, max(counts[call].values()) + 1)]


def strace(call, n):
    return ["strace", "-f", "-b", "execve", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=%s:signal=KILL:when=%d" % (call, n)]


def resumed(victim, again=None):
    """Resumes to the end, settling what is in doubt as a person would who looks at the ledger. Returns what went wrong."""
    for turn in range(12):
        code, text = victim.call("list", "--json")
        runs = [json.loads(l) for l in text.splitlines() if l.startswith("{")] if code == 0 else []
        if not runs:
            if victim.effects():
                return ["an effect, and no run on the record: " + text]
            code, text = victim.call(*victim.args())
        elif runs[0].get("state") in ("ok", "done"):
            return []
        else:
            run = runs[0]["run"]
            code, text = victim.call("resume", run, "--yes", strace=strace(*again) if again and turn == 0 else ())
            if code in (-9, 137):
                continue
        if code == world.PERSON:
            shown = json.loads(victim.call("show", run, "--json")[1])
            for step in shown["steps"]:
                if step["state"] in ("in_doubt", "doubt"):
                    name = step["path"].split("/")[-1]
                    seen = any(l["op"] == name and l["service"] == "exec" for l in victim.effects())
                    code, text = victim.call("resolve", run, step["path"], "--done" if seen else "--retry", "--reason", "the ledger says so")
                    if code:
                        return ["resolve: exit %d: %s" % (code, text)]
        elif code not in (0, -9, 137):
            return ["resume: exit %d: %s" % (code, text)]
    return ["no end after 12 resumes: " + text]


def point(victim, call, n, again, control):
    """(fired, what went wrong)"""
    victim.prepare()
    code, text = victim.call(*victim.args(), strace=strace(call, n))
    if code not in (-9, 137):
        return False, [] if code == 0 else ["exit %d without being killed: %s" % (code, text)]
    if control:
        victim.forget()
        code, text = victim.call(*victim.args())
        return True, judge(victim)
    wrong = resumed(victim, again)
    return True, wrong or judge(victim)


def main():
    args = argparse.ArgumentParser(usage=__doc__.split("\n")[0][7:])
    args.add_argument("--points", type=int, default=24)
    args.add_argument("--all", action="store_true")
    args.add_argument("--seed", type=int, default=None)
    args.add_argument("--playbook", action="append", choices=["effects", "emergency-failover", "db-sync"])
    args.add_argument("--twice", action="store_true")
    args.add_argument("--control", action="store_true")
    args.add_argument("--only")
    args.add_argument("--then", help="with --only: where the resume is killed")
    args.add_argument("--keep", action="store_true", help="show the run and the ledger of what went wrong")
    args = args.parse_args()
    if not shutil.which("strace"):
        print("1..0 # SKIP no strace here")
        return 0
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1 << 32)
    dice = random.Random(seed)
    lab, folder = world.load_lab(), tempfile.mkdtemp(prefix="rbx-sweep-")
    os.chmod(folder, 0o700)
    print("# seed %d" % seed, flush=True)
    fired = violations = missed = number = 0
    try:
        for kind in (Effects, Failover, Sync):
            if args.playbook and kind.name not in args.playbook:
                continue
            victim = kind(lab, folder)
            points = index(victim)
            chosen = points if args.all else sorted(dice.sample(points, min(args.points, len(points))))
            if args.only:
                call, _, n = args.only.partition(":")
                chosen = [(call, int(n))]
            print("# %s: %d of %d points" % (victim.name, len(chosen), len(points)), flush=True)
            for call, n in chosen:
                again = dice.choice(points) if args.twice or dice.random() < 0.3 else None
                if args.only:
                    again = (args.then.partition(":")[0], int(args.then.partition(":")[2])) if args.then else None
                did, wrong = point(victim, call, n, again, args.control)
                fired, missed = fired + did, missed + (not did)
                number += 1
                if wrong and not args.control:
                    print("not ok %d - %s killed at %s no. %d%s" % (number, victim.name, call, n, "" if not again else ", then at %s no. %d" % again))
                    for line in wrong:
                        print("# " + "\n# ".join(line.splitlines()))
                    if args.keep:
                        print(victim.call("show", "last")[1], *victim.effects(), sep="\n# ")
                elif not args.control:
                    print("ok %d - %s killed at %s no. %d%s" % (number, victim.name, call, n, "" if did else " # SKIP it did not get there this time"))
                sys.stdout.flush()
                violations += bool(wrong)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lab.sites[0].start()
    if args.control:
        number = 1
        print("%s 1 - a tool without memory is caught (%d of %d points)" % ("ok" if violations else "not ok", violations, fired))
    number += 1
    enough = fired and missed <= max(2, (fired + missed) // 3)
    print("%s %d - the victims died: %d of %d" % ("ok" if enough else "not ok", number, fired, fired + missed))
    print("1..%d" % number)
    return 0 if enough and bool(violations) == args.control else 1


if __name__ == "__main__":
    sys.exit(main())
