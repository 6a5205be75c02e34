"""What happened to people besides orders."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from customers.models import Event
from customers.services.people import Person, find_or_create_customer
from stores.models import Store


def record_event(
    store: Store,
    *,
    external_id: str,
    kind: str,
    person: Person,
    data: dict[str, Any],
    happened_at: datetime,
    at: datetime,
) -> tuple[Event, bool]:
    """Write down something that happened to a person; idempotent on `external_id`. True when new."""
    customer = find_or_create_customer(store, person, at=at, source="api")
    return Event.objects.get_or_create(
        store=store,
        external_id=external_id,
        defaults={"kind": kind, "customer": customer, "at": happened_at, "data": data},
    )
