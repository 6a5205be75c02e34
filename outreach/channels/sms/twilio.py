"""Twilio: SMS and WhatsApp.

Sources: twilio.com/docs/messaging/api/message-resource (request, statuses), /docs/api/errors (codes;
20429: a 429 was not processed; 20500: after a 500 the text may go out), /docs/usage/security
(X-Twilio-Signature), /docs/messaging/guides/webhook-request (inbound fields).
Twilio keeps no reference of ours, so a second POST is a second text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl, quote, urlsplit

from django.utils.translation import gettext_lazy as _

from outreach.channels import Blocked, Letter, Refused, Uncertain
from outreach.channels.sms.base import BaseGateway, as_dict, ask, sort
from outreach.channels.sms.shapes import (
    Account,
    Forged,
    GatewayField,
    Inbound,
    Incoming,
    Outcome,
    Report,
    Said,
    international,
)

HOME = "https://api.twilio.com"
BLOCKED = {"21610", "63014"}  # replied STOP to this sender; blocked the sender in the channel
REASONS = {
    "20003": "wrong key",
    "21211": "not a phone number",
    "21408": "country not allowed",
    "21606": "sender cannot text",
    "21608": "trial account",
    "21610": "unsubscribed",
    "21612": "no route",
    "21614": "not a mobile number",
    "21617": "text too long",
    "21635": "landline",
}
OUTCOMES = {
    "delivered": Outcome.DELIVERED,
    "read": Outcome.DELIVERED,
    "failed": Outcome.FAILED,
    "undelivered": Outcome.FAILED,
    "canceled": Outcome.FAILED,
}
SAID = {"STOP": Said.STOP, "START": Said.START}  # OptOutType; HELP asks for neither


class Twilio(BaseGateway):
    """POST form fields to an account's Messages, with the account's SID and token as Basic auth."""

    slug = "twilio"
    label = _("Twilio")
    fields = (
        GatewayField("account_sid", _("Account SID"), help=_("Begins with AC.")),
        GatewayField("auth_token", _("Auth token"), is_secret=True, help=_("It also proves that reports are real.")),
        GatewayField("whatsapp", _("Send by WhatsApp"), required=False, is_switch=True),
    )
    sender = GatewayField(
        "sender", _("Sender"), help=_("Your Twilio number, an approved name, or a messaging service (MG…).")
    )
    reports_back = True

    def send(self, account: Account, letter: Letter) -> str:
        """Create the message; its SID."""
        sid, token = account.value("account_sid"), account.value("auth_token")
        url = f"{account.base_url or HOME}/2010-04-01/Accounts/{quote(sid, safe='')}/Messages.json"
        answer = ask("POST", url, self.patience, data=_form(account, letter), auth=(sid, token))
        body = as_dict(answer.json())
        code = str(body.get("code") or body.get("error_code") or "")
        reason = f"{code} {REASONS.get(code, '')}".strip()
        if code in BLOCKED and answer.status < 500:
            raise Blocked(reason)
        sort(answer, reason)
        if OUTCOMES.get(str(body.get("status"))) == Outcome.FAILED:
            raise Refused(reason or str(body["status"]))
        if not body.get("sid"):
            raise Uncertain("answer not understood")
        return str(body["sid"])

    def reports(self, account: Account, request: Incoming) -> list[Report]:
        """A status callback or an inbound text, both signed with the account's token."""
        check_signature(account.value("auth_token"), request)
        fields = dict(request.form() if request.method == "POST" else parse_qsl(urlsplit(request.url).query))
        sid = fields.get("MessageSid") or fields.get("SmsSid", "")
        status = fields.get("MessageStatus") or fields.get("SmsStatus", "")
        if sid and "Body" in fields and status in ("", "received"):
            said = SAID.get(fields.get("OptOutType", "").upper(), Said.NOTHING)
            inbound = Inbound(international(fields.get("From", "")), fields["Body"], sid, said)
            return [Report(event_id=sid, inbound=inbound)]
        outcome = OUTCOMES.get(status)
        if not sid or outcome is None:
            return []
        if outcome == Outcome.FAILED and fields.get("ErrorCode") in BLOCKED:
            outcome = Outcome.BLOCKED
        return [Report(event_id=f"{sid}:{status}", provider_id=sid, status=outcome)]


def _form(account: Account, letter: Letter) -> dict[str, str]:
    prefix = "whatsapp:" if account.is_on("whatsapp") else ""
    form = {"To": f"{prefix}{letter.to}", "Body": letter.text}
    if account.sender.startswith("MG"):
        form["MessagingServiceSid"] = account.sender
    else:
        form["From"] = f"{prefix}{account.sender}"
    if account.report_url:
        form["StatusCallback"] = account.report_url
    return form


def signature(token: str, url: str, fields: list[tuple[str, str]]) -> str:
    """HMAC-SHA1 over the address and the sorted form fields, names and values without anything between."""
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def check_signature(token: str, request: Incoming) -> None:
    """Raises Forged unless the call was signed with the token.

    Twilio signs the address with or without the standard port, depending on the product.
    """
    fields = request.form() if request.method == "POST" else []
    given = request.header("X-Twilio-Signature").encode()
    good = [signature(token, url, fields).encode() for url in _spellings(request.url)]
    if not token or not any(hmac.compare_digest(given, one) for one in good):
        raise Forged("X-Twilio-Signature does not match")


def _spellings(url: str) -> list[str]:
    parts = urlsplit(url)
    standard = {"https": 443, "http": 80}.get(parts.scheme)
    if parts.port not in (None, standard) or standard is None:
        return [url]
    host = parts.netloc.removesuffix(f":{standard}")
    return [url.replace(parts.netloc, one, 1) for one in (host, f"{host}:{standard}")]
