"""Other sides that say exactly what a test wants, byte by byte: one answer a connection, or a talk line by line."""
import os
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "lab"))

import dnswire        # noqa: E402


class Peer:
    """Listens on loopback; each connection is handed to `talk(link, number)`, a thread each. What came first is in `heard`."""

    def __init__(self, talk, host="127.0.0.1"):
        self.talk, self.heard, self.host = talk, [], host
        self.server = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self.server.getsockname()[1]
        self.address = ("[%s]:%d" if ":" in host else "%s:%d") % (host, self.port)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                link = self.server.accept()[0]
            except OSError:
                return
            link.settimeout(20)
            threading.Thread(target=self.serve, args=(link, len(self.heard)), daemon=True).start()

    def serve(self, link, number):
        try:
            with link:
                self.talk(link, number)
        except OSError:
            pass

    def close(self):
        self.server.close()


def read_request(link):
    """Head and body of a request of HTTP/1.1 with a Content-Length, or none."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = link.recv(65536)
        if not more:
            return data
        data += more
    head = data.split(b"\r\n\r\n")[0]
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            want = len(head) + 4 + int(line.split(b":")[1])
            while len(data) < want:
                data += link.recv(65536)
    return data


def web(*answers, host="127.0.0.1"):
    """A web server: the n-th connection gets the n-th of the answers (the last one again and again), each raw bytes."""
    def talk(link, number):
        peer.heard.append(read_request(link))
        link.sendall(answers[min(number, len(answers) - 1)])
        try:
            link.shutdown(socket.SHUT_WR)
            while link.recv(4096):
                pass
        except OSError:
            pass
    peer = Peer(talk, host)
    return peer


def answer(status="200 OK", body=b"", *headers):
    lines = ["HTTP/1.1 " + status, "Content-Length: %d" % len(body), "Connection: close", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Names:
    """A name server: `zone` maps (name, type) to (records, rcode), where a record is (name, type, ttl, value); (name, None)
    stands for every type. What is not in it is NXDOMAIN. `authoritative` is what it says of itself."""

    def __init__(self, zone, host="127.0.0.1", port=0, authoritative=True):
        self.zone, self.aa, self.asked = zone, authoritative, []
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, port))
        self.port = self.socket.getsockname()[1]
        self.address = "%s:%d" % (host, self.port)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                data, client = self.socket.recvfrom(4096)
            except OSError:
                return
            name, at = dnswire.name_in(data, 12)
            type = dnswire.NAMES.get(struct.unpack_from("!H", data, at)[0])
            name = name.rstrip(".").lower()
            self.asked.append((name, type))
            records, rcode = self.zone.get((name, type), self.zone.get((name, None), ([], dnswire.NXDOMAIN)))
            flags = dnswire.QR | dnswire.RA | (dnswire.AA if self.aa else 0) | rcode
            head = data[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
            try:
                self.socket.sendto(head + data[12:at + 4] + b"".join(dnswire.record(*r) for r in records), client)
            except OSError:
                return

    def close(self):
        self.socket.close()


def smtp(replies, caps=(b"8BITMIME",)):
    """A mail server: `replies` maps a whole command, its first word, BANNER or END (of the message) to what is said to the n-th
    connection (the last one again and again); anything else is taken. `heard` has the lines and messages of each connection."""
    def talk(link, number):
        def say(key, otherwise):
            said = replies.get(key, [otherwise])
            link.sendall(said[min(number, len(said) - 1)] + b"\r\n")

        lines, file = [], link.makefile("rb")
        peer.heard.append(lines)
        say("BANNER", b"220 mail.lab")
        for line in file:
            lines.append(line)
            whole, word = line.decode().strip(), (line.split() or [b""])[0].decode().upper()
            if word == "EHLO":
                link.sendall(b"".join(b"250-" + c + b"\r\n" for c in (b"mail.lab",) + tuple(caps)) + b"250 HELP\r\n")
            elif word == "DATA" and word not in replies:
                link.sendall(b"354 go on\r\n")
                lines.append(b"".join(iter(file.readline, b".\r\n")))
                say("END", b"250 taken")
            else:
                say(whole if whole in replies else word, b"250 ok")
    peer = Peer(talk)
    return peer
