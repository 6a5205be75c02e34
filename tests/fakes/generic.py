"""A gateway of the plain kind: JSON in, an id out; a reference it knows is the same text again."""

from __future__ import annotations

from tests.fakes.server import FakeServer, Reply, Seen

TOKEN = "the-token"


class FakeGeneric(FakeServer):
    """Wants its bearer token."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[str, str] = {}

    def respond(self, seen: Seen) -> Reply:
        if seen.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(401)
        number = self.taken.setdefault(seen.headers["idempotency-key"], f"text-{len(self.taken) + 1}")
        return Reply(200, {"id": number})
