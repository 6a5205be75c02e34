"""Whom a message can reach now, worked out for many customers in one statement.

It says in SQL what the claim says row by row (`outreach.dispatch`, `outreach.rules`): a test draws customers and
compares. The claim decides; this is what a person reads before pressing "send", and what spares the queue
messages that could not go.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, CharField, Count, Exists, F, Func, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Concat

from customers.models import Channel, Customer, SegmentMember
from outreach.judging import ASKED_FOR_SILENCE, GIVEN, UNCAPPED
from outreach.kinds import Kind, Way
from outreach.models import Hold, Journey, Message, Stop, Suppression
from outreach.rules import CAP_WINDOW, Skip, Wait
from outreach.services import questions_since
from stores.models import Store

COOLDOWN = "cooldown"
ADDRESS = {Way.EMAIL: "email_norm", Way.SMS: "phone_norm", Way.CALL: "phone_norm", Way.NOTE: "postal_address"}
CONSENT = {Way.EMAIL: "email_consent", Way.SMS: "sms_consent"}
ALWAYS, NEVER = ~Q(pk=None), Q(pk=None)


def judged(people: QuerySet[Customer], store: Store, journey: Journey, at: datetime) -> QuerySet[Any]:
    """The people with `why_not`: why the journey's message cannot go to them at `at` (aware UTC), '' when it can.

    Two things hold people back here that the claim does not look at or only waits for: the cool-down, and the
    week's cap. Who presses "send" means now.
    """
    return people.annotate(why_not=_why_not(store, journey, at))


def _why_not(store: Store, journey: Journey, at: datetime) -> Case:
    """The first reason that holds, in the order of `outreach.judging`."""
    kind, found = Kind(journey.kind), []
    if kind.is_marketing:
        holds = Hold.objects.for_store(store).filter(customer=OuterRef("pk")).order_by("pk")
        found.append(When(Exists(holds), then=Subquery(holds.values("reason")[:1])))
    if journey.segment_id:
        members = SegmentMember.objects.for_store(store).filter(segment=journey.segment_id, customer=OuterRef("pk"))
        found.append(When(~Exists(members), then=Value(Skip.NOT_IN_AUDIENCE)))
    found += _ways_against(store, journey, is_marketing=kind.is_marketing)
    if kind.counts_for_cooldown:
        found.append(When(Exists(_asked_lately(store, at).filter(customer=OuterRef("pk"))), then=Value(COOLDOWN)))
    if kind not in UNCAPPED:
        found.append(When(pk__in=_at_the_cap(store, at), then=Value(Wait.CAP)))
    return Case(*found, default=Value(""), output_field=CharField())


def _ways_against(store: Store, journey: Journey, *, is_marketing: bool) -> list[When]:
    """No address, every address closed, nothing agreed to, the store itself stopped: as `rules.choose_way`."""
    stopped = set(Stop.objects.for_store(store).values_list("channel", flat=True)) if is_marketing else set()
    known = open_ways = allowed = running = NEVER
    for way in map(Way, journey.ways or Kind(journey.kind).spec.ways):
        has_address = ~Q(**{ADDRESS[way]: ""}) if way in ADDRESS else ALWAYS
        is_open = has_address & (ALWAYS if way.is_task else ~_closed(store, Channel(way)))
        may_ask = is_open & _agreed(store, way) if is_marketing else is_open
        known, open_ways, allowed = known | has_address, open_ways | is_open, allowed | may_ask
        running = running if way in stopped else running | may_ask
    return [
        When(~known, then=Value(Skip.NO_ADDRESS)),
        When(~open_ways, then=Value(Skip.SUPPRESSED)),
        When(~allowed, then=Value(Skip.NO_CONSENT)),
        When(~running, then=Value(Skip.STOPPED)),
    ]


def _agreed(store: Store, way: Way) -> Q:
    """Whether advertising may go this way; who asked for silence is not called or written to by hand either."""
    if way in CONSENT:
        return Q(**{CONSENT[way]: True})
    if way == Way.VISIT:
        return ALWAYS
    silence = {"reason__in": ASKED_FOR_SILENCE}
    return ~_closed(store, Channel.EMAIL, **silence) & ~_closed(store, Channel.SMS, **silence)


def _closed(store: Store, channel: Channel, **which: object) -> Q:
    """The address on this channel is one never to write to; hashed as `services.hash_address` does."""
    address = OuterRef(ADDRESS[Way(channel)])
    hashed = _Sha256(Concat(Value(f"{store.public_id}:{channel}:"), address, output_field=CharField()))
    return Q(Exists(Suppression.objects.for_store(store).filter(channel=channel, address_hash=hashed, **which)))


class _Sha256(Func):
    """SHA-256 of a text in hexadecimal digits."""

    template = "encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex')"
    output_field = CharField()


def _asked_lately(store: Store, at: datetime) -> QuerySet[Message]:
    """Questions of the cool-down, sent or about to be."""
    return questions_since(store, at - timedelta(days=store.cooldown_days))


def _at_the_cap(store: Store, at: datetime) -> QuerySet[Any, Any]:
    """Ids of customers who had as many messages in seven days as the store allows."""
    lately = Q(sent_at=None) | Q(sent_at__gt=at - CAP_WINDOW)
    had = Message.objects.for_store(store).filter(lately, status__in=GIVEN).exclude(kind__in=UNCAPPED)
    full = had.order_by().values("customer").annotate(n=Count("pk")).filter(n__gte=store.weekly_cap)
    return full.values("customer")


def by_reason(people: QuerySet[Any]) -> dict[str, int]:
    """How many of the judged people there are for each reason; '' for those who can be reached."""
    return dict(people.order_by().values_list("why_not").annotate(n=Count(F("pk"))))
