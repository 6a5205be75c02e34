"""A mail server that takes the letter and then does as it is told."""

from __future__ import annotations

import socketserver
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """A line, after so many seconds."""

    line: str
    after: float = 0


@dataclass(frozen=True)
class Nothing:
    """Keep the line open and say nothing more."""


@dataclass(frozen=True)
class Gone:
    """Close the line."""


TAKEN = Said("250 taken")


class FakeSmtp:
    """`greetings` and `after` hold what it says next at the beginning, and after a letter; else it is well."""

    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()  # by address; what it refuses it has not accepted
        self.greetings: deque[Said | Nothing | Gone] = deque()
        self.after: deque[Said | Nothing | Gone] = deque()
        self.closing = threading.Event()
        fake = self

        class Handler(_Handler):
            owner = fake

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


class _Handler(socketserver.StreamRequestHandler):
    owner: FakeSmtp

    def handle(self) -> None:
        to = ""
        if not self.say(_next(self.owner.greetings, Said("220 ready"))):
            return
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                self.say(Said("354 go on"))
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                told = _next(self.owner.after, TAKEN)
                if not (isinstance(told, Said) and told.line[:1] in "45"):
                    self.owner.accepted[to] += 1
                if not self.say(told):
                    return
            else:
                if verb == b"RCPT":
                    to = line.decode().partition("<")[2].partition(">")[0]
                self.say(Said("221 bye" if verb == b"QUIT" else "250 fine"))

    def say(self, told: Said | Nothing | Gone) -> bool:
        """Whether the line stays open."""
        if isinstance(told, Nothing):
            self.owner.closing.wait(10)
        if not isinstance(told, Said):
            return False
        time.sleep(told.after)
        self.wfile.write(told.line.encode() + b"\r\n")
        return True


def _next(told: deque, usual: Said) -> Said | Nothing | Gone:
    return told.popleft() if told else usual
