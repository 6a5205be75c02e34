"""The days of a replay: each brings its facts, then the sweeps run as beat would run them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from django.db import connection

from customers.models import Channel
from customers.services import record_orders
from insights.replay.history import Answer, Fact
from insights.replay.people import PUBLISHED, People, Rates
from outreach import dispatch, journeys
from outreach.models import Message
from referrals.fraud import examining
from referrals.services import asking, attribution, deciding, journeying, later, refunds
from rewards.services import vouchers
from stores.models import Store
from stores.tenancy import acting_for
from surveys.services import inviting, occasions, testimonials

NOON = time(12, tzinfo=UTC)
DAY = timedelta(days=1)
SOLVED = timedelta(days=30)  # as the nightly repair, which comes back to who waited for help with something else
AFTERMATH = timedelta(days=120)  # long enough for the last survey, its answer, the hold and a voucher's use


def run(
    store: Store,
    facts: Sequence[Fact],
    answers: dict[str, Answer],
    *,
    until: datetime | None = None,
    friends: bool = False,
    consent: frozenset[Channel] = frozenset(),
    rates: Rates = PUBLISHED,
    progress: Callable[[datetime], None] = lambda day: None,
) -> None:
    """Play `facts` into `store` day by day until `until` (aware UTC; None: some months after the last fact).

    No mail leaves: messages are claimed and checked, then marked as sent. A second run finds
    every fact known and changes nothing. Each day is one database transaction.
    """
    if not facts:
        return
    people = People(store, answers, friends=friends, consent=consent, rates=rates)
    with_friends = friends or any(fact.order.code for fact in facts)  # else nobody can have been sent by anybody
    with acting_for(store):
        people.remember()
    with journeys.read_once(store):
        _play(store, facts, people, until or facts[-1].at + AFTERMATH, with_friends=with_friends, progress=progress)


def _play(
    store: Store,
    facts: Sequence[Fact],
    people: People,
    end: datetime,
    *,
    with_friends: bool,
    progress: Callable[[datetime], None],
) -> None:
    """The days from the first fact to `end`."""
    waiting = iter([*facts, None])
    fact = next(waiting)
    before = facts[0].at - timedelta(seconds=1)
    for moment in _moments(facts[0].at, end):
        with acting_for(store):
            _do_not_wait_for_the_disk()
            today = []
            while fact and fact.at <= moment:
                today.append(fact)
                fact = next(waiting)
            _record(store, people, today)
            people.act(before, moment)
            sent = _sweep(store, before, moment)
            if with_friends:
                _sweep_referrals(store, before, moment)
            people.notice(before, moment, sent)
        before = moment
        progress(moment)


def _do_not_wait_for_the_disk() -> None:
    """A replay that a power cut interrupts is run again."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


def _record(store: Store, people: People, facts: Sequence[Fact]) -> None:
    """Tell the shop's services what became known, each fact at its own time."""
    if not facts:
        return
    people.happen(facts)
    told = [replace(people.with_consent(fact.order), reported_at=fact.at) for fact in facts]
    for one in record_orders(store, told, at=facts[-1].at):
        if one.problem:
            raise one.problem


def _moments(first: datetime, end: datetime) -> list[datetime]:
    """Noon of each day from `first` on, and `end` itself as the last moment."""
    start = datetime.combine(first.date(), NOON)
    start = start if start >= first else start + DAY
    days = max((end - start) // DAY + 1, 0)
    noons = [start + number * DAY for number in range(days)]
    return noons if noons and noons[-1] == end else [*noons, end]


def _sweep(store: Store, since: datetime, at: datetime) -> list[Message]:
    """What beat would have started between `since` and `at`; returns the messages that went out."""
    look_back = since - timedelta(hours=1)
    inviting.plan_invitations(store, at, since=look_back)
    inviting.invite_due(store, at)
    asking.ask_silent(store, at, limit=10_000)
    occasions.ask_after_solved(store, at, since=at - SOLVED)
    occasions.ask_periodically(store, at)
    occasions.remind_silent(store, at, since=look_back)
    testimonials.ask_due(store, at, look_back=at - look_back)
    journeying.sweep(store, look_back, at)
    return dispatch.rehearse(store, at)


def _sweep_referrals(store: Store, since: datetime, at: datetime) -> None:
    """The same, for orders that somebody's friend may have placed."""
    attribution.attribute_orders(store, at, since=since - timedelta(hours=1))
    refunds.answer_refunds(store, at, since=since - timedelta(hours=1))
    examining.examine_due(store, at, limit=10_000)
    deciding.approve_due(store, at)
    later.reward_later(store, at, since=since - timedelta(hours=1))
    vouchers.expire_due(store, at)
