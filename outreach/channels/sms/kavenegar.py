"""Kavenegar (Iran).

Sources: kavenegar.com/rest.html (address, fields, answers) and, where only its beginning could be
read, client libraries that list its tables: kavenegar-java and kavenegar-go (statuses),
FardaDev/kavenegar-for-laravel and ErfanDavoodiNasr/kavenegar-java-sdk (codes, limits).
Its calls to us are not signed, so the address given to Kavenegar carries a key.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext_lazy as _

from outreach.channels import Blocked, Letter, NotNow, Refused, Uncertain
from outreach.channels.sms.base import Answer, BaseGateway, as_dict, ask, read_json, sort, wait_of
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

HOME = "https://api.kavenegar.com"
LATER = {409, 429, 451}  # cannot answer now; too many calls
REFUSED_ABOVE = {501, 604, 607, *range(800, 814)}  # definite answers outside the 400s
REASONS = {
    401: "account off",
    402: "not done",
    403: "wrong key",
    411: "bad number",
    412: "bad sender",
    413: "empty or too long",
    416: "our IP is not allowed",
    418: "no credit",
    420: "links not allowed",
    422: "bad character",
    427: "sender needs a permission",
    501: "test account",
}
ACCEPTED = {1, 2, 4, 5, 10}  # queued, scheduled, at the operator (two codes), delivered
NEVER_HAD = 100  # "this id is not in our database": for a text of the last 12 hours a definite answer
BLOCKED = 14  # the person refuses advertising lines (*800#): suppress, never send by another line
RECEIVED = 50  # a text that somebody sent to the line
OUTCOMES = {
    6: Outcome.FAILED,
    10: Outcome.DELIVERED,
    11: Outcome.FAILED,
    13: Outcome.FAILED,
    BLOCKED: Outcome.BLOCKED,
}


class Kavenegar(BaseGateway):
    """POST form fields to sms/send; the key is part of the path, our reference goes as `localid`."""

    slug = "kavenegar"
    label = _("Kavenegar")
    fields = (
        GatewayField("api_key", _("API key"), is_secret=True),
        GatewayField(
            "report_key",
            _("Key of the report address"),
            is_secret=True,
            required=False,
            help=_("Kavenegar does not sign its calls: end the address you give it with ?key= and this key."),
        ),
    )
    sender = GatewayField("sender", _("Line number"), help=_("The line the texts come from, such as 10004346."))
    finds = "reference"
    reports_back = True

    def send(self, account: Account, letter: Letter) -> str:
        """Hand the text over; its messageid. The same localid again is the same message."""
        form = {
            "receptor": receptor(letter.to),
            "message": letter.text,
            "sender": account.sender,
            "localid": str(local_id(letter.reference)),
        }
        entry = _first(self._ask(account, "sms/send", form))
        status = _number(entry.get("status"))
        if status == BLOCKED:
            raise Blocked("14 blocked by the person")
        if status in OUTCOMES and status not in ACCEPTED:
            raise Refused(f"status {status}")
        if not entry.get("messageid") or status not in ACCEPTED:
            raise Uncertain("answer not understood")
        return str(entry["messageid"])

    def look_up(self, account: Account, reference: str, provider_id: str) -> str | None:
        """Ask by our own reference, which Kavenegar keeps for 12 hours, else by its id (48 hours)."""
        method, form = "sms/status", {"messageid": provider_id}
        if reference:
            method, form = "sms/statuslocalmessageid", {"localid": str(local_id(reference))}
        try:
            status = _number(_first(self._ask(account, method, form)).get("status"))
        except (Refused, NotNow, Uncertain):
            return None
        if status in ACCEPTED:
            return "sent"
        if status == NEVER_HAD and reference:
            return "missing"
        return "failed" if status in OUTCOMES else None

    def reports(self, account: Account, request: Incoming) -> list[Report]:
        """Status calls and inbound texts, by GET or POST; the address's key is all that proves them."""
        key, given = account.value("report_key"), request.query.get("key", "")
        if not key or not hmac.compare_digest(given.encode(), key.encode()):
            raise Forged("the key of the address is wrong")
        body = read_json(request.body)
        rows = body if isinstance(body, list) else [as_dict(body) or dict(request.form())]
        found = [_report({**request.query, **as_dict(row)}) for row in rows]
        return [report for report in found if report]

    def _ask(self, account: Account, method: str, form: dict[str, str]) -> Answer:
        """One method call whose own status is 200; raises as the status says otherwise."""
        url = f"{account.base_url or HOME}/v1/{quote(account.value('api_key'), safe='')}/{method}.json"
        answer = ask("POST", url, self.patience, data=form)
        code = _number(as_dict(as_dict(answer.json()).get("return")).get("status"))
        reason = f"{code} {REASONS.get(code, '')}".strip() if code else ""
        if code in LATER:
            raise NotNow(reason, wait_of(answer))
        if 400 <= code < 500 or code in REFUSED_ABOVE:
            raise Refused(reason)
        sort(answer, reason)
        if code != 200:
            raise Uncertain("answer not understood")
        return answer


def local_id(reference: str) -> int:
    """Our reference as the 64-bit number that Kavenegar wants; the same for every try."""
    return int.from_bytes(hashlib.blake2b(reference.encode(), digest_size=8).digest()) >> 3


def receptor(number: str) -> str:
    """An E.164 number as Kavenegar's documentation writes it: 0912... at home, 00 and the code abroad."""
    if number.startswith("+98"):
        return f"0{number[3:]}"
    return f"00{number[1:]}" if number.startswith("+") else number


def _first(answer: Answer) -> dict[str, Any]:
    entries = as_dict(answer.json()).get("entries")
    return as_dict(entries[0]) if isinstance(entries, list) and entries else as_dict(entries)


def _number(value: Any) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _report(row: dict[str, Any]) -> Report | None:
    """What one row tells: an inbound text, or with a `status` news of a text of ours.

    A status call may repeat our own line and text, so those alone do not make a row inbound.
    """
    message, status = str(row.get("messageid") or row.get("messageId") or ""), _number(row.get("status"))
    if not message:
        return None
    sender, text = row.get("from") or row.get("sender"), row.get("message")
    if sender and text is not None and (status == RECEIVED or not row.get("status")):
        return Report(event_id=message, inbound=Inbound(international(str(sender), "IR"), str(text), message))
    if status not in OUTCOMES:
        return None
    return Report(f"{message}:{status}", provider_id=message, status=OUTCOMES[status])
