"""Two PostgreSQL clusters with data. What initdb and the first load made is kept as a template, so that the next start is fast."""
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile

PASSWORDS = {"production": "lab-prod-password", "staging": "lab-staging-password"}
PORT = 15432
SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 32MB
max_connections = 60
min_wal_size = 2MB
max_wal_size = 64MB
autovacuum = off
log_min_messages = warning
ssl = on
ssl_cert_file = 'site.pem'
ssl_key_file = 'site.key'
"""
ACCESS = """
local all all scram-sha-256
host  all all 127.0.0.0/8 scram-sha-256
"""


class Trouble(Exception):
    pass


def binaries():
    for folder in ["/usr/lib/postgresql/15/bin"] + sorted(
            ("/usr/lib/postgresql/%s/bin" % v for v in (os.listdir("/usr/lib/postgresql")
             if os.path.isdir("/usr/lib/postgresql") else [])), reverse=True):
        if os.path.exists(folder + "/initdb"):
            return folder
    found = shutil.which("initdb")
    if found:
        return os.path.dirname(os.path.realpath(found))
    raise Trouble("PostgreSQL's server is not installed (Debian: apt install postgresql-15)")


def servant():
    """Who runs the server: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Trouble("neither a user postgres nor nobody is here")


def call(argv, text=""):
    who = servant()
    if who is not None:
        argv = ["setpriv", "--reuid=%d" % who.pw_uid, "--regid=%d" % who.pw_gid, "--clear-groups", "--"] + argv
    done = subprocess.run(argv, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/",
                          env=dict(os.environ, LC_ALL="C.UTF-8", HOME="/"))
    if done.returncode:
        raise Trouble("%s failed:\n%s" % (" ".join(argv), done.stdout))
    return done.stdout


def own(path):
    who = servant()
    if who is not None:
        for top, folders, files in os.walk(path):
            for name in [top] + [os.path.join(top, f) for f in files]:
                os.chown(name, who.pw_uid, who.pw_gid, follow_symlinks=False)


class Cluster:
    def __init__(self, name, net, certs):
        self.name, self.certs = name, certs
        self.address = "127.77.%d.%d" % (net, {"production": 2, "staging": 3}[name])
        # Not below the lab's folder: another user must reach it, and a socket's path is short.
        self.home = os.path.join(tempfile.gettempdir(), "rbx-lab-%d" % os.getuid(), "%d-%s" % (net, name))
        self.data = self.home + "/data"

    def template(self, cache):
        with open(os.path.join(os.path.dirname(__file__), "data.sql"), encoding="utf-8") as f:
            sql = f.read()
        mark = hashlib.sha256((sql + SETTINGS + ACCESS + self.name + PASSWORDS[self.name] + binaries()).encode()).hexdigest()[:16]
        path = os.path.join(cache, "postgres-%s-%s.tar" % (self.name, mark))
        if not os.path.exists(path):
            os.makedirs(cache, exist_ok=True)
            self._make(path, sql)
        return path

    def _make(self, path, sql):
        where = tempfile.mkdtemp(prefix="rbx-lab-make-")
        try:
            with open(where + "/password", "w") as f:
                f.write(PASSWORDS[self.name] + "\n")
            os.chmod(where, 0o755)
            os.mkdir(where + "/home")
            own(where)
            data = where + "/home/data"
            call([binaries() + "/initdb", "-D", data, "-N", "-U", "postgres", "--auth=scram-sha-256", "--wal-segsize=1",
                  "--pwfile=" + where + "/password", "-E", "UTF8", "--locale=C.UTF-8"])
            # The first load goes by the single-user server: no port, no password, no race.
            self._single(data, "postgres", "create database meshgen_db")
            share = 0.75 if self.name == "staging" else 1.0        # Staging is behind, as before the first sync
            self._single(data, "meshgen_db", sql.replace(":share", str(share)))
            with open(data + "/postgresql.conf", "a") as f:
                f.write(SETTINGS)
            with open(data + "/pg_hba.conf", "w") as f:
                f.write(ACCESS)
            subprocess.run(["tar", "-C", where + "/home", "-cf", path + ".new%d" % os.getpid(), "data"], check=True)
            os.rename(path + ".new%d" % os.getpid(), path)
        finally:
            shutil.rmtree(where, ignore_errors=True)

    @staticmethod
    def _single(data, db, sql):
        out = call([binaries() + "/postgres", "--single", "-j", "-F", "-D", data, db], sql.rstrip().rstrip(";") + ";\n\n")
        if "ERROR" in out or "FATAL" in out:
            raise Trouble("loading %s failed:\n%s" % (db, out))

    def make(self, cache):
        template = self.template(cache)
        shutil.rmtree(self.home, ignore_errors=True)
        os.makedirs(self.home)
        os.chmod(os.path.dirname(self.home), 0o755)
        done = subprocess.run(["tar", "-C", self.home, "-xf", template], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise Trouble("cannot unpack %s: %s" % (template, done.stdout[:500]))
        for name in ("site.pem", "site.key"):
            shutil.copy(os.path.join(self.certs, name), self.data)
            os.chmod(os.path.join(self.data, name), 0o600)
        own(self.home)
        os.chmod(self.data, 0o700)

    def start(self):
        call([binaries() + "/pg_ctl", "-D", self.data, "-w", "-t", "30", "-s", "-l", self.home + "/log", "-o",
              "-c listen_addresses=%s -c port=%d -c unix_socket_directories=%s" % (self.address, PORT, self.home), "start"])

    def running(self):
        try:
            with open(self.data + "/postmaster.pid") as f:
                os.kill(int(f.readline()), 0)
            return True
        except PermissionError:
            return True
        except (OSError, ValueError):
            return False

    def stop(self):
        if self.running():
            call([binaries() + "/pg_ctl", "-D", self.data, "-w", "-s", "-m", "immediate", "stop"])

    def clear(self):
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def sql(self, text, db="meshgen_db"):
        done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.address, "-p", str(PORT), "-U", "postgres",
                               "-d", db, "-c", text], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, env=dict(os.environ, PGPASSWORD=PASSWORDS[self.name]))
        if done.returncode:
            raise Trouble(done.stderr.strip())
        return done.stdout.strip()

    def reset(self):
        """Back to the first state without a new cluster: what db-sync makes and leaves is taken away."""
        names = self.sql("select datname from pg_database where datname like 'meshgen_db_%'", "postgres").split()
        for name in names:
            if name == "meshgen_db_old":
                self.sql('drop database if exists meshgen_db with (force)', "postgres")
                self.sql('alter database meshgen_db_old rename to meshgen_db', "postgres")
            else:
                self.sql('drop database "%s" with (force)' % name, "postgres")
        self.sql("drop table if exists rbx_dedup")
