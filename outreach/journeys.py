"""The door through which every message starts: a fact, a kind, and what the store decided about that kind.

And the writes of those decisions. A store's own words are in force at once, for what waits as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from customers.models import Customer, Segment
from outreach import own_words
from outreach.kinds import Kind, Trigger
from outreach.models import Journey, Message, Template
from outreach.services import plan_messages
from outreach.words import PIECES, Wording, our_words
from stores.models import AuditEvent, Job, Store, User
from stores.services import note
from stores.tenancy import acting_for, insert_new

_known: ContextVar[dict[int, list[Journey]]] = ContextVar("journeys", default={})  # noqa: B039  # never written to


@contextmanager
def read_once(store: Store) -> Iterator[None]:
    """Read the store's journeys one time for all that is done inside: a replay, during which no owner changes any."""
    with acting_for(store):
        token = _known.set({store.pk: rows_of(store)})
    try:
        yield
    finally:
        _known.reset(token)


def rows_of(store: Store) -> list[Journey]:
    """Every journey that the owner has changed or made, the oldest first."""
    known = _known.get().get(store.pk)
    return known if known is not None else list(Journey.objects.for_store(store).order_by("pk"))


def journey_of(store: Store, kind: Kind) -> Journey:
    """How the store sends this kind; the kind's defaults, not yet a row, until the owner changes something."""
    changed = next((row for row in rows_of(store) if row.kind == kind), None)
    return changed or default_journey(store, kind)


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
    return [row for row in rows_of(store) if row.kind == Kind.OWN and row.trigger == trigger and row.is_on]


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
    """Plan the message for a fact of `fact_at`, once for `key`; None while the journey is off, and to a partner store.

    Due after the journey's wait, unless `due_at` says otherwise. Facts older than the moment the
    owner switched it on start nothing. `about` names what makes the message pointless when it ends
    (`services.cancel_about`). Audience, consent, caps and quiet hours are looked at when it is sent.
    """
    if customer.is_store or not journey.is_on or (journey.started_at and fact_at < journey.started_at):
        return None
    planned = message(customer, journey, key=key, context=context, fact_at=fact_at, at=at, due_at=due_at, about=about)
    return plan_messages(journey.store, [planned])[0]


def message(
    customer: Customer,
    journey: Journey,
    *,
    key: str,
    context: dict[str, Any],
    fact_at: datetime,
    at: datetime,
    due_at: datetime | None = None,
    not_after: datetime | None = None,
    about: str = "",
) -> Message:
    """The message of `start`, not yet written, for callers that plan many at once; `not_after` for the kind's own."""
    due = max(due_at or fact_at + journey.wait, at)
    return Message(
        store_id=journey.store_id,
        customer=customer,
        kind=journey.kind,
        journey=journey if journey.pk else None,
        key=key,
        about=about,
        context=context,
        due_at=due,
        not_after=not_after or due + Kind(journey.kind).spec.fresh,
        created_at=at,
    )


# -- What the owner decides --


@dataclass(frozen=True)
class Plan:
    """Everything an owner may decide about a journey but its words; the trigger only of their own kind."""

    is_on: bool
    wait_minutes: int
    ways: list[str]
    segment: Segment | None = None
    options: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    trigger: str = ""
    event_kind: str = ""
    number: int | None = None

    def columns(self, journey: Journey) -> dict[str, Any]:
        """The journey's columns as this plan wants them."""
        wanted = {name: getattr(self, name) for name in ("is_on", "wait_minutes", "ways", "options", "number")}
        wanted["segment_id"] = self.segment.pk if self.segment else None
        if journey.kind == Kind.OWN:
            wanted |= {"name": self.name, "trigger": self.trigger, "event_kind": self.event_kind}
        return wanted


def slug_of(journey: Journey) -> str:
    """How an address names it: by its kind, or by its id where a store has several of the kind."""
    return journey.public_id if journey.kind == Kind.OWN else str(journey.kind)


def named(store: Store, slug: str) -> Journey | None:
    """The journey of that name in an address; None for no such."""
    rows = Journey.objects.for_store(store).select_related("segment")
    if slug in Kind.values and slug != Kind.OWN:
        return rows.filter(kind=slug).first() or default_journey(store, Kind(slug))
    return rows.filter(kind=Kind.OWN, public_id=slug).first()


def all_journeys(store: Store) -> list[Journey]:
    """Every kind's journey in the order of the kinds, then the owner's own, oldest first."""
    rows = list(Journey.objects.for_store(store).select_related("segment").order_by("pk"))
    known = {row.kind: row for row in rows if row.kind != Kind.OWN}
    ours = [known.get(kind) or default_journey(store, kind) for kind in Kind if kind is not Kind.OWN]
    return ours + [row for row in rows if row.kind == Kind.OWN]


def save_journey(journey: Journey, plan: Plan, *, by: User | None, at: datetime) -> list[str]:
    """Put a plan in force; returns the columns that changed.

    Switched on, or to another trigger, the journey starts with facts from `at` on.
    """
    with transaction.atomic():
        row = locked(journey)
        wanted = plan.columns(row)
        changes = {name: value for name, value in wanted.items() if getattr(row, name) != value}
        if not changes:
            return []
        before = {name: getattr(row, name) for name in changes}
        if changes.get("is_on") or "trigger" in changes or "event_kind" in changes:
            changes["started_at"] = at
        _write(row, changes)
        said = {name: value for name, value in changes.items() if name != "started_at"}
        note(row.store, "journey.changed", subject=slug_of(row), before=before, after=said, by=by, at=at)
    return list(said)


def switch(journey: Journey, *, is_on: bool, by: User | None, at: datetime) -> bool:
    """On or off; True if this call changed it. What waits while it is off is dropped when it is due."""
    with transaction.atomic():
        row = locked(journey)
        if row.is_on == is_on:
            return False
        _write(row, {"is_on": is_on} | ({"started_at": at} if is_on else {}))
        action = "journey.switched_on" if is_on else "journey.switched_off"
        note(row.store, action, subject=slug_of(row), by=by, at=at)
    return True


def save_words(journey: Journey, language: str, words: Wording, *, by: User | None, at: datetime) -> bool:
    """Say it so in this language; where nothing differs from ours, ours stand again. False for no change."""
    own = own_pieces(Kind(journey.kind), language, words)
    with transaction.atomic():
        row = locked(journey)
        found = Template.objects.for_store(row.store).filter(journey=row, language=language).first()
        before = {name: getattr(found, name) for name in PIECES} if found else dict.fromkeys(PIECES, "")
        if before == own:
            return False
        _put_words(row, language, own, at)
        subject = f"{slug_of(row)} {language}"
        note(row.store, "words.changed", subject=subject, before=before, after=own, by=by, at=at)
    own_words.forget(row.store_id)
    transaction.on_commit(lambda: own_words.forget(row.store_id))
    return True


def own_pieces(kind: Kind, language: str, words: Wording) -> dict[str, str]:
    """The store's own pieces; '' where it says what we say."""
    ours = our_words(kind, language)
    return {name: "" if words.piece(name) == ours.piece(name) else words.piece(name) for name in PIECES}


def _put_words(journey: Journey, language: str, own: dict[str, str], at: datetime) -> None:
    rows = Template.objects.for_store(journey.store)
    if any(own.values()):
        rows.update_or_create(
            store=journey.store, journey=journey, language=language, defaults={**own, "changed_at": at}
        )
    else:
        rows.filter(journey=journey, language=language).delete()


def create_own(store: Store, name: str, *, by: User | None, at: datetime) -> Journey:
    """A message of the owner's own, off, sent by hand until they say otherwise."""
    journey = default_journey(store, Kind.OWN)
    journey.name, journey.created_at = name, at
    journey.save()
    note(store, "journey.created", subject=slug_of(journey), after={"name": name}, by=by, at=at)
    return journey


def remove_own(journey: Journey, *, by: User | None, at: datetime) -> AuditEvent | None:
    """Take one of the owner's own away; the event has what `bring_back` needs.

    None where messages of it were started: then it is switched off, since what was sent keeps its name.
    """
    with transaction.atomic():
        row = locked(journey)
        if Message.objects.for_store(row.store).filter(journey=row).exists() or _is_being_sent(row):
            switch(row, is_on=False, by=by, at=at)
            return None
        words = list(Template.objects.for_store(row.store).filter(journey=row))
        before: dict[str, Any] = {
            "public_id": row.public_id,
            "name": row.name,
            "trigger": row.trigger,
            "plan": {name: getattr(row, name) for name in ("wait_minutes", "ways", "options", "number", "event_kind")},
            "segment": row.segment_id,
            "words": {one.language: {name: getattr(one, name) for name in PIECES} for one in words},
        }
        Template.objects.for_store(row.store).filter(journey=row).delete()
        Journey.objects.for_store(row.store).filter(pk=row.pk).delete()
        event = note(row.store, "journey.removed", subject=before["public_id"], before=before, by=by, at=at)
    own_words.forget(journey.store_id)
    return event


def _is_being_sent(journey: Journey) -> bool:
    """Whether somebody has just pressed "send", and nothing of it is planned yet."""
    jobs = Job.objects.for_store(journey.store).filter(subject=f"journey:{journey.pk}")
    return jobs.filter(state=Job.State.RUNNING).exists()


def bring_back(store: Store, event: AuditEvent, *, by: User | None, at: datetime) -> Journey:
    """Undo `remove_own`: the same journey with its words, off. Twice is once."""
    was = event.before
    found = Journey.objects.for_store(store).filter(public_id=was["public_id"]).first()
    if found:
        return found
    with transaction.atomic():
        segment = Segment.objects.for_store(store).filter(pk=was["segment"]).first()
        journey = Journey(
            store=store,
            public_id=was["public_id"],
            kind=Kind.OWN,
            name=was["name"],
            trigger=was["trigger"],
            segment=segment,
            created_at=at,
            **was["plan"],
        )
        journey.save()
        for language, pieces in was["words"].items():
            _put_words(journey, language, pieces, at)
        note(store, "journey.brought_back", subject=slug_of(journey), by=by, at=at)
    own_words.forget(store.pk)
    return journey


def locked(journey: Journey) -> Journey:
    """The journey's row, made where the kind still had its defaults; nobody else changes it meanwhile."""
    if journey.pk is None:
        insert_new(journey)
    rows = Journey.objects.for_store(journey.store).select_for_update(of=("self",)).select_related("store")
    found: Journey = rows.get(pk=journey.pk) if journey.pk else rows.get(kind=journey.kind)
    return found


def _write(row: Journey, changes: dict[str, Any]) -> None:
    Journey.objects.for_store(row.store).filter(pk=row.pk).update(**changes)
    for name, value in changes.items():
        setattr(row, name, value)
