"""Semaphore's v4 messages. Sources as in outreach/channels/sms/semaphore.py."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.server import FakeServer, Reply, Seen

KEY, NAME = "the-semaphore-key", "BAKERY"


class FakeSemaphore(FakeServer):
    """Knows one key and one approved sender name."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, dict[str, Any]] = {}

    def respond(self, seen: Seen) -> Reply:
        if seen.method == "GET":
            return self.find(seen)
        if seen.path != "/api/v4/messages":
            return Reply(404, b"<html>Not found</html>")
        form = seen.form
        if form["apikey"] != KEY:
            return Reply(422, {"apikey": ["The selected apikey is invalid."]})
        if not re.fullmatch(r"(\+?63|0)9\d{9}", form["number"]):
            return Reply(422, {"number": ["The number format is invalid."]})
        if form.get("sendername", NAME) != NAME:
            return Reply(200, [{"senderName": "The senderName supplied is not valid"}])
        message = {
            "message_id": 12345 + len(self.messages),
            "recipient": form["number"],
            "message": form["message"],
            "sender_name": form.get("sendername", "SEMAPHORE"),
            "network": "Globe",
            "status": "Pending",
            "type": "Single",
            "source": "Api",
        }
        self.messages[str(message["message_id"])] = message
        return Reply(200, [message])

    def find(self, seen: Seen) -> Reply:
        if seen.query.get("apikey") != KEY:
            return Reply(422, {"apikey": ["The selected apikey is invalid."]})
        message = self.messages.get(seen.path.removeprefix("/api/v4/messages/"))
        return Reply(200, [message]) if message else Reply(404, [])
