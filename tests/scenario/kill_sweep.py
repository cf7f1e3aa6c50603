#!/usr/bin/env python3
"""usage: kill_sweep.py [--points N | --all] [--seed N] [--playbook NAME]… [--shard I/N] [--twice] [--control] [--only POINT]

Carries out a playbook in the lab and kills rbx with SIGKILL at the entry of its n-th write, sync, send or spawn; then resumes, and
judges by what others have written down: the lab's ledger, the databases, the DNS records. --twice kills the resume as well.
--control forgets the store in between: then the judge must find effects that happened twice, or it is no judge. --shard goes
through every N-th point only, so that several labs share the work; they need the same --seed. A POINT is told as it is printed.

Traps that are minded here: strace counts calls by system call and by thread, so an index means the first thread that gets there,
and what the second thread does first is only reached with a store that was used before ("kept"), where the first has little to do;
it is never started with --seccomp-bpf, which lets the injection fail in silence; children are let go at their execve, or they
would die in rbx's stead; and a point counts only if strace says that its victim was killed."""
import argparse
import collections
import json
import os
import random
import re
import shutil
import sys
import tempfile

import world

sys.path.insert(0, os.path.join(world.HERE, "sweep"))
import victims       # noqa: E402

CALLS = ["write", "pwrite64", "pwritev", "writev", "fdatasync", "fsync", "rename", "renameat2", "unlink", "ftruncate", "sendto",
         "sendmsg", "sendmmsg", "vfork", "clone", "clone3", "connect"]
STORE = ("pwrite64", "fdatasync", "write")
KILLED = (-9, 137)
Point = collections.namedtuple("Point", "kept command call n")


def told(point):
    return "%s%d:%s:%d" % ("kept:" if point.kept else "", point.command, point.call, point.n)


def point_of(text):
    *kept, command, call, n = text.split(":")
    return Point(bool(kept), int(command), call, int(n))


def changes_of(lines):
    """What each record of DNS was made to hold, in order; a repeat need not delete again what is gone."""
    wanted = collections.defaultdict(list)
    for change in [c for l in lines for c in l["changes"]]:
        record = change["record"]
        name, to = (record["name"], record["type"], record.get("set")), json.dumps(record, sort_keys=True)
        if change["action"] != "DELETE" and wanted[name][-1:] != [to]:
            wanted[name].append(to)
    return wanted


def judge(victim):
    """What is wrong with what the outside saw: an empty list if nothing is."""
    wrong = list(victim.whole())
    by = collections.defaultdict(list)
    for line in victim.effects():
        by[line["service"], line["op"]].append(line)
    for kind, lines in by.items():
        if kind in victim.once and len(lines) > 1:
            wrong.append("the command %s happened %d times" % (kind[1], len(lines)))
        if kind in victim.keyed and len({l["key"] for l in lines}) != 1:
            wrong.append("%s %s was sent with %d keys" % (*kind, len({l["key"] for l in lines})))
        if kind == ("route53", "ChangeResourceRecordSets"):
            wrong += ["%s %s came to hold %d things" % (*k[:2], len(v)) for k, v in changes_of(lines).items() if len(v) > victim.moves]
        if kind == ("s3", "PutObject"):
            objects = {(l["object"], l["digest"]) for l in lines if not l["object"].endswith(".dump")}     # which holds its time
            if len(objects) > len({o for o, _ in objects}):
                wrong.append("an object was put with different contents")
    return wrong


def calls_of(path):
    """The calls of a trace: {call: how often the busiest thread made it}."""
    counts = collections.defaultdict(collections.Counter)
    with open(path, errors="replace") as f:
        for line in f:
            found = re.match(r"(\d+)\s+(\w+)\(", line)
            if found:
                counts[found.group(2)][found.group(1)] += 1
    return {call: max(by.values()) for call, by in counts.items()}


def index(victim, kept):
    """All points of one undisturbed run, and proof that the judge is content with it."""
    victim.kept = kept
    victim.prepare()
    out, points = os.path.join(victim.folder, "trace"), []
    for command, (_, expect) in enumerate(victim.typed()):
        code, text = victim.type(command, ["strace", "-f", "-b", "execve", "-qq", "-o", out, "-e", "trace=" + ",".join(CALLS)])
        if code != expect:
            raise SystemExit("kill_sweep: %s does not work undisturbed (exit %d):\n%s" % (victim.name, code, text))
        counts = calls_of(out)
        points += [Point(kept, command, call, n) for call in CALLS if call in counts and (not kept or call in STORE)
                   for n in range(1, counts[call] + 1)]
    wrong = judge(victim)
    if wrong:
        raise SystemExit("kill_sweep: %s does not work undisturbed: %s" % (victim.name, wrong))
    return points


def strace(call, n):
    return ["strace", "-f", "-b", "execve", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=%s:signal=KILL:when=%d" % (call, n)]


def settled(victim, run):
    """Does what a person would who is asked, and looks at the ledger. Returns what went wrong, or None."""
    shown = json.loads(victim.call("show", run, "--json")[1])
    for step in shown["steps"]:
        answer = victim.settle(step, run) if step["state"] in ("waiting", "in_doubt", "doubt") else None
        code, text = victim.call(*answer) if answer else (0, "")
        if code:
            return "%s: exit %d: %s" % (" ".join(answer), code, text)
    return None


def resumed(victim, command, again=None):
    """Goes on to the end. Returns what went wrong."""
    for turn in range(12):
        run = victim.run()
        if not run:
            if victim.effects():
                return ["an effect, and no run on the record"]
            code, text = victim.type(0)
        elif run["state"] == victim.state:
            code, text = victim.call("verify", run["run"])
            return ["verify: " + text] if code else []
        elif run["state"] in ("done", "failed", "cancelled"):
            return ["it ended as " + run["state"]]
        else:
            args = ["resume", run["run"], *(["--yes"] if "--yes" in victim.typed()[0][0] else [])]
            code, text = victim.call(*args, strace=strace(*again) if again and turn == 0 else ())
        if code == world.PERSON:
            wrong = settled(victim, victim.run()["run"])
            if wrong:
                return [wrong]
        elif code not in (world.DONE, victim.code, *KILLED):
            return ["exit %d: %s" % (code, text)]
    return ["no end after 12 resumes: " + text]


def carry_out(victim, point, again, control):
    """(fired, what went wrong)"""
    victim.kept = point.kept
    victim.prepare()
    for command in range(point.command):
        victim.type(command)
    code, text = victim.type(point.command, strace(point.call, point.n))
    if code not in KILLED:
        expect = victim.typed()[point.command][1]
        return False, [] if code == expect else ["exit %d without being killed: %s" % (code, text)]
    if control:
        victim.forget()
        victim.type(0)
        return True, judge(victim)
    return True, resumed(victim, point.command, again) or judge(victim)


class Sweep:
    """Counts and tells."""

    def __init__(self, args, lab, folder):
        self.args, self.lab, self.folder = args, lab, folder
        self.dice = random.Random(args.seed)
        self.fired = self.violations = self.missed = self.number = 0

    def chosen(self, points):
        """In an order that leaves a fair sample behind wherever it is ended."""
        if self.args.only:
            return [point_of(self.args.only)]
        points = self.dice.sample(points, len(points) if self.args.all else min(self.args.points, len(points)))
        first, of = map(int, self.args.shard.split("/"))
        return points[first - 1::of]

    def again(self, points):
        if self.args.only:
            return point_of(self.args.then)[2:] if self.args.then else None
        point = self.dice.choice(points)
        return point[2:] if self.args.twice or self.dice.random() < 0.3 else None

    def go_through(self, victim):
        points = index(victim, False) + (index(victim, True) if self.args.all and victim.twice else [])
        chosen = self.chosen(points)
        print("# %s: %d of %d points" % (victim.name, len(chosen), len(points)), flush=True)
        for point in chosen:
            again = self.again(points)
            fired, wrong = carry_out(victim, point, again, self.args.control)
            self.fired, self.missed = self.fired + fired, self.missed + (not fired)
            self.violations += bool(wrong)
            if not self.args.control:
                self.tell(victim, point, again, fired, wrong)

    def tell(self, victim, point, again, fired, wrong):
        self.number += 1
        then = "" if not again else ", then at 0:%s:%d" % again
        print("%s %d - %s killed at %s%s%s" % ("not ok" if wrong else "ok", self.number, victim.name, told(point), then,
                                             "" if fired else " # SKIP it did not get there this time"))
        for line in wrong:
            print("# " + "\n# ".join(line.splitlines()))
        if wrong and self.args.keep:
            run = victim.run()
            print(victim.call("show", run["run"])[1] if run else "", *victim.effects(), sep="\n# ")
        sys.stdout.flush()

    def end(self):
        if self.args.control:
            self.number = 1
            print("%s 1 - a tool without memory is caught (%d of %d points)"
                  % ("ok" if self.violations else "not ok", self.violations, self.fired))
        self.number += 1
        enough = self.fired and self.missed <= max(2, (self.fired + self.missed) // 3)
        print("%s %d - the victims died: %d of %d" % ("ok" if enough else "not ok", self.number, self.fired, self.fired + self.missed))
        print("1..%d" % self.number)
        return 0 if enough and bool(self.violations) == self.args.control else 1


def main():
    args = argparse.ArgumentParser(usage=__doc__.split("\n")[0][7:])
    args.add_argument("--points", type=int, default=24)
    args.add_argument("--all", action="store_true")
    args.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    args.add_argument("--playbook", action="append", choices=[k.name for k in victims.KINDS])
    args.add_argument("--shard", default="1/1")
    args.add_argument("--twice", action="store_true")
    args.add_argument("--control", action="store_true")
    args.add_argument("--only")
    args.add_argument("--then", help="with --only: where the resume is killed")
    args.add_argument("--keep", action="store_true", help="show the run and the ledger of what went wrong")
    args = args.parse_args()
    if not shutil.which("strace"):
        print("1..0 # SKIP no strace here")
        return 0
    lab, folder = world.load_lab(), tempfile.mkdtemp(prefix="rbx-sweep-")
    os.chmod(folder, 0o700)
    print("# seed %d" % args.seed, flush=True)
    sweep = Sweep(args, lab, folder)
    try:
        for kind in victims.KINDS:
            if not args.playbook or kind.name in args.playbook:
                sweep.go_through(kind(lab, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lab.sites[0].start()
    return sweep.end()


if __name__ == "__main__":
    sys.exit(main())
