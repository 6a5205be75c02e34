"""From a message row to a letter in the person's language.

Templates: templates/outreach/<kind>.subject.txt, .txt, .html for mail, .sms.txt for texts.
"""

from __future__ import annotations

from datetime import date
from html import unescape
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from customers.models import Channel, Customer
from outreach.channels import Letter
from outreach.models import Kind, Message
from stores import tokens
from stores.models import Store

LANGUAGES = {code for code, _ in settings.LANGUAGES}


def language_of(store: Store, customer: Customer) -> str:
    """The person's language if we speak it, else the store's."""
    return next((code for code in (customer.locale, store.locale) if code in LANGUAGES), "en")


def unsubscribe_url(store: Store, customer: Customer) -> str:
    """The person's unsubscribe and preferences page."""
    return f"{settings.SITE_URL}/u/{tokens.make(tokens.Purpose.UNSUBSCRIBE, store.pk, customer)}"


def letter(store: Store, message: Message) -> Letter:
    """Render a claimed message for its channel."""
    customer, kind = message.customer, Kind(message.kind)
    stop = unsubscribe_url(store, customer)
    language = language_of(store, customer)
    context: dict[str, Any] = {
        **message.context,
        "until": _day(message.context.get("until")),
        "store": store,
        "customer": customer,
        "unsubscribe_url": stop,
        "bidi": language == "fa",
        "language": language,
        "is_marketing": kind.is_marketing,
    }
    with translation.override(language):
        if message.channel == Channel.SMS:
            return Letter(
                message.public_id, message.to, "", _text(f"outreach/{kind}.sms.txt", context), sender_name=store.name
            )
        return Letter(
            message.public_id,
            message.to,
            " ".join(_text(f"outreach/{kind}.subject.txt", context).split()),
            _text(f"outreach/{kind}.txt", context),
            render_to_string(f"outreach/{kind}.html", context),
            sender_name=store.name,
            headers={} if kind.is_transactional else _unsubscribe_headers(stop),
        )


def _text(template: str, context: dict[str, Any]) -> str:
    """A plain-text template: what autoescaping did to names is undone, blank runs are cut."""
    lines = [line.rstrip() for line in unescape(render_to_string(template, context)).strip().splitlines()]
    kept = [line for place, line in enumerate(lines) if line or (place and lines[place - 1])]
    return "\n".join(kept)


def _day(written: str | None) -> date | None:
    """A day as JSON keeps it, back as a date."""
    return date.fromisoformat(written) if written else None


def _unsubscribe_headers(url: str) -> dict[str, str]:
    """RFC 8058: one click, no page."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
