"""An SMTP server which keeps what it is sent: plain or STARTTLS, with AUTH."""
import base64
import os
import socketserver
import ssl
import threading
import uuid

import faults


class Session(socketserver.StreamRequestHandler):
    timeout = 60

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")
        self.wfile.flush()

    def line(self):
        raw = self.rfile.readline(4096)
        return None if not raw else raw.rstrip(b"\r\n").decode("utf-8", "replace")

    def handle(self):
        try:
            self.talk()
        except (OSError, ssl.SSLError, ValueError):
            pass

    def talk(self):
        self.secure, self.user = False, None
        fault = self.server.script.ask("smtp", "connect")
        faults.sleep(fault.get("delay"))
        if fault.get("drop"):
            return
        if "before" in fault:
            return self.say("%d as the script says" % fault["before"])
        self.say("220 mail.lab ESMTP")
        self.reset()
        while True:
            line = self.line()
            if line is None:
                return
            word, _, rest = line.partition(" ")
            word = word.upper()
            if word == "EHLO":
                for text in ["250-mail.lab", "250-8BITMIME", "250-SMTPUTF8", "250-SIZE 10485760"]:
                    self.say(text)
                if not self.secure:
                    self.say("250-STARTTLS")
                self.say("250 AUTH PLAIN LOGIN")
            elif word == "HELO":
                self.say("250 mail.lab")
            elif word == "STARTTLS" and not self.secure:
                self.say("220 go ahead")
                self.connection = self.server.tls.wrap_socket(self.request, server_side=True)
                self.rfile = self.connection.makefile("rb", -1)
                self.wfile = self.connection.makefile("wb", 0)
                self.secure = True
                self.reset()
            elif word == "AUTH":
                self.auth(rest)
            elif word == "MAIL":
                self.reset()
                self.sender = self.path(rest)
                self.say("250 ok")
            elif word == "RCPT":
                fault = self.server.script.ask("smtp", "rcpt", self.path(rest))
                if "before" in fault:
                    self.say("%d as the script says" % fault["before"])
                elif self.sender is None:
                    self.say("503 MAIL first")
                else:
                    self.recipients.append(self.path(rest))
                    self.say("250 ok")
            elif word == "DATA":
                if not self.recipients:
                    self.say("503 RCPT first")
                elif self.data():
                    return
            elif word in ("RSET", "NOOP"):
                self.reset() if word == "RSET" else None
                self.say("250 ok")
            elif word == "QUIT":
                return self.say("221 bye")
            else:
                self.say("502 not known")

    def reset(self):
        self.sender, self.recipients = None, []

    @staticmethod
    def path(text):
        return text.partition(":")[2].strip().split(" ")[0].strip("<>")

    def auth(self, rest):
        how, _, first = rest.partition(" ")
        if how.upper() == "PLAIN":
            if not first:
                self.say("334 ")
                first = self.line()
            _, user, password = base64.b64decode(first).decode().split("\0")
        else:
            if not first:
                self.say("334 VXNlcm5hbWU6")
                first = self.line()
            self.say("334 UGFzc3dvcmQ6")
            user, password = (base64.b64decode(x).decode() for x in (first, self.line()))
        if self.server.users.get(user) != password:
            return self.say("535 5.7.8 authentication failed")
        self.user = user
        self.say("235 ok")

    def data(self):
        """True: the connection ends."""
        fault = self.server.script.ask("smtp", "data", self.recipients[0])
        if "before" in fault:
            self.say("%d as the script says" % fault["before"])
            return False
        self.say("354 go on")
        lines = []
        while True:
            raw = self.rfile.readline(65536)
            if not raw:
                return True
            if raw in (b".\r\n", b".\n"):
                break
            lines.append(raw[1:] if raw.startswith(b".") else raw)
        message, name = b"".join(lines), uuid.uuid4().hex
        id = next((l.partition(b":")[2].strip().decode() for l in lines if l.lower().startswith(b"message-id:")), None)
        with open(os.path.join(self.server.folder, name + ".eml"), "wb") as f:
            f.write(message)
        self.server.ledger.write("smtp", "mail", request=name, body=message, key=id, sender=self.sender,
                                 recipients=self.recipients, secure=self.secure, user=self.user)
        faults.sleep(fault.get("late"))
        if "cut" in fault:
            return True
        self.say("%d as the script says" % fault["after"] if "after" in fault else "250 kept as " + name)
        self.reset()
        return False


class Server(socketserver.ThreadingTCPServer):
    daemon_threads, allow_reuse_address = True, True

    def __init__(self, address, **parts):
        self.__dict__.update(parts)
        super().__init__(address, Session)

    def handle_error(self, request, client_address):
        pass

    def start(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self
