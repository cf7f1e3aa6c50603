"""DNS messages, both ways: as much of RFC 1035, 3597, 6891 and 9460 as the lab serves and its tests ask."""
import ipaddress
import struct

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "OPT": 41,
         "HTTPS": 65, "SVCB": 64, "CAA": 257, "ANY": 255}
NAMES = {v: k for k, v in TYPES.items()}
QR, AA, TC, RD, RA = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)


def name_out(name):
    out = b""
    for label in name.rstrip(".").split("."):
        if label:
            raw = label.encode("ascii")
            if len(raw) > 63:
                raise ValueError("label too long")
            out += bytes([len(raw)]) + raw
    return out + b"\0"


def name_in(data, at):
    labels, end, jumps = [], None, 0
    while True:
        size = data[at]
        if size & 0xC0 == 0xC0:
            end = at + 2 if end is None else end
            at = struct.unpack_from("!H", data, at)[0] & 0x3FFF
            jumps += 1
            if jumps > 32:
                raise ValueError("compression loop")
        elif size == 0:
            return ".".join(labels) + ".", at + 1 if end is None else end
        else:
            labels.append(data[at + 1:at + 1 + size].decode("ascii"))
            at += 1 + size


def text_out(value):
    parts, rest = [], value.strip()
    if rest.startswith('"'):
        parts = [p for p in rest.split('"')[1::2]]
    else:
        parts = [rest]
    return b"".join(bytes([len(p.encode())]) + p.encode() for p in parts)


def data_out(type, value):
    if type == "A":
        return ipaddress.IPv4Address(value).packed
    if type == "AAAA":
        return ipaddress.IPv6Address(value).packed
    if type in ("NS", "CNAME", "PTR"):
        return name_out(value)
    if type == "TXT":
        return text_out(value)
    words = value.split()
    if type == "MX":
        return struct.pack("!H", int(words[0])) + name_out(words[1])
    if type == "SRV":
        return struct.pack("!HHH", *map(int, words[:3])) + name_out(words[3])
    if type == "SOA":
        return name_out(words[0]) + name_out(words[1]) + struct.pack("!IIIII", *map(int, words[2:7]))
    if type == "CAA":
        tag, text = words[1].encode(), " ".join(words[2:]).strip('"').encode()
        return bytes([int(words[0]), len(tag)]) + tag + text
    if type in ("HTTPS", "SVCB"):
        out = struct.pack("!H", int(words[0])) + name_out(words[1])
        for word in words[2:]:
            key, _, text = word.partition("=")
            if key == "alpn":
                raw = b"".join(bytes([len(p)]) + p.encode() for p in text.strip('"').split(","))
                out += struct.pack("!HH", 1, len(raw)) + raw
        return out
    raise ValueError("no codec for " + type)


def data_in(type, data, at, size):
    raw = data[at:at + size]
    if type == "A":
        return str(ipaddress.IPv4Address(raw))
    if type == "AAAA":
        return str(ipaddress.IPv6Address(raw))
    if type in ("NS", "CNAME", "PTR"):
        return name_in(data, at)[0]
    if type == "MX":
        return "%d %s" % (struct.unpack_from("!H", raw)[0], name_in(data, at + 2)[0])
    if type == "SOA":
        first, at = name_in(data, at)
        second, at = name_in(data, at)
        return " ".join([first, second] + [str(n) for n in struct.unpack_from("!IIIII", data, at)])
    if type == "TXT":
        out, at = [], 0
        while at < len(raw):
            out.append('"%s"' % raw[at + 1:at + 1 + raw[at]].decode())
            at += 1 + raw[at]
        return " ".join(out)
    return raw.hex()


def record(name, type, ttl, value):
    data = data_out(type, value)
    return name_out(name) + struct.pack("!HHIH", TYPES[type], 1, ttl, len(data)) + data


def question(name, type, id=0, recurse=True, edns=None):
    extra = b"" if edns is None else b"\0" + struct.pack("!HHIH", 41, edns, 0, 0)
    return struct.pack("!HHHHHH", id, RD if recurse else 0, 1, 0, 0, 1 if extra else 0) + name_out(name) + struct.pack(
        "!HH", TYPES[type], 1) + extra


class Ask:
    """A question as it came in."""

    def __init__(self, data):
        self.id, self.flags, n, _, _, extra = struct.unpack_from("!HHHHHH", data)
        self.opcode = self.flags >> 11 & 15
        if n != 1 or self.flags & QR:
            raise ValueError("not one question")
        self.name, at = name_in(data, 12)
        self.qtype, self.qclass = struct.unpack_from("!HH", data, at)
        self.raw = data[12:at + 4]
        self.limit, self.edns = 512, False
        if extra and data[at + 4:at + 7] == b"\0\0\x29":
            self.edns, self.limit = True, max(512, struct.unpack_from("!H", data, at + 7)[0])


def answer(ask, rcode, flags, answers=(), authority=()):
    flags |= QR | ask.flags & RD | rcode
    out = struct.pack("!HHHHHH", ask.id, flags, 1, len(answers), len(authority), int(ask.edns)) + ask.raw
    out += b"".join(record(*r) for r in answers) + b"".join(record(*r) for r in authority)
    return out + (b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0) if ask.edns else b"")


def parse(data):
    """An answer: {id, flags, rcode, answers, authority}, each record (name, type, ttl, value)."""
    id, flags, n, an, ns, _ = struct.unpack_from("!HHHHHH", data)
    at = 12
    for _ in range(n):
        at = name_in(data, at)[1] + 4
    parts = []
    for count in (an, ns):
        part = []
        for _ in range(count):
            name, at = name_in(data, at)
            type, _, ttl, size = struct.unpack_from("!HHIH", data, at)
            type = NAMES.get(type, "TYPE%d" % type)
            part.append((name, type, ttl, data_in(type, data, at + 10, size)))
            at += 10 + size
        parts.append(part)
    return {"id": id, "flags": flags, "rcode": flags & 15, "answers": parts[0], "authority": parts[1]}
