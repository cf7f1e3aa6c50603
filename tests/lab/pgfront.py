"""Stands before a database and loses answers: what a client meets when a link breaks in the middle of a COMMIT."""
import socket
import socketserver
import struct
import threading

import faults


class Session(socketserver.BaseRequestHandler):
    up = None

    def handle(self):
        fault = self.server.script.ask("pg", "session", self.server.name)
        faults.sleep(fault.get("delay"))
        if fault.get("drop"):
            return self.reset()
        try:
            self.behind = socket.create_connection(self.server.behind, timeout=10)
        except OSError:
            return self.reset()
        self.behind.settimeout(None)
        self.deaf, self.cut = fault.get("deaf", "").encode(), fault.get("cut")
        self.heard = False
        self.up = threading.Thread(target=self.upwards, daemon=True)
        self.up.start()
        self.downwards()
        self.behind.close()

    def upwards(self):
        tail = b""
        try:
            while True:
                data = self.request.recv(65536)
                if not data:
                    break
                if self.deaf and self.deaf.lower() in (tail + data).lower():
                    self.heard = True
                tail = data[-64:]
                self.behind.sendall(data)
            self.behind.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def downwards(self):
        left = self.cut
        try:
            while True:
                data = self.behind.recv(65536)
                if not data:
                    return
                if self.heard:                    # the database has answered: the effect is there, the client is not told
                    self.server.ledger.write("pg", "answer lost", key=self.server.name)
                    return self.reset()
                if left is not None and len(data) >= left:
                    self.request.sendall(data[:left])
                    return self.reset()
                left = None if left is None else left - len(data)
                self.request.sendall(data)
        except OSError:
            pass

    def reset(self):
        """RST. The reader must be out of the socket first, or the kernel keeps it open."""
        try:
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.request.shutdown(socket.SHUT_RD)
            if self.up is not None:
                self.up.join(5)
            self.request.close()
        except OSError:
            pass


class Server(socketserver.ThreadingTCPServer):
    daemon_threads, allow_reuse_address = True, True

    def __init__(self, address, **parts):
        self.__dict__.update(parts)
        super().__init__(address, Session)

    def handle_error(self, request, client_address):
        pass

    def shutdown_request(self, request):
        try:
            super().shutdown_request(request)
        except OSError:
            pass

    def start(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self
