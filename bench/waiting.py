"""Waiting messages for a round: made due, put back, and the queue's dead rows swept away."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connections
from django.db.models import QuerySet
from django.utils import timezone

from outreach.models import Message
from stores.models import Store
from stores.tenancy import acting_for

FRESH = {
    "status": Message.Status.PENDING,
    "reason": "",
    "channel": "",
    "to": "",
    "lease_until": None,
    "lease_token": None,
    "started_at": None,
    "sent_at": None,
    "provider_id": "",
    "attempts": 0,
}
FAR = timedelta(days=3650)


def waiting(store: Store) -> QuerySet[Message]:
    """The world's waiting messages, whatever became of them."""
    return Message.objects.for_store(store).filter(key__startswith="waiting-")


def put_back(store: Store) -> None:
    """All of them wait again, at their own time."""
    with acting_for(store):
        waiting(store).exclude(status=Message.Status.PENDING).update(**FRESH)


def middle(store: Store) -> datetime:
    """The time by which half of them are due."""
    with acting_for(store):
        times = waiting(store).order_by("due_at").values_list("due_at", flat=True)
        return times[times.count() // 2]


def only_these_are_due(stores: list[Store], number: int) -> None:
    """In the first store the first `number` of them are due now, and no other message is due anywhere."""
    now = timezone.now()
    for store in stores:
        put_back(store)
        with acting_for(store):
            due = Message.objects.for_store(store).filter(status=Message.Status.PENDING, due_at__lte=now + FAR / 2)
            due.update(due_at=now + FAR)
    with acting_for(stores[0]):
        first = waiting(stores[0]).order_by("pk").values("pk")[:number]
        Message.objects.for_store(stores[0]).filter(pk__in=first).update(due_at=now)
    swept()


def swept() -> None:
    """What autovacuum does in its own time: no round pays for the dead rows of the one before."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE outreach_message")
