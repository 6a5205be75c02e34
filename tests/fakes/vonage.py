"""Vonage's Messages API and its signed webhooks. Sources as in outreach/channels/sms/vonage.py."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from outreach.channels.sms.shapes import Incoming
from tests.fakes.server import FakeServer, Reply, Seen

KEY, SECRET, SIGNATURE = "abcd1234", "the-api-secret", "the-signature-secret"
REFUSED = {"447700900001": 1040, "447700900002": 1120, "447700900003": 1070, "447700900004": 1050}
SAY_LATER = {"447700900005": (429, 1000), "447700900006": (422, 1100)}
WANTED = {"channel", "message_type", "to", "from", "text"}


class FakeVonage(FakeServer):
    """Knows one account."""

    def respond(self, seen: Seen) -> Reply:
        if (seen.method, seen.path) != ("POST", "/v1/messages"):
            return self.error(404, "not-found")
        if seen.basic_auth != (KEY, SECRET):
            return self.error(401, "unauthorized")
        if WANTED - set(seen.json) or not all(seen.json.values()) or not seen.json["to"].isdecimal():
            return self.error(422, 1020)
        if seen.json["to"] in REFUSED:
            return self.error(422, REFUSED[seen.json["to"]])
        if seen.json["to"] in SAY_LATER:
            return self.error(*SAY_LATER[seen.json["to"]])
        return Reply(202, {"message_uuid": f"aaaaaaaa-bbbb-cccc-dddd-{len(self.seen):012d}"})

    def error(self, status: int, code: int | str) -> Reply:
        kind = f"https://developer.vonage.com/api-errors/messages#{code}"
        return Reply(status, {"type": kind, "title": str(code), "detail": "Said at length", "instance": "bf0ca0bf"})


def pack(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def jwt(body: bytes, *, secret: str = SIGNATURE, alg: str = "HS256", **changes: Any) -> str:
    """The token of a call with this body; None takes a claim away."""
    claims = {"iat": 1587494962, "jti": "c5ba8f24", "iss": "Vonage", "api_key": KEY}
    claims |= {"payload_hash": hashlib.sha256(body).hexdigest(), **changes}
    head = pack({"alg": alg, "typ": "JWT"})
    signed = f"{head}.{pack({name: value for name, value in claims.items() if value is not None})}"
    return f"{signed}.{pack(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def webhook(event: Any, *, token: str = "", raw: bytes | None = None, **changes: Any) -> Incoming:
    """A call of Vonage's; `changes` go into the token."""
    body = json.dumps(event).encode() if raw is None else raw
    headers = {"authorization": f"Bearer {token or jwt(body, **changes)}", "content-type": "application/json"}
    return Incoming("POST", "https://goodword.example/hook", headers, {}, body)


def status(uuid: str, state: str, *, error: dict[str, Any] | None = None, reference: str = "ref") -> dict[str, Any]:
    """A message status event."""
    event = {"message_uuid": uuid, "to": "447700900000", "from": "447700900009", "status": state, "channel": "sms"}
    event |= {"timestamp": "2026-11-20T10:00:00.000Z", "client_ref": reference}
    return event | ({"error": error} if error else {})


def inbound(uuid: str, sender: str, text: str) -> dict[str, Any]:
    """An inbound text event."""
    return {
        "channel": "sms",
        "message_uuid": uuid,
        "to": "447700900009",
        "from": sender,
        "timestamp": "2026-11-20T10:00:00.000Z",
        "text": text,
        "message_type": "text",
        "sms": {"num_messages": "1", "keyword": text.partition(" ")[0].upper()},
    }
