"""Vonage by its Messages API, which Vonage recommends over its older SMS API.

The account must be set to "Messages API" in the dashboard: only then are reports signed by default,
with a JWT (the SMS API's `sig` is off until support turns it on).

Sources: developer.vonage.com/en/api/messages (request, answer, webhooks), /en/api-errors/messages
(codes), /en/messages/concepts/signed-webhooks (JWT claims); field lengths from Vonage's client library.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import Any

from django.utils.translation import gettext_lazy as _

from outreach.channels import Blocked, Letter, NotNow, Uncertain
from outreach.channels.sms.base import BaseGateway, as_dict, ask, read_json, sort, wait_of
from outreach.channels.sms.shapes import (
    Account,
    Forged,
    GatewayField,
    Inbound,
    Incoming,
    Outcome,
    Report,
    international,
)

HOME = "https://api.nexmo.com"
LATER = {"1000", "1100"}  # throttled; could not be handed to the network and was not submitted
INTERNAL = "1030"  # an error inside: it may have been taken
BARRED = "1050"  # the number is on a block list
REASONS = {
    "1010": "fields missing",
    "1020": "bad field",
    "1040": "bad number",
    "1050": "number barred",
    "1060": "account barred",
    "1070": "no credit",
    "1120": "sender not allowed",
    "1160": "number not on your test list",
}
OUTCOMES = {
    "delivered": Outcome.DELIVERED,
    "read": Outcome.DELIVERED,
    "rejected": Outcome.FAILED,
    "undeliverable": Outcome.FAILED,
}
OPTED_OUT = re.compile(r"opt(?:ed)?[ -]?out", re.IGNORECASE)


class Vonage(BaseGateway):
    """POST JSON to /v1/messages with key and secret as Basic auth; our reference goes as `client_ref`."""

    slug = "vonage"
    label = _("Vonage")
    fields = (
        GatewayField("api_key", _("API key")),
        GatewayField("api_secret", _("API secret"), is_secret=True),
        GatewayField(
            "signature_secret",
            _("Signature secret"),
            is_secret=True,
            required=False,
            help=_("Without it reports cannot be checked, and are not accepted."),
        ),
    )
    sender = GatewayField("sender", _("Sender"), help=_("Your Vonage number, or a name of up to 11 letters."))
    reports_back = True

    def send(self, account: Account, letter: Letter) -> str:
        """Submit the text; its message_uuid."""
        auth = (account.value("api_key"), account.value("api_secret"))
        body = _message(account, letter)
        answer = ask("POST", f"{account.base_url or HOME}/v1/messages", self.patience, json=body, auth=auth)
        said = as_dict(answer.json())
        if not 200 <= answer.status < 300:
            code = _code(said)
            reason = f"{code} {REASONS.get(code, '')}".strip()
            if code in LATER:
                raise NotNow(reason, wait_of(answer))
            if code == INTERNAL:
                raise Uncertain(reason)
            if code == BARRED:
                raise Blocked(reason)
            sort(answer, reason)
        if not said.get("message_uuid"):
            raise Uncertain("answer not understood")
        return str(said["message_uuid"])

    def reports(self, account: Account, request: Incoming) -> list[Report]:
        """A status report or an inbound text, proven by the JWT that came with it."""
        event = check_token(account, request)
        message, status = str(event.get("message_uuid", "")), str(event.get("status", ""))
        if not message:
            return []
        if "status" not in event and event.get("message_type") == "text":
            inbound = Inbound(international(str(event.get("from", ""))), str(event.get("text", "")), message)
            return [Report(event_id=message, inbound=inbound)]
        outcome = OUTCOMES.get(status)
        if outcome is None:
            return []
        if outcome == Outcome.FAILED and _is_blocked(as_dict(event.get("error"))):
            outcome = Outcome.BLOCKED
        reference = str(event.get("client_ref") or "")
        return [Report(f"{message}:{status}", provider_id=message, reference=reference, status=outcome)]


def _message(account: Account, letter: Letter) -> dict[str, str]:
    message = {
        "channel": "sms",
        "message_type": "text",
        "to": letter.to.removeprefix("+"),
        "from": account.sender.removeprefix("+"),
        "text": letter.text,
        "client_ref": letter.reference[:100],
    }
    if account.report_url:
        message |= {"webhook_url": account.report_url, "webhook_version": "v1"}
    return message


def _code(error: dict[str, Any]) -> str:
    """The number of an error: the fragment of its `type`, as in .../messages#1050, or its title."""
    code = str(error.get("type", "")).rpartition("#")[2] or str(error.get("title", ""))
    return code if re.fullmatch(r"[\w-]{1,24}", code) else ""


def _is_blocked(error: dict[str, Any]) -> bool:
    return _code(error) == BARRED or bool(OPTED_OUT.search(f"{error.get('title', '')} {error.get('detail', '')}"))


def check_token(account: Account, request: Incoming) -> dict[str, Any]:
    """The body, once its JWT is found good; raises Forged.

    The token must name this account and the hash of this body. Its age is not judged: Vonage repeats
    a call for a day, and the receiver drops what it has seen.
    """
    secret = account.value("signature_secret")
    scheme, _space, token = request.header("Authorization").partition(" ")
    signed, _dot, mark = token.strip().rpartition(".")
    expected = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    if not secret or scheme.lower() != "bearer" or not hmac.compare_digest(_unpacked(mark), expected):
        raise Forged("the token's signature does not match")
    head, _dot, claims_part = signed.partition(".")
    claims = as_dict(read_json(_unpacked(claims_part)))
    if as_dict(read_json(_unpacked(head))).get("alg") != "HS256":
        raise Forged("the token is not HS256")
    if claims.get("iss") != "Vonage" or claims.get("api_key") != account.value("api_key"):
        raise Forged("the token is not for this account")
    if str(claims.get("payload_hash", "")).lower() != hashlib.sha256(request.body).hexdigest():
        raise Forged("the body is not the one that was signed")
    return as_dict(read_json(request.body))


def _unpacked(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part.encode() + b"=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        return b""
