#!/usr/bin/env python3
"""A DNS server on loopback (UDP and TCP, one port) that misbehaves by the name that is asked. Prints "dns PORT" and
"ready -"; ends when standard input ends."""
import socket
import struct
import sys
import threading

A, NS, CNAME, SOA, MX, TXT, AAAA, SRV, CAA = 1, 2, 5, 6, 15, 16, 28, 33, 257
asked = {}


def wire_name(name):
    return b''.join(bytes([len(p)]) + p.encode() for p in name.split('.') if p) + b'\0'


def records(name, kind, times):
    """(type, ttl, rdata) of an answer."""
    h = struct.pack
    table = {
        ('a.test', A): [(A, 60, bytes([127, 0, 0, 1]))],
        ('two.test', A): [(A, 60, bytes([127, 0, 0, 2])), (A, 30, bytes([127, 0, 0, 1]))],
        ('alias.test', A): [(CNAME, 5, wire_name('A.Test')), (A, 60, bytes([127, 0, 0, 1]))],
        ('lost.test', A): [(A, 60, bytes([127, 0, 0, 1]))],
        ('forged.test', A): [(A, 60, bytes([127, 0, 0, 1]))],
        ('flip.test', A): [(A, 0, bytes([127, 0, 0, 1]) if times % 2 else bytes([169, 254, 169, 254]))],
        ('text.test', TXT): [(TXT, 60, b'\5v=one\4 two')],
        ('large.test', TXT): [(TXT, 60, b'\xff' + b'x' * 255)] * 40,
        ('mail.test', MX): [(MX, 60, h('>H', 10) + wire_name('MX.Mail.test'))],
        ('service.test', SRV): [(SRV, 60, h('>HHH', 1, 2, 5432) + wire_name('db.test'))],
        ('zone.test', SOA): [(SOA, 60, wire_name('ns.test') + wire_name('root.test') + h('>IIIII', 7, 1, 2, 3, 4))],
        ('zone.test', CAA): [(CAA, 60, b'\0\5issueca.test')],
    }
    return table.get((name, kind), [])


def reply(query, tcp):
    """The datagrams to send back."""
    end, labels = 12, []
    while query[end]:
        labels.append(query[end + 1:end + 1 + query[end]].decode())
        end += 1 + query[end]
    name, question = '.'.join(labels).lower(), query[12:end + 5]
    kind = struct.unpack('>H', query[end + 1:end + 3])[0]
    asked[name, kind] = times = asked.get((name, kind), 0) + 1
    found = records(name, kind, times)
    body = b''.join(b'\xc0\x0c' + struct.pack('>HHIH', t, 1, ttl, len(d)) + d for t, ttl, d in found)
    rcode = 3 if name == 'nx.test' else 2 if name == 'fail.test' else 0
    cut = not tcp and 12 + len(question) + len(body) > 1232
    flags = 0x8580 | rcode | (0x200 if cut else 0)
    head = struct.pack('>HHHHHH', 0, flags, 1, 0 if cut else len(found), 0, 0)[2:]
    whole = query[:2] + head + question + (b'' if cut else body)
    if name == 'silent.test' or (name == 'lost.test' and times == 1):
        return []
    if name == 'forged.test':
        evil = b'\xc0\x0c' + struct.pack('>HHIH', A, 1, 60, 4) + bytes([6, 6, 6, 6])
        return [bytes([query[0] ^ 1, query[1]]) + head + question + evil,
                query[:2] + head + wire_name('other.test') + question[-4:] + evil, b'', b'\1', whole]
    if name == 'loop.test':
        return [query[:2] + head[:4] + struct.pack('>HHH', 1, 0, 0) + question
                + b'\xc0' + bytes([12 + len(question)]) + struct.pack('>HHIH', A, 1, 60, 4) + b'\x7f\0\0\1']
    return [whole]


def serve_udp(s):
    while True:
        query, who = s.recvfrom(4096)
        for message in reply(query, False):
            s.sendto(message, who)


def serve_tcp(s):
    while True:
        c, _ = s.accept()
        n = struct.unpack('>H', c.recv(2, socket.MSG_WAITALL))[0]
        for message in reply(c.recv(n, socket.MSG_WAITALL), True):
            whole = struct.pack('>H', len(message)) + message
            c.sendall(whole[:1])
            c.sendall(whole[1:])
        c.close()


def main():
    tcp = socket.create_server(('127.0.0.1', 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(tcp.getsockname())
    threading.Thread(target=serve_udp, args=(udp,), daemon=True).start()
    threading.Thread(target=serve_tcp, args=(tcp,), daemon=True).start()
    print('dns', tcp.getsockname()[1])
    print('ready -', flush=True)
    sys.stdin.read()


main()
