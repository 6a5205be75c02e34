"""The door through which every message starts: a fact, a kind, and what the store decided about that kind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from customers.models import Customer
from outreach.kinds import Kind, Trigger
from outreach.models import Journey, Message
from outreach.services import plan_message
from stores.models import Store


def journey_of(store: Store, kind: Kind) -> Journey:
    """How the store sends this kind; the kind's defaults, not yet a row, until the owner changes something."""
    return Journey.objects.for_store(store).filter(kind=kind).first() or default_journey(store, kind)


def default_journey(store: Store, kind: Kind) -> Journey:
    """The kind as it comes; not saved."""
    spec = kind.spec
    return Journey(
        store=store,
        kind=kind,
        trigger=spec.trigger,
        wait_minutes=spec.wait // timedelta(minutes=1),
        ways=[str(way) for way in spec.ways],
        is_on=spec.is_on,
    )


def own_journeys(store: Store, trigger: Trigger) -> list[Journey]:
    """The owner's own messages that start with `trigger` and are switched on."""
    rows = Journey.objects.for_store(store).filter(kind=Kind.OWN, trigger=trigger, is_on=True)
    return list(rows.order_by("pk"))


def start(
    customer: Customer,
    journey: Journey,
    *,
    key: str,
    context: dict[str, Any],
    fact_at: datetime,
    at: datetime,
    due_at: datetime | None = None,
    about: str = "",
) -> Message | None:
    """Plan the message for a fact of `fact_at`, once for `key`; None while the journey is off.

    Due after the journey's wait, unless `due_at` says otherwise. Facts older than the moment the
    owner switched it on start nothing. `about` names what makes the message pointless when it ends
    (`services.cancel_about`). Audience, consent, caps and quiet hours are looked at when it is sent.
    """
    if not journey.is_on or (journey.started_at and fact_at < journey.started_at):
        return None
    due = due_at or fact_at + journey.wait
    return plan_message(
        customer,
        Kind(journey.kind),
        key=key,
        due_at=max(due, at),
        not_after=max(due, at) + Kind(journey.kind).spec.fresh,
        context=context,
        at=at,
        journey=journey if journey.pk else None,
        about=about,
    )
