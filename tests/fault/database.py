#!/usr/bin/env python3
"""A PostgreSQL of its own on loopback, and ways to it that lose the connection at a word. Prints "NAME PORT" lines and
"ready FOLDER" (with ca.pem); ends when standard input ends. Superuser boss, password canary-secret."""
import os
import pwd
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

BIN = next((d for d in ('/usr/lib/postgresql/15/bin',) if os.path.isdir(d)), None) or \
    os.path.dirname(shutil.which('postgres') or sys.exit('no postgres'))


def user():
    """Nobody may run PostgreSQL as root."""
    if os.getuid() != 0:
        return {}
    who = next(p for p in pwd.getpwall() if p.pw_name in ('postgres', 'nobody'))
    return {'user': who.pw_uid, 'group': who.pw_gid, 'extra_groups': []}


def run(*args, **more):
    subprocess.run(args, check=True, stdin=subprocess.DEVNULL, capture_output=True, **more)


def make(folder):
    who = user()
    if who:
        os.chown(folder, who['user'], who['group'])
    os.chmod(folder, 0o755)
    with open(os.path.join(folder, 'word'), 'w') as f:
        f.write('canary-secret\n')
    os.chmod(os.path.join(folder, 'word'), 0o644)
    data = os.path.join(folder, 'data')
    run(os.path.join(BIN, 'initdb'), '-D', data, '-U', 'boss', '--pwfile', os.path.join(folder, 'word'), '-A',
        'scram-sha-256', '-E', 'UTF8', '--locale=C', '-N', **who)
    run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout',
        os.path.join(data, 'server.key'), '-out', os.path.join(data, 'server.crt'), '-days', '2', '-subj',
        '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', **who)
    os.chmod(os.path.join(data, 'server.key'), 0o600)
    shutil.copy(os.path.join(data, 'server.crt'), os.path.join(folder, 'ca.pem'))
    return data, who


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as s:
        return s.getsockname()[1]


def start(folder):
    data, who = make(folder)
    port = free_port()
    child = subprocess.Popen([os.path.join(BIN, 'postgres'), '-D', data, '-p', str(port), '-k', folder, '-c',
                              'listen_addresses=127.0.0.1', '-c', 'fsync=off', '-c', 'ssl=on'],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who)
    for _ in range(200):
        if subprocess.run([os.path.join(BIN, 'pg_isready'), '-q', '-h', '127.0.0.1', '-p', str(port)]).returncode == 0:
            return child, port
        time.sleep(0.05)
    sys.exit('postgres does not start')


def pump(a, b, word, forward, cut):
    try:
        while data := a.recv(65536):
            lost = word is not None and word in data
            if lost:
                cut.set()
            if forward if lost else word is not None or not cut.is_set():
                b.sendall(data)
            if lost:
                a.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                a.shutdown(socket.SHUT_RDWR)
                break
    except OSError:
        pass
    for s in (a, b):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def way(name, port, word, forward):
    """To the database at `port`; the client loses it at `word`, after or before the database got it."""
    s = socket.create_server(('127.0.0.1', 0))
    print(name, s.getsockname()[1])

    def serve():
        while True:
            c, _ = s.accept()
            b = socket.create_connection(('127.0.0.1', port))
            cut = threading.Event()
            threading.Thread(target=pump, args=(c, b, word, forward, cut), daemon=True).start()
            threading.Thread(target=pump, args=(b, c, None, True, cut), daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()


def main():
    with tempfile.TemporaryDirectory() as folder:
        child, port = start(folder)
        print('pg', port)
        way('lose_commit', port, b'COMMIT', True)
        way('lose_insert', port, b'insert', True)
        silent = socket.create_server(('127.0.0.1', 0))
        print('silent', silent.getsockname()[1])
        print('refuse', free_port())
        print('ready', folder, flush=True)
        sys.stdin.read()
        child.terminate()
        child.wait()


main()
