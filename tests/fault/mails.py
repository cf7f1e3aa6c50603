#!/usr/bin/env python3
"""Mail servers that misbehave. Prints "NAME PORT" lines and "ready FILE": each message taken is appended there as one
line of JSON. Ends when standard input ends."""
import json
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time


def certificate(folder):
    """One that nobody vouches for."""
    both = folder + '/both.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                    '-subj', '/CN=mail.test', '-keyout', both, '-out', both + '.crt'], check=True, stderr=subprocess.DEVNULL)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(both + '.crt', both)
    return made


def talk(c, kind, out, tls):
    f = c.makefile('rb')
    safe = False

    def say(text):
        c.sendall(text.encode() + b'\r\n')

    say('220 mail.test ESMTP')
    people = []
    while line := f.readline():
        word = line.split()[0].upper() if line.split() else b''
        if word == b'EHLO':
            say('250-mail.test')
            if kind == 'starttls' and not safe:
                say('250-STARTTLS')
            say('250 AUTH PLAIN' if kind != 'plain' else '250 8BITMIME')
        elif word == b'STARTTLS':
            say('220 go ahead')
            c = tls.wrap_socket(c, server_side=True)
            f = c.makefile('rb')
            safe = True
        elif word == b'AUTH':
            if len(line.split()) < 3:
                say('334 ')
                f.readline()
            say('535 wrong password' if kind == 'login' else '235 welcome')
        elif word == b'RCPT' and kind == 'refuse_rcpt':
            say('550 5.1.1 no such user')
        elif word == b'DATA' and kind == 'drop_data':
            return
        elif word == b'DATA':
            say('354 go on')
            text = b''
            for part in f:
                if part == b'.\r\n':
                    break
                text += part
            if kind == 'drop_end':
                return
            if kind == 'refuse_end':
                say('451 4.3.0 try later')
                continue
            out.write(json.dumps({'to': people, 'text': text.decode(), 'tls': safe}) + '\n')
            out.flush()
            say('250 2.0.0 taken as 77')
        elif word == b'QUIT':
            time.sleep(5)                         # whoever waits for it is held up
            return
        else:
            if word == b'RCPT':
                people.append(line.decode().strip())
            say('250 ok')


def serve(s, kind, out, tls):
    def one(c):
        try:
            talk(c, kind, out, tls)
        except OSError:
            pass
        c.close()
    while True:
        threading.Thread(target=one, args=(s.accept()[0],), daemon=True).start()


def main():
    with tempfile.NamedTemporaryFile('w') as out, tempfile.TemporaryDirectory() as folder:
        tls = certificate(folder)
        for kind in ('plain', 'starttls', 'login', 'welcome', 'refuse_rcpt', 'drop_data', 'drop_end', 'refuse_end'):
            s = socket.create_server(('127.0.0.1', 0))
            print(kind, s.getsockname()[1])
            threading.Thread(target=serve, args=(s, kind, out, tls), daemon=True).start()
        print('ready', out.name, flush=True)
        sys.stdin.read()


main()
