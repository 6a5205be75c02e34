"""What the outbox shows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from customers.models import Channel
from outreach.models import Message, OutboxItem
from outreach.rules import Skip, Wait
from stores.models import Store


def outbox(store: Store, channel: str = "") -> QuerySet[Any]:
    """Letters and texts kept by the outbox channel, with their messages and people; '' means both."""
    items = OutboxItem.objects.for_store(store).select_related("message__customer")
    return items.filter(channel=channel) if channel in Channel.values else items


def held_by_cap(store: Store, since: datetime) -> QuerySet[Any]:
    """What the cap per person and week holds back now, or has made too late since `since`; newest due first.

    Pending messages are due when there is room again; skipped ones ("cap_too_late") never went out.
    """
    held = Message.objects.for_store(store).filter(due_at__gte=since, reason__in=(Wait.CAP, Skip.CAPPED))
    return held.select_related("customer").order_by("-due_at", "-pk")
