"""Rows 25 to 30 of the security checklist, each as a test of its class: files, other users and processes around the whole
binary. Each row also shows that the same thing passes where it is allowed."""
import contextlib
import fcntl
import grp
import http.server
import json
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import world
from world import CANCELLED, DONE, PERSON, WRONG

CANARY = "kanarienvogel-7f3a"
TRUE = "rbx: 1\nname: t\nsteps:\n  - {id: a, exec: {argv: ['true']}, effect: pure}\n"
PEOPLE = ("daemon", "bin", "sys")


class SecurityFiles(world.Scenario):
    def file(self, name):
        return os.path.join(self.dir, name)

    def there(self, name):
        return os.path.lexists(self.file(name))

    def refused(self, *args, why, expect=WRONG, **env):
        begun = time.monotonic()
        done = self.rbx(*args, expect=expect, **env)
        self.assertRegex(done.stdout + done.stderr, why)
        self.assertLess(time.monotonic() - begun, 20, "it hung")
        return done

    def objects(self, listed, data=b"x"):
        """A place that passes for S3: lists any keys, gives any object."""
        class Place(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = data
                if "list-type" in self.path:
                    body = ("<ListBucketResult><IsTruncated>false</IsTruncated>%s</ListBucketResult>" % "".join(
                        "<Contents><Key>%s</Key><Size>%d</Size><ETag>\"e\"</ETag><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
                        % (key, len(data)) for key in listed)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("ETag", '"e"')
                self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
                self.end_headers()
                if self.command == "GET":
                    with contextlib.suppress(OSError):
                        self.wfile.write(body)
            do_HEAD = do_GET

            def log_message(self, *args):
                pass
        place = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Place)
        threading.Thread(target=place.serve_forever, daemon=True).start()
        self.addCleanup(place.server_close)
        self.addCleanup(place.shutdown)
        return {"AWS_ENDPOINT_URL": "http://127.0.0.1:%d" % place.server_port, "AWS_ACCESS_KEY_ID": "a" * 20, "AWS_SECRET_ACCESS_KEY": "b" * 40,
                "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1"}

    # 25, 26

    def test_c25_no_key_and_no_link_leads_outside(self):
        down, outside = self.file("down"), self.file("outside")
        os.mkdir(down)
        os.mkdir(outside)
        os.symlink(outside, os.path.join(down, "link"))
        sync = "steps:\n  - {id: a, retry: {attempts: 1}, s3_sync: {from: 's3://bucket/p/', to: %s}, undo: none}\n" % down
        for key in ("p/../../outside/x", "p/../outside/x", "p//etc/cron.d/x", "p/a/../../../outside/x", "p/link/x", "p/./x"):
            with self.subTest(key=key):
                done = self.play(sync, expect=None, **self.objects([key]))
                self.assertNotEqual(done.returncode, DONE, done.stdout)
                self.assertEqual(os.listdir(outside), [])
                self.assertEqual(os.listdir(down), ["link"])
        os.unlink(os.path.join(down, "link"))
        self.play(sync, **self.objects(["p/a/b"]))
        self.assertTrue(os.path.exists(os.path.join(down, "a/b")))

    def test_c25_no_link_of_the_kernel_is_followed(self):
        self.write("x", "plain")
        for path in ("/proc/self/root%s" % self.file("plain"), "/proc/self/cwd/README.md", "/proc/self/fd/0"):
            with self.subTest(path=path):
                done = self.play("steps:\n  - {id: a, %s}" % (
                    "retry: {attempts: 1}, s3_put: {from: '%s', to: 's3://bucket/x'}, undo: none" % path), expect=None, **self.objects([]))
                self.assertNotEqual(done.returncode, DONE, done.stdout)
        done = self.play("steps:\n  - {id: a, retry: {attempts: 1}, s3_put: {from: '%s', to: 's3://bucket/x'}, undo: none}" % self.file("plain"),
                         expect=None, **self.objects([]))
        self.assertNotIn("symbolic", done.stdout)

    # 27

    def pretend(self, kind, path):
        if kind == "folder":
            os.mkdir(path)
        elif kind == "fifo":
            os.mkfifo(path)
        else:
            target = self.file("victim")
            with open(target, "w") as f:
                f.write("victim")
            (os.symlink if kind == "symlink" else os.link)(target, path)

    def test_c27_what_waits_at_a_name_of_the_store_is_refused(self):
        path = self.write(TRUE)
        self.rbx("run", path)
        names = [n for n in os.listdir(self.store) if os.path.isfile(os.path.join(self.store, n))]
        names = sorted({*names, "store.db", "store.db-wal", "store.db-shm", "store.lock"})
        for name in names:
            for kind in ("folder", "fifo", "symlink", "link"):
                with self.subTest(name=name, kind=kind):
                    store = self.file("other-%s-%s" % (name, kind))
                    os.mkdir(store, 0o700)
                    self.pretend(kind, os.path.join(store, name))
                    self.refused("run", path, "--store", store, why="is not a plain file with one name")
                    if kind in ("symlink", "link"):
                        self.assertEqual(open(self.file("victim")).read(), "victim")
                        os.unlink(self.file("victim"))

    def test_c27_what_waits_where_something_is_written_is_refused(self):
        env = self.objects(["x"])
        for kind, why in (("folder", "folder"), ("fifo", "FIFO"), ("symlink", "symbolic link")):
            with self.subTest(kind=kind):
                path = self.file("to-" + kind)
                self.pretend(kind, path)
                done = self.play("steps:\n  - {id: a, timeout: 20s, retry: {attempts: 1}, s3_get: {from: 's3://bucket/x', to: '%s'}, undo: none}" % path,
                                 expect=None, **env)
                self.assertNotEqual(done.returncode, DONE, done.stdout)
                self.assertIn(why, done.stdout)
                self.refused("backup", path, why=".", expect=None)
                self.assertEqual((os.path.isdir(path), os.path.islink(path)), (kind == "folder", kind == "symlink"))
        self.assertEqual(open(self.file("victim")).read(), "victim")
        self.play("steps:\n  - {id: a, s3_get: {from: 's3://bucket/x', to: '%s'}, undo: none}" % self.file("new"), **env)
        self.assertEqual(os.stat(self.file("new")).st_mode & 0o777, 0o600)

    def test_c27_nothing_that_is_read_hangs_on_a_fifo(self):
        fifo = self.file("fifo")
        os.mkfifo(fifo, 0o600)
        path = self.write(TRUE)
        self.refused("run", fifo, why="no regular file")
        self.refused("validate", fifo, why="no regular file")
        self.refused("run", path, "--inputs", fifo, why="no regular file")
        for steps in ("secrets: {k: {file: '%s'}}\nsteps:\n  - {id: a, exec: {argv: ['true'], env: {K: '${{ secrets.k }}'}}, effect: pure}" % fifo,
                      "steps:\n  - {id: a, retry: {attempts: 1}, http_check: {url: 'https://127.0.0.1:1/', ca: '%s'}}" % fifo,
                      "steps:\n  - {id: a, retry: {attempts: 1}, tls_check: {host: 127.0.0.1, port: 1, ca: '%s'}}" % fifo,
                      "steps:\n  - {id: a, retry: {attempts: 1}, s3_put: {from: '%s', to: 's3://bucket/x'}, undo: none}" % fifo,
                      "steps:\n  - {id: a, playbook: {file: fifo}}"):
            with self.subTest(steps=steps):
                begun = time.monotonic()
                done = self.play(steps, expect=None, **self.objects([]))
                self.assertNotEqual(done.returncode, DONE, done.stdout)
                self.assertLess(time.monotonic() - begun, 20)

    def test_c27_files_of_secrets_are_private_and_gone(self):
        place = self.file("tmp")
        os.mkdir(place, 0o700)
        for kind in ("folder", "fifo", "symlink"):                # names that rbx would take for its own, left by others
            self.pretend(kind, os.path.join(place, "rbx-files-" + kind))
        text = """
            secrets: {key: {env: CANARY}}
            steps:
              - id: a
                exec: {shell: 'stat -c "%%a %%h %%u" "$FILE" "${FILE%%/*}" >mode; echo "$FILE" >name; %s', files: {FILE: '${{ secrets.key }}'}}
                effect: pure
                retry: {attempts: 1}
        """
        self.play(text % "true", CANARY=CANARY, TMPDIR=place, XDG_RUNTIME_DIR=place)
        with open(self.file("mode")) as f, open(self.file("name")) as g:
            name = g.read().strip()
            self.assertEqual(f.read().split(), ["600", "1", str(os.getuid()), "700", "2", str(os.getuid())])
        self.assertTrue(name.startswith(place + "/rbx-files-"))
        self.assertFalse(os.path.exists(name) or os.path.exists(os.path.dirname(name)))
        path = self.write(("rbx: 1\nname: t\n" + text.strip("\n") % "sleep 60").replace("\n            ", "\n").replace("            secrets", "secrets"))
        os.unlink(self.file("name"))
        child = self.start("run", path, CANARY=CANARY, TMPDIR=place, XDG_RUNTIME_DIR=place)
        self.wait(lambda: self.there("name") and open(self.file("name")).read().strip(), "the program")
        left = os.path.dirname(open(self.file("name")).read().strip())
        child.kill()
        child.communicate()
        self.assertTrue(os.path.isdir(left))                      # nobody could remove it: the next one does
        self.play(text % "true", CANARY=CANARY, TMPDIR=place, XDG_RUNTIME_DIR=place)
        self.assertFalse(os.path.exists(left))

    # 28

    def shared_group(self):
        """A group with somebody in it, and one with nobody."""
        members = {}
        for user in pwd.getpwall():
            members.setdefault(user.pw_gid, set()).add(user.pw_name)
        for group in grp.getgrall():
            members.setdefault(group.gr_gid, set()).update(group.gr_mem)
        others = {g: names - {pwd.getpwuid(os.getuid()).pw_name, "root"} for g, names in members.items()}
        return next(g for g, names in others.items() if names), next(g for g, names in others.items() if not names)

    def test_c28_what_others_may_write_is_refused(self):
        path, inputs = self.write(TRUE), self.write("{}\n", "inputs.yaml")
        self.rbx("run", path, "--inputs", inputs)
        for name in (path, inputs, self.store, os.path.join(self.store, "store.lock")):
            kept = os.stat(name).st_mode & 0o7777
            with self.subTest(name=name, mode="everybody's"):
                os.chmod(name, kept | 0o002)
                self.refused("run", path, "--inputs", inputs, why="everybody may write it")
                os.chmod(name, kept)
            if os.getuid() != 0:
                continue
            shared, alone = self.shared_group()
            with self.subTest(name=name, owner="nobody"):
                os.chown(name, pwd.getpwnam("nobody").pw_uid, -1)
                self.refused("run", path, "--inputs", inputs, why="neither you nor root")
                os.chown(name, 0, -1)
            with self.subTest(name=name, group="shared"):
                os.chown(name, -1, shared)
                os.chmod(name, kept | 0o020)
                self.refused("run", path, "--inputs", inputs, why="which has other members")
            with self.subTest(name=name, group="of one"):
                os.chown(name, -1, alone)
                self.rbx("run", path, "--inputs", inputs)
            os.chown(name, -1, 0)
            os.chmod(name, kept)
        self.rbx("run", path, "--inputs", inputs)

    def test_c28_what_was_read_is_what_runs(self):
        self.write("rbx: 1\nname: called\nsteps:\n  - {id: c, exec: {argv: [touch, called-first]}, undo: none}\n", "called.yaml")
        text = """
            rbx: 1
            name: t
            steps:
              - {id: a, exec: {shell: 'echo x >begun; while ! [ -e go ]; do sleep 0.05; done'}, effect: pure}
              - {id: b, exec: {argv: [touch, first]}, undo: none}
              - {id: c, playbook: {file: called.yaml}}
        """
        path = self.write(text)
        child = self.start("run", path)
        self.wait(lambda: self.there("begun"), "the first step")
        self.write(text.replace("touch, first", "touch, second"))
        self.write("rbx: 1\nname: called\nsteps:\n  - {id: c, exec: {argv: [touch, called-second]}, undo: none}\n", "called.yaml")
        self.write("", "go")
        out, _ = child.communicate(timeout=60)
        self.assertEqual(child.returncode, DONE, out)
        self.assertEqual([self.there(n) for n in ("first", "second", "called-first", "called-second")], [True, False, True, False])

    # 29

    def test_c29_a_child_has_three_files_and_nothing_of_ours(self):
        self.play("""
            steps:
              - {id: a, exec: {shell: 'ls /proc/$$/fd; cat /proc/$$/status; cut -d" " -f6 /proc/$$/stat; echo $$; env >env' }, effect: pure}
        """, SECRET_OF_THE_SHELL=CANARY, LD_LIBRARY_PATH="/nowhere")
        text = self.rbx("logs", "last", "a").stdout
        lines = [l.split(": ", 1)[-1].strip() if l.startswith("a: ") else l.strip() for l in text.splitlines()]
        self.assertEqual(lines[:3], ["0", "1", "2"])
        self.assertFalse(lines[3].isdigit(), lines)
        fields = dict(l.split(":\t", 1) for l in lines if ":\t" in l)
        self.assertEqual([int(fields[f], 16) for f in ("SigBlk", "SigIgn", "SigCgt")][:2], [0, 0])
        self.assertEqual(lines[-2].strip(), lines[-1].strip())
        with open(self.file("env")) as f:
            env = f.read()
        self.assertNotIn(CANARY, env)
        self.assertNotIn("LD_LIBRARY_PATH", env)
        self.assertIn("PATH=", env)

    GUARDED = (["list"], ["show", "last"], ["logs", "last"], ["verify", "last"], ["validate", "PLAYBOOK"], ["graph", "PLAYBOOK"], ["steps"],
               ["schema"], ["eval", "1+1"], ["eval", "--run", "last", "run"], ["help"])

    def status_of(self, args):
        """What the kernel says of a command that cannot go on, for nobody reads what it prints."""
        ours, theirs = os.pipe()
        fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(theirs, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(theirs, b"x" * 4096)
        os.set_blocking(theirs, True)
        child = subprocess.Popen([world.RBX, *args], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=self.env(), cwd=world.ROOT)
        os.close(theirs)
        fields = {}
        try:
            def waits():
                with open("/proc/%d/wchan" % child.pid) as f:
                    stands = "pipe" in f.read()
                with open("/proc/%d/status" % child.pid) as f:
                    fields.update(l.rstrip("\n").split(":\t", 1) for l in f if ":\t" in l)
                return stands or fields["State"].startswith("Z")
            self.wait(waits, "a write of " + " ".join(args))
        finally:
            with open(ours, "rb") as f:
                f.read()
            child.wait()
        return fields

    def test_c29_commands_that_only_read_are_confined(self):
        path = self.write(TRUE)
        self.rbx("run", path)
        for args in self.GUARDED:
            with self.subTest(command=args):
                fields = self.status_of([path if a == "PLAYBOOK" else a for a in args])
                self.assertEqual((fields["NoNewPrivs"], fields["Seccomp"]), ("1", "2"))
        child = self.start("run", self.write("rbx: 1\nname: t\nsteps:\n  - {id: a, exec: {argv: [sleep, '30']}, effect: pure}\n", "sleeps.yaml"))
        self.wait(lambda: "Seccomp:\t" in open("/proc/%d/status" % child.pid).read(), "the control")
        with open("/proc/%d/status" % child.pid) as f:
            self.assertIn("Seccomp:\t0", f.read())
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=60)

    def test_c29_a_guarded_command_begins_its_store_and_no_other(self):
        self.assertIn("no runs", self.rbx("list").stdout)
        os.rename(self.store, self.store + "-1")
        self.rbx("eval", "1+1")
        self.assertFalse(os.path.exists(self.store))
        self.rbx("run", self.write(TRUE))
        self.rbx("list")

    # 30

    def test_c30_an_id_is_no_path_and_no_query(self):
        self.play("steps:\n  - {id: a, exec: {argv: ['true']}, effect: pure}")
        for word in ("x';drop table run;--", "../x", "a/b", "", "x" * 65, ".hidden", "x\ny", "%s%n", "' or '1'='1"):
            for args in (["show", word], ["resume", word], ["logs", word], ["verify", word], ["cancel", word], ["approve", word, "a"],
                         ["resolve", word, "a", "--done", "--reason", "x"], ["tick", word, "1"], ["undo", word]):
                with self.subTest(args=args):
                    self.rbx(*args, expect=WRONG)
        for step in ("x';drop table run;--", "../a", "", "no"):
            with self.subTest(step=step):
                self.rbx("approve", "last", step, expect=WRONG)
        for name in ("a b", "../x", "x" * 65, "ä", "-a", ""):
            with self.subTest(id=name):
                self.play("steps:\n  - {id: '%s', wait: {for: 1ms}}" % name, expect=WRONG)
        self.assertEqual(len(self.runs()), 1)

    # 30: a store of several persons

    def as_user(self, name, *args, **env):
        """rbx as one of the system's own users, in the group of the letters."""
        user = pwd.getpwnam(name)
        if not hasattr(self, "copy"):
            self.copy = self.file("rbx")
            shutil.copy(world.RBX, self.copy)
            os.chmod(self.copy, 0o755)
        return subprocess.run(["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--groups", "%d,%d" % (user.pw_gid, self.gid),
                               self.copy, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=self.env(**env), cwd="/", timeout=60)

    def shared_store(self):
        if os.getuid() != 0 or not shutil.which("setpriv"):
            self.skipTest("only root gives a store to a group")
        self.gid = grp.getgrnam("users").gr_gid
        os.chmod(self.dir, 0o711)
        os.mkdir(self.store, 0o750)
        os.chown(self.store, 0, self.gid)
        letters = os.path.join(self.store, "letters")
        os.mkdir(letters)
        os.chown(letters, 0, self.gid)
        os.chmod(letters, 0o3770)
        return letters

    ASKED = "rbx: 1\nname: t\nsteps:\n  - {id: a, confirm: {text: 'really?', at_least: 2}, exec: {argv: [touch, a]}, undo: none}\n"

    def test_c30_a_group_answers_by_letters(self):
        letters = self.shared_store()
        path = self.write(self.ASKED)
        self.rbx("run", path, expect=PERSON)
        run = self.last()
        for args in (["list"], ["show", run], ["show", run, "--json"], ["verify", run], ["logs", run]):
            done = self.as_user("daemon", *args)
            self.assertEqual(done.returncode, DONE, (args, done.stdout + done.stderr))
        for args in (["run", path], ["resume", run], ["undo", run], ["tick", run, "1"]):
            with self.subTest(args=args):
                self.assertNotEqual(self.as_user("daemon", *args).returncode, DONE)
        self.assertEqual(self.as_user("daemon", "approve", run, "a").returncode, DONE)
        self.rbx("resume", run, expect=PERSON)
        self.assertEqual(os.listdir(letters), [])
        self.assertIn("daemon", self.rbx("show", run).stdout)
        self.assertFalse(self.there("a"))
        done = self.as_user("daemon", "approve", run, "a")                # the same person once more
        self.assertNotEqual(done.returncode, DONE, done.stdout)
        done = self.as_user("bin", "approve", run, "a")
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.rbx("resume", run)
        self.assertTrue(self.there("a"))
        with contextlib.closing(sqlite3.connect(os.path.join(self.store, "store.db"))) as db:
            said = [json.loads(body) for (body,) in db.execute("SELECT body FROM record WHERE kind = 'answer' ORDER BY seq")]
        self.assertEqual([(a["by"]["uid"], a["by"]["person"], a["by"]["known_by"]) for a in said],
                         [(pwd.getpwnam(n).pw_uid, n, "file") for n in ("daemon", "bin")])

    def test_c30_a_letter_reaches_a_run_that_is_alive(self):
        self.shared_store()
        child = self.start("run", self.write("rbx: 1\nname: t\nsteps:\n  - {id: a, wait: {for: 50s}}\n"))
        self.wait(lambda: os.path.exists(os.path.join(self.store, "store.db")) and self.runs(), "the run")
        done = self.as_user("daemon", "cancel", self.last(), "--reason", "enough")
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.assertIn("sent to run", done.stdout)
        child.communicate(timeout=40)
        self.assertEqual(child.returncode, CANCELLED)

    def test_c30_nobody_answers_in_anothers_name(self):
        letters = self.shared_store()
        self.rbx("run", self.write(self.ASKED), expect=PERSON)
        run = self.last()
        self.assertEqual(self.as_user("daemon", "approve", run, "a").returncode, DONE)
        (name,) = os.listdir(letters)
        with open(os.path.join(letters, name)) as f:
            body = f.read()

        def forge(kind, text):
            """A letter of daemon again, made by the hand of `bin` or as what is no letter; another's name in it does not count."""
            path = os.path.join(letters, "%s:%s" % (run, kind))
            if kind == "link":
                os.link(os.path.join(letters, name), path)
            elif kind == "symlink":
                os.symlink(os.path.join(letters, name), path)
            elif kind == "fifo":
                os.mkfifo(path)
            else:
                with open(path, "w") as f:
                    f.write(text)
            if kind not in ("link", "symlink"):
                os.chown(path, pwd.getpwnam("daemon").pw_uid, self.gid)
            return path
        forge("again", body)
        forge("claims", json.dumps(dict(json.loads(body), by={"uid": 2, "person": "bin"}, uid=2, user="bin", person="bin")))
        for kind in ("fifo", "symlink"):
            forge(kind, "")
        forge("large", "x" * 100000)
        forge("garbage", "{")
        self.rbx("resume", run, expect=PERSON)
        self.assertFalse(self.there("a"))
        steal = subprocess.run(["setpriv", "--reuid", "bin", "--regid", "bin", "--groups", str(self.gid), "sh", "-c",
                                'rm -f "$1"; echo x >"$2/store.db"; touch "$2/x"', "sh", forge("mine", body), self.store], capture_output=True, text=True)
        self.assertEqual(steal.stderr.count("Permission denied") + steal.stderr.count("not permitted"), 3, steal.stderr)
        self.rbx("verify", run)

    def test_c30_a_folder_of_letters_of_everybody_is_refused(self):
        letters = self.shared_store()
        path = self.write(TRUE)
        for mode in (0o3777, 0o2770, 0o700):
            os.chmod(letters, mode)
            self.refused("run", path, why="letters/ is not .* mode 3770")
        os.chmod(letters, 0o3770)
        self.rbx("run", path)

    def test_c30_validate_says_what_the_question_needs(self):
        path = self.write(self.ASKED)
        self.assertIn("asks who answers", self.rbx("validate", path).stderr)
        self.shared_store()
        self.assertNotIn("asks who answers", self.rbx("validate", path).stderr)
