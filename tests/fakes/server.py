"""The server below every fake provider: it keeps what it was sent, and answers or misbehaves as told."""

from __future__ import annotations

import base64
import json
import socket
import struct
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Seen:
    """One request as it was on the wire."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        pairs = parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True)
        assert len(dict(pairs)) == len(pairs)  # no field twice
        return dict(pairs)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def basic_auth(self) -> tuple[str, str] | None:
        scheme, _, mark = self.headers.get("authorization", "").partition(" ")
        if scheme != "Basic":
            return None
        user, _, password = base64.b64decode(mark).decode().partition(":")
        return user, password


@dataclass(frozen=True)
class Reply:
    """An answer: JSON for anything but bytes."""

    status: int
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body, ensure_ascii=False).encode()


@dataclass(frozen=True)
class Silence:
    """Take the request and say nothing more."""


@dataclass(frozen=True)
class Reset:
    """Take the request and break the connection (RST)."""


@dataclass(frozen=True)
class Hangup:
    """Take the request and close the connection without an answer."""


@dataclass(frozen=True)
class Drip:
    """Begin an answer and let it come a byte at a time, without end."""


@dataclass(frozen=True)
class Short:
    """Promise a longer answer than comes."""

    status: int = 200


Behaviour = Reply | Silence | Reset | Hangup | Drip | Short


class FakeServer:
    """Answers by `respond`, unless `next` holds a behaviour for this request."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.next: deque[Behaviour] = deque()
        self.closing = threading.Event()
        fake = self

        class Handler(_Handler):
            owner = fake

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def respond(self, seen: Seen) -> Behaviour:
        """What the provider says to this request."""
        return Reply(200, {})

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: FakeServer

    def handle_one(self) -> None:
        parts = urlsplit(self.path)
        seen = Seen(
            self.command,
            parts.path,
            dict(parse_qsl(parts.query)),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(int(self.headers.get("Content-Length", 0))),
        )
        self.owner.seen.append(seen)
        behaviour = self.owner.next.popleft() if self.owner.next else self.owner.respond(seen)
        getattr(self, f"do_{type(behaviour).__name__.lower()}")(behaviour)

    do_GET = do_POST = do_PUT = handle_one

    def do_reply(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.content)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.content)

    def do_silence(self, _behaviour: Silence) -> None:
        self.owner.closing.wait(10)
        self.close_connection = True

    def do_reset(self, _behaviour: Reset) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def do_hangup(self, _behaviour: Hangup) -> None:
        self.close_connection = True

    def do_drip(self, _behaviour: Drip) -> None:
        self.send_response(200)
        self.end_headers()
        while not self.owner.closing.wait(0.02):
            self.wfile.write(b" ")

    def do_short(self, short: Short) -> None:
        self.send_response(short.status)
        self.send_header("Content-Length", "500")
        self.end_headers()
        self.wfile.write(b'{"id": "')
        self.close_connection = True

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the client left; so it does on purpose here
            self.close_connection = True

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):
            self.close_connection = True

    def log_message(self, *_args: object) -> None:
        pass
