"""What the outbox shows."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from customers.models import Channel
from outreach.models import OutboxItem
from stores.models import Store


def outbox(store: Store, channel: str = "") -> QuerySet[Any]:
    """Letters and texts kept by the outbox channel, with their messages and people; '' means both."""
    items = OutboxItem.objects.for_store(store).select_related("message__customer")
    return items.filter(channel=channel) if channel in Channel.values else items
