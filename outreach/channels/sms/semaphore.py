"""Semaphore (semaphore.co, Philippines).

Sources: semaphore.co/docs (address, fields, statuses, 120 calls a minute, Retry-After) and
semaphore.co/faq (no foreign numbers). Its error bodies are not documented: their shapes are those that
client libraries test for (humans/semaphore). It keeps no reference of ours and calls nobody.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext_lazy as _

from outreach.channels import Letter, NotNow, Refused, Uncertain
from outreach.channels.sms.base import BaseGateway, as_dict, ask, sort
from outreach.channels.sms.shapes import Account, GatewayField

HOME = "https://api.semaphore.co"
COMPLAINTS = {  # the field a refusal names, in lower case
    "apikey": "wrong key",
    "number": "bad number",
    "sendername": "sender name not approved",
}
DROPPED = re.compile(r"\s*test\b", re.IGNORECASE)
TAKEN = {"queued", "pending", "sent"}
LOST = {"failed", "refunded"}


class Semaphore(BaseGateway):
    """POST form fields, the key among them; the answer is a list with one message."""

    slug = "semaphore"
    label = _("Semaphore")
    fields = (GatewayField("api_key", _("API key"), is_secret=True),)
    sender = GatewayField(
        "sender", _("Sender name"), help=_("A name that Semaphore has approved for you, at most 11 letters.")
    )
    finds = "provider_id"

    def send(self, account: Account, letter: Letter) -> str:
        """Hand the text over; its message_id.

        Semaphore silently drops texts that begin with TEST, so those are refused here.
        """
        if not letter.to.startswith("+63"):
            raise Refused("not a Philippine number")
        if DROPPED.match(letter.text):
            raise Refused("text begins with TEST")
        form = {"apikey": account.value("api_key"), "number": letter.to.removeprefix("+"), "message": letter.text}
        if account.sender:
            form["sendername"] = account.sender
        answer = ask("POST", f"{account.base_url or HOME}/api/v4/messages", self.patience, data=form)
        body = answer.json()
        complaint = _complaint(body)
        sort(answer, complaint)
        message = _message(body)
        if not message.get("message_id"):
            raise Refused(complaint) if complaint else Uncertain("answer not understood")
        if str(message.get("status", "")).lower() in LOST:
            raise Refused(f"status {message['status']}")
        return str(message["message_id"])

    def look_up(self, account: Account, reference: str, provider_id: str) -> str | None:
        """Ask by Semaphore's own id: the only way to learn what became of a text."""
        if not provider_id:
            return None
        url = f"{account.base_url or HOME}/api/v4/messages/{quote(provider_id, safe='')}"
        try:
            answer = ask("GET", url, self.patience, params={"apikey": account.value("api_key")})
            sort(answer)
        except (Refused, NotNow, Uncertain):
            return None
        status = str(_message(answer.json()).get("status", "")).lower()
        return "sent" if status in TAKEN else "failed" if status in LOST else None


def _message(body: Any) -> dict[str, Any]:
    return as_dict(body[0]) if isinstance(body, list) and body else as_dict(body)


def _complaint(body: Any) -> str:
    """What a refusal is about, from {"number": [...]} or [{"senderName": "..."}]; '' when it is none."""
    named = _message(body)
    if "message_id" in named:
        return ""
    return next((COMPLAINTS[name.lower()] for name in named if name.lower() in COMPLAINTS), "")
