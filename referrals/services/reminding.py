"""Asking again: those who were asked and have not shared, and everybody after a long rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q

from customers.models import Channel, Customer
from customers.queries import HERE
from outreach.journey_wording import spacing_of
from outreach.kinds import Kind
from outreach.models import Hold, Journey, Message, Suppression, Task
from outreach.services import hash_address
from outreach.starting import Fact
from outreach.sweeping import Sweep
from referrals.services.links import have_shared
from referrals.services.values import to_share
from stores.models import Store
from surveys.models import RecoveryCase, Response
from surveys.rules import CHANGE_WINDOW

ASKING = (Kind.ASK, Kind.REASK, Kind.BROUGHT_HERE, Kind.SHARE_REMINDER)  # what asks to share, besides the answer page
SLACK = timedelta(days=3)  # between when a message was due and when it went out; what is later the repair finds
Span = tuple[datetime, datetime]  # after, up to


def spacing(journey: Journey) -> list[timedelta]:
    """How long to wait before each reminder, from the ask or reminder before it; the gaps grow."""
    return [timedelta(days=days) for days in journey.options.get("spacing") or spacing_of(journey)]


def _silent(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    """Somebody was asked, or reminded, and nothing came of it for as long as the next gap.

    Keyed by person and number: who let a whole row of reminders pass is not reminded again, whatever
    they are asked later. A reminder that could not be sent ends the row.
    """
    gaps = spacing(journey)
    spans = [(since - gap, at - gap) for gap in gaps]
    candidates = _asked_within(store, spans)
    shared = have_shared(store, candidates)
    pasts = _pasts(store, candidates - shared)
    for person in _people(store, pasts):
        past = pasts[person.pk]
        number = len(past.reminded)
        if past.last and number < len(gaps) and since < past.last + gaps[number] <= at:
            moment = past.last + gaps[number]
            yield Fact(person, key=f"share_reminder:{person.pk}:{number}", at=moment, due_at=moment)


def _rested(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    """Somebody's last ask is as long ago as the journey waits; and nothing says that they mind."""
    candidates = _asked_within(store, [(since - journey.wait, at - journey.wait)])
    pasts = _pasts(store, candidates - _who_mind(store, candidates))
    people = list(_people(store, pasts))
    closed = _closed(store, people)
    for person in people:
        last = pasts[person.pk].last
        if last and person.pk not in closed and since < last + journey.wait <= at:
            moment = last + journey.wait
            yield Fact(person, key=f"reask:{person.pk}:{last:%Y-%m-%d}", at=moment, due_at=moment)


@dataclass
class Past:
    """When a person was asked, and reminded; `waits`: another such message is under way."""

    asked: list[datetime] = field(default_factory=list)
    reminded: list[datetime] = field(default_factory=list)
    waits: bool = False

    @property
    def last(self) -> datetime | None:
        """When they last heard of it; None as long as they are about to."""
        return None if self.waits else max([*self.asked, *self.reminded], default=None)


def _asked_within(store: Store, spans: Iterable[Span]) -> set[int]:
    """Ids of the people who were asked in one of these spans, by message or on the answer page."""
    sent, shown = Q(), Q()
    for after, until in spans:
        # due_at has the index, and is at most a little earlier.
        sent |= Q(due_at__gt=after - SLACK, due_at__lte=until, sent_at__gt=after, sent_at__lte=until)
        shown |= Q(at__gt=after - CHANGE_WINDOW, at__lte=until, ask_shown_at__gt=after, ask_shown_at__lte=until)
    messages = Message.objects.for_store(store).filter(sent, kind__in=ASKING)
    answers = Response.objects.for_store(store).filter(shown).exclude(customer=None)
    found = messages.values_list("customer_id", flat=True).union(answers.values_list("customer_id", flat=True))
    return set(found)


def _pasts(store: Store, people: set[int]) -> dict[int, Past]:
    """The whole past of these people with asks."""
    pasts: dict[int, Past] = {pk: Past() for pk in people}
    if not people:
        return pasts
    messages = Message.objects.for_store(store).filter(customer__in=people, kind__in=ASKING)
    for person, kind, status, sent_at in messages.values_list("customer_id", "kind", "status", "sent_at"):
        past = pasts[person]
        if sent_at:
            (past.reminded if kind == Kind.SHARE_REMINDER else past.asked).append(sent_at)
        elif status not in (Message.Status.SKIPPED, Message.Status.FAILED):
            past.waits = True
    shown = Response.objects.for_store(store).filter(customer__in=people).exclude(ask_shown_at=None)
    for person, at in shown.values_list("customer_id", "ask_shown_at"):
        pasts[person].asked.append(at)
    return pasts


def _people(store: Store, pasts: Iterable[int]) -> Iterable[Customer]:
    wanted = list(pasts)
    return Customer.objects.for_store(store).filter(HERE, pk__in=wanted).order_by("pk") if wanted else ()


def _who_mind(store: Store, people: set[int]) -> set[int]:
    """Of these people, those who declined an ask in person, wait for help, or left without any."""
    declined = Task.objects.for_store(store).filter(
        customer__in=people, status=Task.Status.DECLINED, message__kind__in=ASKING
    )
    held = Hold.objects.for_store(store).filter(customer__in=people)
    unhelped = RecoveryCase.objects.for_store(store).filter(customer__in=people, status=RecoveryCase.Status.CLOSED)
    ids = [rows.values_list("customer_id", flat=True) for rows in (declined, held, unhelped)]
    return set(ids[0].union(*ids[1:])) if people else set()


def _closed(store: Store, people: Iterable[Customer]) -> set[int]:
    """Of these people, those who closed one of their addresses to us."""
    owners = {
        hash_address(store, channel, address): person.pk
        for person in people
        for channel, address in ((Channel.EMAIL, person.email_norm), (Channel.SMS, person.phone_norm))
        if address
    }
    found = Suppression.objects.for_store(store).filter(address_hash__in=owners)
    return {owners[one] for one in found.values_list("address_hash", flat=True)}


SWEEPS = (
    Sweep(Kind.SHARE_REMINDER, _silent, to_share, when_due=True, asks=True),
    Sweep(Kind.REASK, _rested, to_share, when_due=True, asks=True),
)
