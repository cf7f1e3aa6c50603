"""A terminal to run rbx at: a pseudo-terminal, and what a person sees on it. Knows the few sequences that the live view uses."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

SEQUENCE = re.compile(rb"\x1b\[([0-9;?]*)([A-Za-z])")


class Screen:
    """The lines that were ever shown, the cursor among them. Lines are as long as they like: rbx cuts its own to the width."""

    def __init__(self):
        self.lines, self.row, self.column, self.colours = [""], 0, 0, 0

    def put(self, text):
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[:self.column] + text + line[self.column + len(text):]
        self.column += len(text)

    def order(self, numbers, letter):
        if letter == b"A":
            self.row = max(0, self.row - int(numbers or 1))
        elif letter == b"J":
            del self.lines[self.row + 1:]
            self.lines[self.row] = self.lines[self.row][:self.column]
        elif letter == b"K":
            self.lines[self.row] = self.lines[self.row][:self.column]
        elif letter == b"m":
            self.colours += 1

    def feed(self, data):
        while data:
            if found := SEQUENCE.match(data):
                self.order(found[1].decode(), found[2])
                data = data[found.end():]
            elif data[:1] == b"\r":
                self.column, data = 0, data[1:]
            elif data[:1] == b"\n":
                self.row, data = self.row + 1, data[1:]
                if self.row == len(self.lines):
                    self.lines.append("")
            else:
                end = re.search(rb"[\x1b\r\n]", data[1:])
                text = data[:end.start() + 1] if end else data
                self.put(text.decode("utf-8", "replace"))
                data = data[len(text):]

    def text(self):
        return "\n".join(self.lines)


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, argv, env, cwd, columns=100, rows=30):
        self.screen, self.code = Screen(), None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(argv[0], argv, env)
        self.modes = termios.tcgetattr(self.fd)

    def type(self, text):
        os.write(self.fd, text.encode())

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.screen.feed(data)
        return bool(data)

    def see(self, pattern, seconds=20):
        """Reads until the screen shows it; the match, or None."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.screen.text())) and time.monotonic() < end and self.read(0.1):
            pass
        return found or re.search(pattern, self.screen.text())

    def end(self, seconds=20):
        """Reads to the end; the exit code."""
        end = time.monotonic() + seconds
        while self.code is None and time.monotonic() < end:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        while self.read(0) and select.select([self.fd], [], [], 0)[0]:
            pass
        return self.code

    def close(self):
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)
