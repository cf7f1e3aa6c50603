"""The part that all HTTP servers of the lab share: whole requests in, scripted faults, answers that may be cut at any byte."""
import datetime
import email.utils
import http.server
import socket
import struct
import threading
import uuid

import faults


class Reply:
    def __init__(self, status=200, body=b"", headers=(), kind="application/json"):
        self.status, self.kind = status, kind
        self.body = body.encode() if isinstance(body, str) else body
        self.headers = list(headers)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120
    server_version, sys_version = "rbx-lab", ""
    service = "http"

    # A service overrides these five.
    def op_of(self):
        return self.command

    def refuse(self, status, code, message):
        return Reply(status, '{"error":"%s"}' % code)

    def throttled(self, seconds):
        return Reply(429, '{"error":"rate_limited"}', [("Retry-After", str(seconds))])

    def admit(self, now):
        """A Reply refuses the request; None lets it pass."""
        return None

    def act(self, op, fault):
        raise NotImplementedError

    def serve(self):
        self.request_id = str(uuid.uuid4())
        self.close_connection = False
        try:
            self.body = self.read_body()
        except (OSError, ValueError):
            self.close_connection = True
            return
        self.now = datetime.datetime.now(datetime.timezone.utc)
        op = self.op_of()
        fault = self.server.script.ask(self.service, op, self.path)
        faults.sleep(fault.get("delay"))
        if "skew" in fault:
            self.now += datetime.timedelta(seconds=fault["skew"])
        if fault.get("drop"):
            return self.reset()
        reply = self.admit(self.now)
        if reply is None:
            if "throttle" in fault:
                reply = self.throttled(fault["throttle"])
            elif "code" in fault:
                reply = self.refuse(400, fault["code"], "as the script says")
            elif "before" in fault:
                reply = self.refuse(fault["before"], "InternalError", "as the script says")
            else:
                reply = self.act(op, fault)
                if "after" in fault:
                    reply = self.refuse(fault["after"], "InternalError", "as the script says, after the effect")
        faults.sleep(fault.get("late"))
        self.answer(reply, fault)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = lambda self: self.serve()

    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = b""
            while True:
                size = int(self.rfile.readline(64).split(b";")[0], 16)
                body += self.rfile.read(size)
                if size == 0:
                    while self.rfile.readline(8192) not in (b"\r\n", b"\n", b""):
                        pass
                    return body
                self.rfile.readline(8)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) != length:
            raise ValueError("short body")
        return body

    def answer(self, reply, fault=None):
        fault = fault or {}
        body = b"" if self.command == "HEAD" else reply.body
        names = {n.lower() for n, _ in reply.headers}
        head = ["HTTP/1.1 %d %s" % (reply.status, self.responses.get(reply.status, ("Status",))[0])]
        if "date" not in names:
            head.append("Date: " + email.utils.format_datetime(self.now, usegmt=True))
        if "content-type" not in names and (reply.body or reply.status != 204):
            head.append("Content-Type: " + reply.kind)
        head += ["%s: %s" % h for h in reply.headers]
        if "content-length" not in names and reply.status not in (204, 304):
            head.append("Content-Length: %d" % (len(reply.body) + fault.get("length", 0)))
        whole = "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body
        if "garbage" in fault:
            whole = (b"\x00\xff\x1b]0;rbx\x07" * (fault["garbage"] // 10 + 1))[:fault["garbage"]]
        try:
            if "cut" in fault and fault["cut"] < len(whole):
                self.wfile.write(whole[:fault["cut"]])
                self.wfile.flush()
                return self.reset()
            for n in range(len(whole)) if "trickle" in fault else ():
                self.wfile.write(whole[n:n + 1])
                faults.sleep(fault["trickle"])
            if "trickle" not in fault:
                self.wfile.write(whole)
            self.wfile.flush()
            if fault.get("length") or "garbage" in fault:
                self.close_connection = True
        except OSError:
            self.close_connection = True

    def reset(self):
        """RST, not FIN: what a lost peer looks like."""
        self.close_connection = True
        try:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        except OSError:
            pass

    def log_message(self, form, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, address, handler, **parts):
        self.__dict__.update(parts)
        super().__init__(address, handler)

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
