"""The security checklist, rows 9, 10 and 13: what processes show of a secret. docs/security.md names the test of each row."""
import ctypes
import errno
import glob
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import world

CANARY = "kanarienvogel-7f3a"
NOBODY = 65534
PTRACE_ATTACH, PTRACE_DETACH = 16, 17


# What a child gets, what a shell adds for its own children, and what libpq's tools are told besides.
GIVEN = {"PATH", "HOME", "USER", "LANG", "TZ", "TERM", "TMPDIR", "SSH_AUTH_SOCK", "RBX_RUN", "RBX_KEY", "PWD", "OLDPWD", "SHLVL", "_"}
LIBPQ = {"PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSFILE", "PGSSLMODE", "PGSSLROOTCERT", "PGCONNECT_TIMEOUT", "PGAPPNAME",
         "PGSYSCONFDIR", "PGLOCALEDIR", "PGCLUSTER"}                       # by the wrapper of Debian
EXECVE = re.compile(r'execve\("((?:[^"\\]|\\.)*)", \[(.*?)\], \[(.*)\]')
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"')


@unittest.skipUnless(shutil.which("strace"), "no strace")
class Children(world.Scenario):
    """Every program that is started, with all its arguments and its whole environment."""
    in_lab = True

    def traced(self, *args, expect=world.DONE, **env):
        """The programs that rbx started, itself apart: [(argv, environment)]. A sanitizer cannot look for leaks beside strace."""
        out, env = self.file("trace"), {"ASAN_OPTIONS": "detect_leaks=0", **env}
        done = subprocess.run(["strace", "-f", "-v", "-s", "65536", "-qq", "-e", "trace=execve", "-o", out, world.RBX, *args],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, env=self.env(**env), cwd=world.ROOT, timeout=100)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        with open(out, encoding="utf-8", errors="replace") as f:
            found = [EXECVE.search(line) for line in f if "execve(" in line and "resumed" not in line]
        self.assertNotIn(None, found)
        started = [(WORD.findall(m[2]), WORD.findall(m[3])) for m in found]
        self.assertEqual(started[0][0][0], world.RBX)
        return started[1:]

    def secrets(self):
        names = "PROD_DB_PASSWORD", "STAGING_DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "SLACK_WEBHOOK_URL", "SMTP_PASSWORD"
        values = [os.environ[n] for n in names]
        return values + [os.environ["SLACK_WEBHOOK_URL"].rsplit("/", 1)[1], CANARY]

    def hits(self, words):
        return [w for w in words for s in self.secrets() for form in world.forms(s) if form in w]

    def judge(self, started, named=()):
        """No secret in an argument; none in an environment but in variables that the step names; no variable but the listed."""
        for argv, environ in started:
            self.assertFalse(self.hits(argv), argv)
            names = {e.split("=")[0] for e in environ}
            self.assertFalse(self.hits(e for e in environ if e.split("=")[0] not in named), argv)
            own = {n for n in names if not n.startswith("LC_")} - GIVEN - set(named)
            self.assertFalse(own - (LIBPQ if "pg_" in argv[0] or argv[0].startswith("psql") else set()), argv)

    def test_c09_the_playbooks_hand_no_secret_to_anybody(self):
        started = self.traced("run", "playbooks/db-sync.yaml", "--inputs", self.inputs, "--yes")
        self.assertTrue([e for argv, e in started if "pg_restore" in argv[0] and [v for v in e if v.startswith("PGPASSFILE=")]], started)
        self.judge(started)
        self.judge(self.traced("run", "playbooks/staging-readiness.yaml", "--inputs", self.inputs))
        self.break_production()
        self.judge(self.traced(*self.failover_args("--yes")))
        self.lab.sites[0].start()
        self.judge(self.traced("run", "playbooks/rollback-to-production.yaml", "--inputs", self.inputs, expect=world.PERSON))

    def test_c10_a_secret_reaches_whom_the_step_names(self):
        """By env, files or stdin; the files that hold it are private."""
        path = self.write("""
            rbx: 1
            name: test
            secrets: {key: {env: CANARY}, told: {command: [printf, '%s-told', kanarien]}}
            steps:
              - {id: by_env, exec: {shell: 'test "$KEY" = "$1"', args: [kanarienvogel-7f3a], env: {KEY: '${{ secrets.key }}'}}, effect: pure}
              - {id: by_file, exec: {shell: 'test "$(stat -c %a "$KEY_FILE")" = 600 && grep -q kanarien "$KEY_FILE"', files: {KEY_FILE: '${{ secrets.key }}'}}, effect: pure}
              - {id: by_stdin, exec: {shell: 'grep -q kanarien', stdin: '${{ secrets.key }}'}, effect: pure}
              - {id: not_at_all, exec: {shell: '! env | grep -q vogel'}, effect: pure}
              - {id: passed, exec: {shell: 'test "$OTHER" = yes', pass_env: [OTHER]}, effect: pure}
        """)
        started = self.traced("run", path, CANARY=CANARY, OTHER="yes")
        with self.assertRaises(AssertionError, msg="the control: an argument that holds it is seen"):
            self.judge(started, ("KEY", "KEY_FILE", "OTHER"))
        quiet = [(argv, e) for argv, e in started if CANARY not in argv]
        self.judge(quiet, ("KEY", "KEY_FILE", "OTHER"))
        holders = [argv for argv, e in started if self.hits(e)]
        self.assertTrue(holders)
        self.assertTrue(all("$KEY" in argv[3] for argv in holders if argv[0] == "/bin/sh"), holders)

    def test_c10_no_live_child_shows_it_in_proc(self):
        """The environment of all that runs, read while it runs, by root's eyes where root asks."""
        path = self.write("""
            rbx: 1
            name: test
            secrets: {key: {env: CANARY}}
            steps:
              - {id: a, exec: {shell: 'cat >/dev/null; cat "$F" >/dev/null; >here; sleep 60 & wait', stdin: '${{ secrets.key }}', files: {F: '${{ secrets.key }}'}}, effect: pure}
        """)
        child = self.start("run", path, CANARY=CANARY)
        self.wait(lambda: self.there("here"), "the step")
        tree, seen = self.tree(child.pid), []
        self.assertGreaterEqual(len(tree), 2)
        for pid in tree:
            for name in ("environ", "cmdline"):
                with open("/proc/%d/%s" % (pid, name), encoding="utf-8", errors="replace") as f:
                    seen.append(f.read())
        self.assertFalse(self.hits(seen))
        self.assertTrue([s for s in seen if "RBX_KEY=" in s], "the control: these are its environments")
        child.terminate()
        child.wait()

    def tree(self, pid):
        """All below a process."""
        found = []
        for folder in glob.glob("/proc/%d/task/*/children" % pid):
            with open(folder, encoding="ascii") as f:
                for below in map(int, f.read().split()):
                    found += [below, *self.tree(below)]
        return found


class Memory(unittest.TestCase):
    """A process that holds a secret and waits, and somebody of the same user who is after it."""
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="rbx-scenario-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        self.rbx = os.path.join(self.dir, "rbx")
        shutil.copy(world.RBX, self.rbx)
        with open(os.path.join(self.dir, "p.yaml"), "w", encoding="utf-8") as f:
            f.write("rbx: 1\nname: test\nsecrets: {key: {env: CANARY}}\nsteps:\n"
                    "  - {id: a, exec: {shell: '>here; sleep 60', env: {KEY: '${{ secrets.key }}'}}, effect: pure}\n")
        os.chmod(os.path.join(self.dir, "p.yaml"), 0o644)
        for name in ("home", "."):
            path = os.path.join(self.dir, name)
            os.makedirs(path, 0o700, True)
            if self.user:
                os.chown(path, NOBODY, NOBODY)

    def start(self, *argv):
        most = resource.getrlimit(resource.RLIMIT_CORE)[1]
        limits = lambda: resource.setrlimit(resource.RLIMIT_CORE, (most, most))
        child = subprocess.Popen(argv, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 env={"CANARY": CANARY, "HOME": os.path.join(self.dir, "home"), "PATH": os.environ["PATH"],
                                      "RBX_STORE": os.path.join(self.dir, "home/runs")}, preexec_fn=limits, **self.user)
        self.addCleanup(lambda: (child.poll() is None and child.kill(), child.wait()))
        return child

    def rbx_that_waits(self):
        child = self.start(self.rbx, "run", "p.yaml")
        end = time.monotonic() + 30
        while not os.path.exists(os.path.join(self.dir, "here")):
            self.assertIsNone(child.poll(), "it has ended")
            self.assertLess(time.monotonic(), end, "the step did not begin")
            time.sleep(0.02)
        return child

    def other(self):
        """Something of the same user that guards nothing."""
        child = self.start("sleep", "60")
        time.sleep(0.1)
        return child

    def as_user(self, work):
        """The errno with which `work` ends in a process of that user; 0: it went well."""
        pid = os.fork()
        if pid == 0:
            code = 0
            try:
                if self.user:
                    os.setgroups([])
                    os.setresgid(NOBODY, NOBODY, NOBODY)
                    os.setresuid(NOBODY, NOBODY, NOBODY)
                work()
            except OSError as e:
                code = e.errno
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_c13_nobody_of_the_same_user_looks_inside(self):
        """ptrace, the memory and the environment are refused, as they are not of any other process."""
        libc = ctypes.CDLL(None, use_errno=True)

        def attach(pid):
            if libc.ptrace(PTRACE_ATTACH, pid, None, None) != 0:
                raise OSError(ctypes.get_errno(), "ptrace")
            os.waitpid(pid, 0)
            libc.ptrace(PTRACE_DETACH, pid, None, None)

        ways = {"ptrace": attach, "mem": lambda pid: open("/proc/%d/mem" % pid, "rb").close(),
                "environ": lambda pid: open("/proc/%d/environ" % pid, "rb").read(),
                "maps": lambda pid: open("/proc/%d/maps" % pid, "rb").read(),
                "fd": lambda pid: os.listdir("/proc/%d/fd" % pid)}
        rbx, other = self.rbx_that_waits().pid, self.other().pid
        for name, way in ways.items():
            with self.subTest(name):
                self.assertIn(self.as_user(lambda: way(rbx)), (errno.EPERM, errno.EACCES))
                self.assertEqual(self.as_user(lambda: way(other)), 0, "the control")

    @unittest.skipUnless(shutil.which("gcore"), "no gcore")
    def test_c13_gcore_gets_nothing(self):
        def dump(pid):
            done = subprocess.run(["gcore", "-o", os.path.join(self.dir, "home/core"), str(pid)], capture_output=True, text=True, **self.user)
            return done.stdout + done.stderr, os.path.exists(os.path.join(self.dir, "home/core.%d" % pid))
        told, there = dump(self.rbx_that_waits().pid)
        self.assertIn("Operation not permitted", told)
        self.assertFalse(there)
        self.assertTrue(dump(self.other().pid)[1], "the control")

    @unittest.skipIf(world.SANITIZED, "the sanitizer answers signals itself")
    def test_c13_a_crash_leaves_no_core(self):
        """Though the limit of who started it allows one."""
        def dumped(child):
            before = set(os.listdir(self.dir))
            child.send_signal(signal.SIGSEGV)
            status = os.waitpid(child.pid, 0)[1]
            child.returncode = -signal.SIGSEGV
            self.assertEqual(os.WTERMSIG(status), signal.SIGSEGV)
            return os.WCOREDUMP(status) or bool(set(os.listdir(self.dir)) - before)
        self.assertFalse(dumped(self.rbx_that_waits()))
        if not dumped(self.other()):
            self.skipTest("no process leaves a core here: there is no control")

    @unittest.skipIf(world.SANITIZED, "a sanitizer locks no memory")
    def test_c13_secrets_are_not_swapped(self):
        """They lie in memory that is locked, left out of a dump and not handed to a fork."""
        pid = self.rbx_that_waits().pid
        with open("/proc/%d/status" % pid, encoding="utf-8") as f:
            self.assertGreater(int(f.read().split("VmLck:")[1].split()[0]), 0)
        with open("/proc/%d/status" % self.other().pid, encoding="utf-8") as f:
            self.assertEqual(int(f.read().split("VmLck:")[1].split()[0]), 0, "the control")
        if os.getuid() != 0:
            self.skipTest("only root sees the flags of another's memory")
        with open("/proc/%d/smaps" % pid, encoding="utf-8") as f:
            flags = [line.split()[1:] for line in f if line.startswith("VmFlags:")]
        self.assertTrue([f for f in flags if {"lo", "dd", "wf"} <= set(f)], flags)
