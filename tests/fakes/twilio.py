"""Twilio's Messages resource and its signed callbacks.

Sources as in outreach/channels/sms/twilio.py; the numbers that fail are made up.
"""

from __future__ import annotations

import base64
import hmac
from urllib.parse import urlencode

from outreach.channels.sms.shapes import Incoming
from tests.fakes.server import FakeServer, Reply, Seen

SID, TOKEN = "AC" + "0" * 32, "the-auth-token"
REFUSED = {
    "+15005550001": 21211,
    "+15005550002": 21408,
    "+15005550003": 21610,
    "+15005550004": 21614,
    "+15005550005": 21608,
    "+15005550006": 21635,
}


class FakeTwilio(FakeServer):
    """Knows one account."""

    def respond(self, seen: Seen) -> Reply:
        if (seen.method, seen.path) != ("POST", f"/2010-04-01/Accounts/{SID}/Messages.json"):
            return self.error(404, 20404)
        if seen.basic_auth != (SID, TOKEN):
            return self.error(401, 20003)
        number = seen.form["To"].removeprefix("whatsapp:")
        if not seen.form.get("From") and not seen.form.get("MessagingServiceSid"):
            return self.error(400, 21603)
        if number in REFUSED:
            return self.error(400, REFUSED[number])
        sid = f"SM{len(self.seen):032d}"
        return Reply(201, {"sid": sid, "status": "queued", "error_code": None, "to": seen.form["To"]})

    def error(self, status: int, code: int) -> Reply:
        return Reply(status, {"code": code, "message": "Said at length", "more_info": "https://", "status": status})


def callback(url: str, fields: dict[str, str], *, token: str = TOKEN, signed_url: str = "") -> Incoming:
    """A call of Twilio's to `url`; `signed_url` is how Twilio spelled it when it signed."""
    text = (signed_url or url) + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    mark = base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()
    headers = {"x-twilio-signature": mark, "Content-Type": "application/x-www-form-urlencoded"}
    return Incoming("POST", url, headers, {}, urlencode(fields).encode())


def status(sid: str, state: str, error: str = "") -> dict[str, str]:
    """The fields of a status callback."""
    fields = {"MessageSid": sid, "SmsSid": sid, "MessageStatus": state, "SmsStatus": state, "AccountSid": SID}
    return {**fields, "To": "+15550001111", "From": "+15550009999"} | ({"ErrorCode": error} if error else {})


def inbound(sid: str, sender: str, text: str, **more: str) -> dict[str, str]:
    """The fields of an inbound text."""
    fields = {"MessageSid": sid, "SmsSid": sid, "SmsStatus": "received", "AccountSid": SID, "NumMedia": "0"}
    return {**fields, "From": sender, "To": "+15550009999", "Body": text, "NumSegments": "1", **more}


# The worked example of Twilio's documentation on signatures.
EXAMPLE_TOKEN, EXAMPLE_URL = "12345", "https://mycompany.com/myapp.php?foo=1&bar=2"
EXAMPLE_FIELDS = {
    "CallSid": "CA1234567890ABCDE",
    "From": "+12349013030",
    "To": "+18005551212",
    "Caller": "+12349013030",
    "Digits": "1234",
}
EXAMPLE_SIGNATURE = "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
