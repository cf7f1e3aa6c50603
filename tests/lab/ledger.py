"""The effect ledger: one JSON line for each effect, on the disk before the client hears of it. Only this proves that nothing was done twice."""
import hashlib
import json
import os
import threading
import time


class Ledger:
    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def write(self, service, op, *, request=None, body=b"", key=None, **detail):
        """service, op: what was done; request: the server's id for it; key: what makes two sendings the same one."""
        line = {"at": time.time(), "service": service, "op": op, "request": request, "key": key,
                "digest": hashlib.sha256(body).hexdigest()}
        line.update(detail)
        text = json.dumps(line, separators=(",", ":"), sort_keys=True).encode() + b"\n"
        with self.lock:
            done = os.write(self.fd, text)
            if done != len(text):
                raise OSError("short write to the ledger")
            os.fsync(self.fd)

    def clear(self):
        with self.lock:
            os.ftruncate(self.fd, 0)
            os.fsync(self.fd)


def read(path):
    try:
        with open(path, encoding="utf-8") as f:
            return [json.loads(line) for line in f]
    except FileNotFoundError:
        return []
