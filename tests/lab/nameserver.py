"""The lab's name servers, UDP and TCP. The first follows every change at once, the second when the change is INSYNC."""
import socket
import socketserver
import struct
import threading

import dnswire
import faults


class Answerer:
    def __init__(self, store, script):
        self.store, self.script = store, script

    def answer(self, data, second, udp):
        try:
            ask = dnswire.Ask(data)
        except (ValueError, IndexError, struct.error, UnicodeDecodeError):
            return None
        type = dnswire.NAMES.get(ask.qtype, "TYPE%d" % ask.qtype)
        fault = self.script.ask("dns", type, ask.name)
        faults.sleep(fault.get("delay"))
        if fault.get("mute"):
            return None
        if "rcode" in fault:
            return dnswire.answer(ask, fault["rcode"], 0)
        if ask.opcode:
            return dnswire.answer(ask, dnswire.NOTIMP, 0)
        zone, exists, answers = self.store.lookup(ask.name, type, lagging=second)
        if zone is None:
            return dnswire.answer(ask, dnswire.NXDOMAIN, dnswire.RA)
        authority = []
        if not answers:
            soa = self.store.lookup(zone, "SOA")[2] or [
                (zone, "SOA", 900, "ns1.lab. hostmaster.lab. 1 7200 900 1209600 60")]
            authority = soa[:1]
        answers = [r for r in answers if r[1] in dnswire.TYPES]
        whole = dnswire.answer(ask, dnswire.NOERROR if exists else dnswire.NXDOMAIN, dnswire.AA | dnswire.RA,
                               answers, authority)
        if udp and (len(whole) > ask.limit or fault.get("truncate")):
            return dnswire.answer(ask, dnswire.NOERROR, dnswire.AA | dnswire.RA | dnswire.TC)
        return whole


class Udp(socketserver.ThreadingUDPServer):
    daemon_threads, max_packet_size = True, 4096


class Tcp(socketserver.ThreadingTCPServer):
    daemon_threads, allow_reuse_address = True, True


def start(address, answerer, second):
    class OnUdp(socketserver.BaseRequestHandler):
        def handle(self):
            out = answerer.answer(self.request[0], second, True)
            if out is not None:
                self.request[1].sendto(out, self.client_address)

    class OnTcp(socketserver.StreamRequestHandler):
        timeout = 10

        def handle(self):
            try:
                while True:
                    head = self.rfile.read(2)
                    if len(head) < 2:
                        return
                    out = answerer.answer(self.rfile.read(struct.unpack("!H", head)[0]), second, False)
                    if out is None:
                        return
                    self.wfile.write(struct.pack("!H", len(out)) + out)
            except (OSError, socket.timeout):
                return

    for server in (Udp(address, OnUdp), Tcp(address, OnTcp)):
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
