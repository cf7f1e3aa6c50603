"""The lab's certificate authority and its web sites behind nginx."""
import os
import shutil
import signal
import socket
import subprocess
import time

NAMES = ["app.khorium.ai", "drill.khorium.ai", "split.khorium.ai", "pair.khorium.ai", "mail.lab",
         "*.us-west-1.elb.amazonaws.com", "*.us-west-2.elb.amazonaws.com", "*.us-east-1.elb.amazonaws.com", "*.cloudfront.net",
         "staging.khorium.ai", "api.honua.io", "test.api.honua.io", "bardhi.devops.konitron.com", "*.provability-fabric.org",
         "*.lab-dns.net", "localhost"]
CA_CONFIG = """
[ca]
default_ca = lab
[lab]
dir = {dir}
new_certs_dir = {dir}/issued
database = {dir}/index
serial = {dir}/serial
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[v3]
basicConstraints = CA:FALSE
subjectAltName = {names}
extendedKeyUsage = serverAuth
"""
SITE = """
{user}
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  server_tokens off;
  keepalive_timeout 5s;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3; uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
  ssl_protocols TLSv1.2 TLSv1.3;
  map $request_method $preflight {{ OPTIONS 1; default 0; }}
{servers}
}}
"""
SERVER = """
  server {{
    listen {address}:{port}{ssl};
    {certificate}
    location = /api/health {{
      default_type application/json;
      add_header Access-Control-Allow-Origin https://app.khorium.ai always;
      add_header Access-Control-Allow-Methods "GET, OPTIONS" always;
      if ($preflight) {{ return 204; }}
      return 200 '{{"status":"healthy","site":"{name}","services":{{"database":{{"status":"healthy"}}}}}}';
    }}
    location ~ ^/health/?$ {{
      default_type application/json;
      return 200 '{{"status":"healthy","site":"{name}","services":{{"database":{{"status":"healthy"}}}}}}';
    }}
    location = /status/503 {{ return 503 "unavailable\\n"; }}
    location = /status/404 {{ return 404 "not here\\n"; }}
    location = /redirect {{ return 302 /api/health; }}
    location / {{ default_type text/html; return 200 "<title>{name}</title>\\n"; }}
  }}
"""


def openssl(*args, **how):
    subprocess.run(["openssl", *args], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE, **how)


def make_certificates(folder, net):
    """ca.pem, and below certs/: site (good), expired, wrong (another host's name), stranger (of a CA that nobody knows)."""
    certs, names = os.path.join(folder, "certs"), ",".join(NAMES)
    try:
        with open(os.path.join(certs, "whole")) as f:
            if f.read() == names:
                return certs
    except OSError:
        pass
    shutil.rmtree(certs, ignore_errors=True)
    for ca in ("lab", "foreign"):
        where = os.path.join(certs, ca)
        os.makedirs(os.path.join(where, "issued"))
        open(os.path.join(where, "index"), "w").close()
        with open(os.path.join(where, "serial"), "w") as f:
            f.write("1000\n")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650", "-subj",
                "/CN=rbx %s CA" % ca, "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-keyout", where + "/key.pem", "-out", where + "/cert.pem")
    addresses = ["IP:127.77.%d.%d" % (net, n) for n in (1, 2, 3)] + ["IP:127.0.0.1"]
    good = ",".join(["DNS:" + n for n in NAMES] + addresses)
    for name, ca, names, start, end in (("site", "lab", good, "20200101000000Z", "20400101000000Z"),
                                        ("expired", "lab", good, "20200101000000Z", "20210101000000Z"),
                                        ("wrong", "lab", "DNS:other.example.org", "20200101000000Z", "20400101000000Z"),
                                        ("stranger", "foreign", good, "20200101000000Z", "20400101000000Z")):
        where, base = os.path.join(certs, ca), os.path.join(certs, name)
        with open(where + "/openssl.cnf", "w") as f:
            f.write(CA_CONFIG.format(dir=where, names=names))
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
                "-keyout", base + ".key", "-out", base + ".csr")
        openssl("ca", "-batch", "-config", where + "/openssl.cnf", "-extensions", "v3", "-cert", where + "/cert.pem", "-keyfile",
                where + "/key.pem", "-startdate", start, "-enddate", end, "-notext", "-in", base + ".csr", "-out", base + ".pem")
    shutil.copy(certs + "/lab/cert.pem", os.path.join(folder, "ca.pem"))
    with open(os.path.join(certs, "whole"), "w") as f:
        f.write(names)
    return certs


def can_bind(address, port):
    """Whether the port may be had: only root has it, and only if nobody else does."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((address, port))
            return True
        except OSError:
            return False


class Site:
    def __init__(self, name, net, folder, certs):
        self.name, self.certs = name, certs
        self.address = "127.77.%d.%d" % (net, {"production": 2, "staging": 3}[name])
        self.folder = os.path.join(folder, "site-" + name)

    def make(self):
        os.makedirs(self.folder, exist_ok=True)
        servers = [SERVER.format(address=self.address, port=8080, ssl="", certificate="", name=self.name)]
        kinds = [("site", 8443)]
        if self.name == "staging":
            kinds += [("expired", 8444), ("wrong", 8445), ("stranger", 8446)]
        if can_bind(self.address, 443):
            kinds.append(("site", 443))
        for kind, port in kinds:
            pair = "ssl_certificate {0}.pem; ssl_certificate_key {0}.key;".format(os.path.join(self.certs, kind))
            servers.append(SERVER.format(address=self.address, port=port, ssl=" ssl", certificate=pair, name=self.name))
        user = "user nobody %s;" % ("nogroup" if os.path.exists("/etc/debian_version") else "nobody") if os.geteuid() == 0 else ""
        with open(self.folder + "/nginx.conf", "w") as f:
            f.write(SITE.format(user=user, dir=self.folder, servers="".join(servers)))

    def _nginx(self, *args):
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        return subprocess.run([program, "-p", self.folder, "-c", self.folder + "/nginx.conf", "-e", self.folder + "/error.log",
                               *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def pid(self):
        try:
            with open(self.folder + "/nginx.pid") as f:
                pid = int(f.read())
            os.kill(pid, 0)
            return pid
        except (OSError, ValueError):
            return None

    def start(self):
        if self.pid() is None:
            done = self._nginx()
            if done.returncode:
                raise RuntimeError("nginx of %s does not start:\n%s" % (self.name, done.stdout))

    def stop(self):
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            for _ in range(200):
                if self.pid() is None:
                    return
                time.sleep(0.02)
            os.kill(pid, signal.SIGKILL)
