"""Codes that do not exist, counted for each person at the till: five are typing, twenty are guessing."""

from __future__ import annotations

import logging
from datetime import datetime

from django.utils.translation import gettext as _

from stores import limits
from stores.models import AuditEvent, Store, User

logger = logging.getLogger("goodword.checkout")

WINDOW = 600  # seconds
SLOW_AFTER, SLOW_SECONDS = 5, 5
LOCKED_AFTER = 20


def hurdle(store: Store, user: User) -> str:
    """Why this person must wait before the next code, in words; '' when they need not."""
    if limits.seen(f"codes:{store.pk}:{user.pk}") >= LOCKED_AFTER:
        return _("Too many wrong codes. Wait ten minutes, or ask a manager to look.")
    if limits.seen(f"codes-wait:{store.pk}:{user.pk}"):
        return _("Several wrong codes in a row. Wait five seconds, then try again.")
    return ""


def note_wrong(store: Store, user: User, *, at: datetime) -> None:
    """Count a code that does not exist; the twentieth in ten minutes is written into the store's history."""
    number = limits.count(f"codes:{store.pk}:{user.pk}", per_seconds=WINDOW)
    if number >= SLOW_AFTER:
        limits.count(f"codes-wait:{store.pk}:{user.pk}", per_seconds=SLOW_SECONDS)
    if number == LOCKED_AFTER:
        logger.warning("a till is locked after %s wrong codes", number)
        AuditEvent.objects.create(
            store=store, at=at, user=user, action="checkout.locked", after={"wrong_codes": number}
        )
