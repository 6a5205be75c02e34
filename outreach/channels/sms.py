"""Text messages by one HTTP POST to a gateway (`SMS_URL`)."""

from __future__ import annotations

from datetime import timedelta

import httpx
from django.conf import settings

from outreach.channels import Letter, NotNow, Refused, Uncertain

TIMEOUT = httpx.Timeout(10, connect=5)


def deliver(letter: Letter) -> str:
    """POST {to, text, sender, reference} as JSON; the answer's `id` is returned.

    `reference` is the same for every try of one message, so that a gateway can refuse a second.
    """
    body = {
        "to": letter.to,
        "text": letter.text,
        "sender": settings.SMS_SENDER,
        "reference": letter.reference,
    }
    token = {"Authorization": f"Bearer {settings.SMS_TOKEN}"} if settings.SMS_TOKEN else {}
    headers = {**token, "Idempotency-Key": letter.reference}
    try:
        answer = httpx.post(settings.SMS_URL, json=body, headers=headers, timeout=TIMEOUT)
    except httpx.ConnectError as error:
        raise NotNow("gateway out of reach") from error
    except httpx.HTTPError as error:
        raise Uncertain(type(error).__name__) from error
    if answer.status_code in (429, 503) and "Retry-After" in answer.headers:
        seconds = answer.headers["Retry-After"]
        raise NotNow(str(answer.status_code), timedelta(seconds=int(seconds)) if seconds.isdigit() else None)
    if answer.status_code == 429:
        raise NotNow("429")
    if 400 <= answer.status_code < 500:
        raise Refused(str(answer.status_code))
    if answer.status_code >= 300:
        raise Uncertain(str(answer.status_code))
    try:
        return str(answer.json().get("id", ""))
    except (ValueError, AttributeError):
        return ""
