"""Resend's POST /emails. Source: resend.com/docs/dashboard/emails/idempotency-keys.

The same key again within 24 hours is the same letter and gets the same answer; with other words it is refused (409).
"""

from __future__ import annotations

import threading
from collections import Counter

from tests.fakes.server import Behaviour, FakeServer, Hangup, Reply, Seen, Silence

KEY = "re_secret"


class FakeResend(FakeServer):
    """Accepts, and falls silent after accepting every so many letters.

    With `knows_keys` off it is a provider that takes each call for a new letter.
    """

    def __init__(self, *, silent_each: int = 0, knows_keys: bool = True) -> None:
        super().__init__()
        self.silent_each, self.knows_keys = silent_each, knows_keys
        self.bodies: dict[str, bytes] = {}
        self.accepted: Counter[str] = Counter()  # our reference: how many letters they made of it
        self.silences = 0
        self.lock = threading.Lock()

    def respond(self, seen: Seen) -> Behaviour:
        assert (seen.method, seen.path) == ("POST", "/emails")
        if len(seen.body) < int(seen.headers["content-length"]):
            return Hangup()  # its sender died over it
        if seen.headers.get("authorization") != f"Bearer {KEY}":
            return Reply(403, {"name": "invalid_api_key"})
        key = seen.headers["idempotency-key"]
        with self.lock:
            is_new = key not in self.bodies
            if self.knows_keys and not is_new:
                same = self.bodies[key] == seen.body
                return Reply(200, {"id": f"re-{key}"}) if same else Reply(409, {"name": "invalid_idempotent_request"})
            self.bodies[key] = seen.body
            self.accepted[key] += 1
            if is_new and self.silent_each and len(self.bodies) % self.silent_each == 0:
                self.silences += 1
                return Silence()
        return Reply(200, {"id": f"re-{key}"})
