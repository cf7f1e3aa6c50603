#!/usr/bin/env python3
"""Servers that misbehave, byte by byte. Each behaviour listens on a loopback port of its own; the names and ports are
printed as "NAME PORT" lines, then "ready FOLDER", where FOLDER holds ca.pem. Ends when standard input ends."""
import gzip
import os
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

requests = 0


def read_request(c):
    """The head and the body of one request; None at the end of the connection."""
    data = b''
    while b'\r\n\r\n' not in data:
        more = c.recv(65536)
        if not more:
            return None
        data += more
    head, body = data.split(b'\r\n\r\n', 1)
    length = 0
    for line in head.split(b'\r\n')[1:]:
        if line.lower().startswith(b'content-length:'):
            length = int(line.split(b':', 1)[1])
    while len(body) < length:
        more = c.recv(65536)
        if not more:
            break
        body += more
    global requests
    requests += 1
    return head + b'\r\n\r\n' + body


def answer(body, status='200 OK', headers=''):
    return f'HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n'.encode() + body


def hold(c):
    try:
        while c.recv(65536):
            pass
    except OSError:
        pass


def reset(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


def silent(c):
    hold(c)


def echo(c):
    while (request := read_request(c)) is not None:
        c.sendall(answer(request, headers='X-Twice: a\r\nx-twice:  b \r\n'))


def stall_head(c):
    read_request(c)
    c.sendall(b'HTTP/1.1 200 OK\r\nContent-')
    hold(c)


def stall_body(c):
    read_request(c)
    c.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789')
    hold(c)


def no_answer(c):
    read_request(c)


def rst(c):
    read_request(c)
    reset(c)


def short(c):
    read_request(c)
    c.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789')


def endless(c):
    read_request(c)
    c.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    while True:
        c.sendall(b'4000\r\n' + b'x' * 0x4000 + b'\r\n')


def bomb(c):
    read_request(c)
    c.sendall(answer(gzip.compress(bytes(256 << 20), 1), headers='Content-Encoding: gzip\r\n'))


def packed(c):
    read_request(c)
    c.sendall(answer(gzip.compress(b'unpacked'), headers='Content-Encoding: gzip\r\n'))


def long_header(c):
    read_request(c)
    c.sendall(b'HTTP/1.1 200 OK\r\nX-Long: ' + b'x' * (1 << 20) + b'\r\nContent-Length: 0\r\n\r\n')


def many_headers(c):
    read_request(c)
    c.sendall(b'HTTP/1.1 200 OK\r\n')
    for i in range(20000):
        c.sendall(b'X-%d: some text of a header that says little\r\n' % i)


def flood(c):
    read_request(c)
    while True:
        c.sendall(b'HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n')


def redirect(c):
    read_request(c)
    c.sendall(answer(b'', '302 Found', 'Location: http://127.0.0.1:1/\r\n'))


def garbage(c):
    read_request(c)
    c.sendall(b'SSH-2.0-OpenSSH_9.2\r\n')


def greet(c):
    c.sendall(b'SSH-2.0-OpenSSH_9.2\r\n')
    hold(c)


def missing(c):
    read_request(c)
    c.sendall(answer(b'<Error>no such key</Error>', '404 Not Found'))


def large(c):
    read_request(c)
    body = b''.join(struct.pack('>I', i) for i in range(2 << 20))
    c.sendall(answer(body))
    hold(c)


def large_cut(c):
    read_request(c)
    c.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n' + b'y' * 500000)


def dies_kept(c):
    """Answers once, and closes when the second request on the connection has come."""
    read_request(c)
    c.sendall(answer(b'%d' % requests))
    read_request(c)


def count(c):
    read_request(c)
    c.sendall(answer(b'%d' % (requests - 1)))


def pg_no(c):
    c.recv(8, socket.MSG_WAITALL)
    c.sendall(b'N')
    hold(c)


def pg_tls(ctx):
    def behave(c):
        if c.recv(8, socket.MSG_WAITALL) == struct.pack('>II', 8, 80877103):
            c.sendall(b'S')
            hold(ctx.wrap_socket(c, server_side=True))
    return behave


def smtp(ctx=None, offer=b'250 STARTTLS', go=b'220 go on'):
    def behave(c):
        c.sendall(b'220-mail.test\r\n220 ESMTP\r\n')
        c.recv(1000)
        c.sendall(b'250-mail.test\r\n250-SIZE 1000\r\n')
        c.sendall(offer + b'\r\n')
        if c.recv(1000).upper() == b'STARTTLS\r\n':
            c.sendall(go + b'\r\n')
            if ctx:
                c = ctx.wrap_socket(c, server_side=True)
        hold(c)
    return behave


PLAIN = [silent, echo, stall_head, stall_body, no_answer, rst, short, endless, bomb, packed, long_header, many_headers,
         flood, redirect, garbage, greet, missing, large, large_cut, dies_kept, count, pg_no]


def openssl(folder, *args):
    subprocess.run(('openssl',) + args, cwd=folder, check=True, stdin=subprocess.DEVNULL, capture_output=True)


def make_certs(folder):
    """An authority ca.pem, and one NAME.pem (key and chain) a kind."""
    key = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes')

    def self_signed(name, *more):
        openssl(folder, 'req', '-x509', *key, '-keyout', name + '.key', '-out', name + '.crt', '-days', '30', *more)

    def signed(name, san, ca='ca', days='30', subject='/CN=localhost'):
        openssl(folder, 'req', *key, '-keyout', name + '.key', '-out', name + '.csr', '-subj', subject)
        with open(os.path.join(folder, name + '.ext'), 'w') as f:
            f.write(f'subjectAltName={san}\n' if san else 'basicConstraints=CA:FALSE\n')
        openssl(folder, 'x509', '-req', '-in', name + '.csr', '-CA', ca + '.crt', '-CAkey', ca + '.key', '-out',
                name + '.crt', '-days', days, '-extfile', name + '.ext', '-set_serial', str(time.time_ns()))

    self_signed('ca', '-subj', '/CN=Test authority')
    self_signed('other', '-subj', '/CN=Other authority')
    self_signed('self_signed', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1')
    here = 'DNS:localhost,IP:127.0.0.1'
    signed('tls_echo', here)
    signed('wrong_host', 'DNS:elsewhere.example')
    signed('expired', here, days='-1')
    signed('untrusted', here, ca='other')
    signed('no_names', None)
    os.rename(os.path.join(folder, 'ca.crt'), os.path.join(folder, 'ca.pem'))


def context(folder, name):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(os.path.join(folder, name + '.crt'), os.path.join(folder, name + '.key'))
    return ctx


def old_context(folder):
    ctx = context(folder, 'tls_echo')
    ctx.set_ciphers('ALL:@SECLEVEL=0')
    ctx.minimum_version = ssl.TLSVersion.TLSv1
    ctx.maximum_version = ssl.TLSVersion.TLSv1_1
    return ctx


def serve(listener, behave, ctx):
    def talk(c):
        try:
            if ctx is not None:
                c = ctx.wrap_socket(c, server_side=True)
            behave(c)
        except (OSError, ValueError):
            pass
        c.close()
    while True:
        c, _ = listener.accept()
        threading.Thread(target=talk, args=(c,), daemon=True).start()


def listen(name, behave, ctx=None, host='127.0.0.1'):
    s = socket.create_server((host, 0), backlog=64)
    print(name, s.getsockname()[1])
    threading.Thread(target=serve, args=(s, behave, ctx), daemon=True).start()


def main():
    import warnings
    warnings.simplefilter('ignore')
    with tempfile.TemporaryDirectory() as folder:
        make_certs(folder)
        for behave in PLAIN:
            listen(behave.__name__, behave)
        for name in ('tls_echo', 'self_signed', 'wrong_host', 'expired', 'untrusted', 'no_names'):
            listen(name, echo, context(folder, name))
        good = context(folder, 'tls_echo')
        listen('pg_tls', pg_tls(good))
        listen('smtp_tls', smtp(good))
        listen('smtp_no', smtp(offer=b'250 8BITMIME'))
        listen('smtp_inject', smtp(good, go=b'220 go on\r\n220 and more'))
        listen('old_tls', echo, old_context(folder))
        closed = socket.create_server(('127.0.0.1', 0))
        print('refuse', closed.getsockname()[1])
        closed.close()
        print('ready', folder, flush=True)
        sys.stdin.read()


main()
