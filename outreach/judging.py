"""What is true now about messages that are due, and what follows from it for each: go, later, or not at all.

Read inside the claim's transaction (`outreach.dispatch.claim`), since what was true when a message was planned is
stale by days. A fixed number of queries, however many messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from customers.models import Channel, Customer, SegmentMember
from outreach import journeys, kinds, quiet, rules
from outreach.models import Journey, Kind, Message, Suppression
from outreach.services import hash_address
from stores.models import Store

# A way to send it, the reason not to, or when to look again.
Verdict = rules.Way | rules.Later | str

# Uncapped: it answers what they have just done.
UNCAPPED = [kind for kind in Kind if kind.is_transactional]
# News of what is theirs counts for the cap, and is never held back by it.
THEIRS = [Kind.REWARD, Kind.REWARD_VOIDED]
# They had it, or will have, or perhaps had.
GIVEN = [Message.Status.SENT, Message.Status.SENDING, Message.Status.UNKNOWN, Message.Status.TASK]
ASKED_FOR_SILENCE = {Suppression.Reason.UNSUBSCRIBED, Suppression.Reason.COMPLAINED}


@dataclass(frozen=True)
class Facts:
    """What stands in the tables about some messages and their people."""

    cap: int
    shop: quiet.Shop
    hashes: dict[tuple[str, str], str]  # (channel, address): how it is kept
    closed: dict[str, str]  # hash of an address: why it is closed
    holds: dict[int, str]  # customer: why they are asked for nothing
    stopped: set[str]  # channels without advertising
    journeys: dict[int, Journey]
    journeys_of_kinds: dict[str, Journey]
    members: set[tuple[int, int]]  # (segment, customer)
    had: dict[int, list[datetime]]  # customer: when they got something; grows with each message that may go

    def journey(self, message: Message) -> Journey | None:
        """How the store sends it today; None where it never changed the kind's defaults.

        What somebody of the store sends by hand to one person is no journey's: no switch, no audience.
        """
        if message.context.get("by_hand"):
            return None
        return self.journeys.get(message.journey_id or 0) or self.journeys_of_kinds.get(message.kind)

    def why_closed(self, channel: str, address: str) -> str:
        """Why never to write to this address; '' when we may."""
        return self.closed.get(self.hashes.get((channel, address), ""), "")


def judge(store: Store, due: Sequence[Message], at: datetime) -> dict[int, Verdict]:
    """For each message, by its id, what is to be done; one that may go counts for the cap of those after it."""
    facts = gather(store, due, at)
    return {message.pk: _verdict(facts, message, at) for message in due}


# -- What is true --


def gather(store: Store, due: Sequence[Message], at: datetime) -> Facts:
    """Read everything at once."""
    people = {message.customer_id: message.customer for message in due}
    hashes = {
        (str(channel), address): hash_address(store, channel, address)
        for person in people.values()
        for channel, address in ((Channel.EMAIL, person.email_norm), (Channel.SMS, person.phone_norm))
        if address
    }
    found = _read(store, set(hashes.values()), people, at)
    had: dict[int, list[datetime]] = {person: [] for person in people}
    for what, name, _reason, when in found:
        if what == "had" and when:
            had[int(name)].append(when)
    rows = journeys.rows_of(store)
    segments = {journey.segment_id for journey in rows if journey.segment_id}
    return Facts(
        cap=store.weekly_cap,
        shop=quiet.Shop(store.timezone, store.texts_open, store.texts_close),
        hashes=hashes,
        closed={name: reason for what, name, reason, _when in found if what == "closed"},
        holds={int(name): reason for what, name, reason, _when in found if what == "hold"},
        stopped={name for what, name, _reason, _when in found if what == "stop"},
        journeys={journey.pk: journey for journey in rows},
        journeys_of_kinds={journey.kind: journey for journey in rows if journey.kind != Kind.OWN},
        members=_members(store, segments, people) if segments else set(),
        had=had,
    )


# Closed addresses, people on hold, stopped channels, and when each person got something lately. What is being sent
# counts from its hand-over, what lies with the staff from when it was laid there.
_READ = """
    SELECT 'closed', address_hash, reason, NULL::timestamptz
    FROM outreach_suppression WHERE store_id = %(store)s AND address_hash = ANY(%(hashes)s)
    UNION ALL
    SELECT 'hold', customer_id::text, reason, NULL
    FROM outreach_hold WHERE store_id = %(store)s AND customer_id = ANY(%(people)s)
    UNION ALL
    SELECT 'stop', channel, reason, NULL FROM outreach_stop WHERE store_id = %(store)s
    UNION ALL
    SELECT 'had', customer_id::text, '', coalesce(sent_at, started_at, %(at)s)
    FROM outreach_message
    WHERE store_id = %(store)s AND customer_id = ANY(%(people)s) AND status = ANY(%(given)s)
      AND kind <> ALL(%(uncapped)s) AND (sent_at IS NULL OR sent_at > %(since)s)
"""
Row = tuple[str, str, str, datetime | None]  # which of these, whose or which name, the reason, when


def _read(store: Store, hashes: Iterable[str], people: Iterable[int], at: datetime) -> list[Row]:
    asked: dict[str, Any] = {
        "store": store.pk,
        "hashes": list(hashes),
        "people": list(people),
        "given": [status.value for status in GIVEN],
        "uncapped": [kind.value for kind in UNCAPPED],
        "since": at - rules.CAP_WINDOW,
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_READ, asked)
        return cursor.fetchall()


def _members(store: Store, segments: Iterable[int], people: Iterable[int]) -> set[tuple[int, int]]:
    rows = SegmentMember.objects.for_store(store).filter(segment__in=segments, customer__in=people)
    return set(rows.values_list("segment_id", "customer_id"))


# -- What follows --


def _verdict(facts: Facts, message: Message, at: datetime) -> Verdict:
    """Whether, how and when."""
    reason = _reason_against(facts, message, at)
    if reason:
        return reason
    is_marketing = Kind(message.kind).is_marketing
    way = rules.choose_way(_ways(facts, message), is_marketing=is_marketing)
    if isinstance(way, str):
        return way
    later = _later(facts, message, way, at)
    if later and message.not_after and later.at > message.not_after:
        return rules.Skip.CAPPED if later.reason == rules.Wait.CAP else rules.Skip.TOO_LATE
    if not later and _counts(message):
        facts.had[message.customer_id].append(at)
    return later or way


def _reason_against(facts: Facts, message: Message, at: datetime) -> str:
    """Why it is not to be sent by any way; '' when nothing stands against it."""
    journey = facts.journey(message)
    if message.not_after and at > message.not_after:
        return rules.Skip.TOO_LATE
    if journey and not journey.is_on:
        return rules.Skip.SWITCHED_OFF
    if Kind(message.kind).obeys_holds and message.customer_id in facts.holds:
        return facts.holds[message.customer_id]
    if journey and journey.segment_id and (journey.segment_id, message.customer_id) not in facts.members:
        return rules.Skip.NOT_IN_AUDIENCE
    return ""


def _ways(facts: Facts, message: Message) -> list[rules.Way]:
    """The journey's ways in its order, each with what stands against it."""
    journey = facts.journey(message)
    wanted = (journey and journey.ways) or Kind(message.kind).spec.ways
    return [_way(facts, message.customer, kinds.Way(way)) for way in wanted]


def _way(facts: Facts, person: Customer, way: kinds.Way) -> rules.Way:
    email, phone = person.email_norm, person.phone_norm
    if way == kinds.Way.EMAIL:
        return _channel(facts, way, email, person.email_consent)
    if way == kinds.Way.SMS:
        return _channel(facts, way, phone, person.sms_consent)
    # Who asked for silence is not called or written to by hand either to win them back; but what concerns their own
    # order may be said. A number that takes no texts can be called.
    silence = {facts.why_closed(Channel.EMAIL, email), facts.why_closed(Channel.SMS, phone)} & ASKED_FOR_SILENCE
    address = {kinds.Way.CALL: phone, kinds.Way.NOTE: person.postal_address}.get(way, "at the counter")
    may_ask = way == kinds.Way.VISIT or not silence
    return rules.Way(way, "" if person.erased_at else address, consented=may_ask)


def _channel(facts: Facts, way: kinds.Way, address: str, consented: bool) -> rules.Way:
    return rules.Way(way, address, consented, bool(facts.why_closed(way, address)), way in facts.stopped)


def _counts(message: Message) -> bool:
    """Whether it is one of the week's messages: not what answers them, nor what a person writes to them by hand."""
    return message.kind not in UNCAPPED and not message.context.get("by_hand")


def _later(facts: Facts, message: Message, way: rules.Way, at: datetime) -> rules.Later | None:
    """When it may go, if not now: the week's cap comes first, then the hours of the person's place."""
    if _counts(message) and message.kind not in THEIRS:
        free = rules.free_at(facts.had[message.customer_id], facts.cap, at)
        if free > at:
            return rules.Later(free, rules.Wait.CAP)
    if way.channel in (kinds.Way.SMS, kinds.Way.CALL):
        opening = next_opening(facts.shop, message.customer, at)
        if opening > at:
            return rules.Later(opening, rules.Wait.QUIET_HOURS)
    return None


def next_opening(shop: quiet.Shop, person: Customer, at: datetime) -> datetime:
    """When this person may next be texted or called; `at` itself if now."""
    return quiet.next_opening(at, quiet.hours_of(person.phone_norm, person.time_zone, shop))
