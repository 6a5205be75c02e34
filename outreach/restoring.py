"""After a restore: what waits here, and may have been sent by the server that was lost (`stores.holding`)."""

from __future__ import annotations

from datetime import datetime

from outreach.models import Message
from outreach.rules import Skip
from outreach.services import cancel_waiting
from stores.models import Store
from stores.tenancy import StoreQuerySet, acting_for

AT_ONCE = 1000


def due(store: Store, at: datetime) -> StoreQuerySet:
    """What would go out at once; to be read inside the store's wall."""
    found: StoreQuerySet = Message.objects.for_store(store).filter(status=Message.Status.PENDING, due_at__lte=at)
    return found


def skip_due(store: Store, at: datetime) -> int:
    """Send none of it, each with the reason on the store's page of messages; returns how many."""
    skipped, piece = 0, AT_ONCE
    while piece == AT_ONCE:
        with acting_for(store):
            waiting = list(due(store, at).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
            piece = cancel_waiting(store, waiting, reason=Skip.RESTORED, at=at)
        skipped += piece
    return skipped
