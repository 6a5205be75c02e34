"""A message of the owner's own, sent by hand to an audience: counted first, then planned as a job.

A run is exactly once a person: the message's key names the run and the person, the job's row says how far it is,
and both are committed together (`stores.jobs`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, ExpressionWrapper, F, QuerySet

from customers.models import Customer, OrderLine, Segment
from outreach import reach
from outreach.bulk import cancel_all
from outreach.journeys import own_journeys
from outreach.kinds import Kind, Trigger
from outreach.models import Journey, Message
from outreach.services import note_all_skipped
from outreach.starting import Fact, start_all
from referrals import audiences
from referrals.audiences.members import everybody
from referrals.services.programs import live_program
from referrals.services.values import to_share
from stores import jobs
from stores.models import Job, Store, User

KIND = "send"
PIECE = 1000  # people a transaction
EXAMPLES = 10


class NotNow(Exception):
    """The message cannot be sent by hand as things stand: it is no such message, or the program is paused."""


@dataclass(frozen=True)
class Forecast:
    """What sending would do: how many are reached, how many not, by reason slug, and some of the reached."""

    reachable: int
    skipped: dict[str, int]
    examples: list[Customer]

    @property
    def total(self) -> int:
        """Everybody in the audience."""
        return self.reachable + sum(self.skipped.values())


def audience(store: Store, conditions: object | None, at: datetime) -> QuerySet[Customer]:
    """Who is meant at `at` (aware UTC), worked out now and not as it was last written down; None: everybody."""
    return everybody(store) if conditions is None else audiences.people(store, conditions, at)


def _conditions(segment: Segment | None) -> object | None:
    return segment.conditions if segment else None


def forecast(store: Store, journey: Journey, segment: Segment | None, at: datetime) -> Forecast:
    """What sending now would do; two statements, however many they are. Raises BadCondition."""
    people = reach.judged(audience(store, _conditions(segment), at), store, journey, at)
    counts = reach.by_reason(people)
    reachable = counts.pop("", 0)
    some = list(people.filter(why_not="").order_by("-recorded_at", "-pk")[:EXAMPLES]) if reachable else []
    ranked = dict(sorted(counts.items(), key=lambda one: -one[1]))
    return Forecast(reachable, ranked, some)


def sendable(store: Store) -> list[Journey]:
    """The messages that a person may send: the owner's own, made for that, switched on."""
    return own_journeys(store, Trigger.MANUAL)


def send(
    store: Store, journey: Journey, segment: Segment | None, *, key: str, by: User | None, at: datetime
) -> tuple[Job, bool]:
    """Begin to send; returns the run and whether this call began it (`key`: the page the button stood on).

    A second press, and a press on another page while the message is being sent, get the run that is there.
    Raises NotNow, BadCondition.
    """
    if journey.kind != Kind.OWN or journey.trigger != Trigger.MANUAL or not journey.is_on:
        raise NotNow("journey")
    if live_program(store, at) is None:
        raise NotNow("paused")
    return jobs.begin(
        store,
        kind=KIND,
        key=f"send:{key}",
        subject=f"journey:{journey.pk}",
        data={
            "journey": journey.pk,
            "segment": segment.pk if segment else None,  # for the page; whom it goes to stands in the conditions
            "conditions": _conditions(segment),
            "after": 0,
            "skipped": {},
        },
        total=audience(store, _conditions(segment), at).count(),
        by=by,
        at=at,
    )


def work(store: Store, job_id: int, *, seconds: float = jobs.TURN) -> Job:
    """Plan the messages of a run, from where it is, until it ends, is stopped, or the turn is over."""
    return jobs.work(store, job_id, _Run(store), seconds=seconds)


class _Run:
    """The pieces of a run; the audience is worked out once a worker, as it was when the button was pressed."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ids: list[int] | None = None

    def __call__(self, job: Job, at: datetime) -> jobs.Piece:
        """Plan the next PIECE people."""
        journey = Journey.objects.for_store(self.store).get(pk=job.data["journey"])
        batch = self._next(job)
        if not batch or live_program(self.store, at) is None:
            return jobs.Piece(is_last=True)
        people = reach.judged(everybody(self.store).filter(pk__in=batch), self.store, journey, at)
        planned, skipped = _plan(self.store, journey, job, list(people.order_by("pk")), at)
        counts = _added(job.data["skipped"], skipped)
        return jobs.Piece(planned, len(skipped), {"after": batch[-1], "skipped": counts}, is_last=len(batch) < PIECE)

    def _next(self, job: Job) -> list[int]:
        if self.ids is None:
            meant = audience(self.store, job.data["conditions"], job.started_at)
            people = meant.filter(pk__gt=job.data["after"])
            self.ids = list(people.order_by("pk").values_list("pk", flat=True))
        start = bisect_right(self.ids, job.data["after"])
        return self.ids[start : start + PIECE]


def about(job: Job) -> str:
    """What a run's messages are about: `stop` finds them by it."""
    return f"send:{job.public_id}"


def _plan(store: Store, journey: Journey, job: Job, people: list[Any], at: datetime) -> tuple[int, list[str]]:
    """Plan a message for each who can be reached and note the others; how many, and the others' reasons."""
    start = f"own:{journey.pk}:{job.public_id}"
    facts = [Fact(one, f"{start}:{one.pk}", at=at, due_at=at, about=about(job)) for one in people if not one.why_not]
    planned = start_all(store, journey, facts, at=at, more=values_of)
    others = [
        Message(
            store=store,
            customer=one,
            kind=journey.kind,
            journey=journey,
            key=f"{start}:{one.pk}",
            about=about(job),
            reason=one.why_not,
        )
        for one in people
        if one.why_not
    ]
    note_all_skipped(others, at=at)
    return planned, [one.reason for one in others]


def _added(before: dict[str, int], reasons: Sequence[str]) -> dict[str, int]:
    found = dict(before)
    for reason in reasons:
        found[reason] = found.get(reason, 0) + 1
    return found


def stop(store: Store, job: Job, *, at: datetime) -> int:
    """Plan no more, and take back what has not gone yet; returns how many were taken back."""
    jobs.stop(job, at=at)
    return cancel_all(store, about(job), reason="taken_back", at=at)


def waiting(store: Store, job: Job) -> int:
    """How many of the run's messages have not gone yet."""
    ahead = (Message.Status.PENDING, Message.Status.SENDING)
    return Message.objects.for_store(store).filter(about=about(job), status__in=ahead).count()


def continue_all(at: datetime) -> int:
    """The sweep: begin what was pressed, go on with what a dead worker left; returns how many runs."""
    return jobs.continue_all(KIND, work, at)


# -- What the words need --


def values_of(store: Store, facts: Sequence[Fact], at: datetime) -> list[dict[str, Any]]:
    """What both sides get, the links, and what each of them bought last."""
    products = _last_bought(store, [fact.customer.pk for fact in facts])
    shared = to_share(store, facts, at)
    return [{**found, "product": products.get(fact.customer.pk, "")} for fact, found in zip(facts, shared, strict=True)]


def _last_bought(store: Store, customers: list[int]) -> dict[int, str]:
    """The dearest product of each one's last standing order, by customer id."""
    lines = OrderLine.objects.for_store(store).filter(
        order__customer__in=customers, order__cancelled_at=None, order__refunded_at=None
    )
    cost = ExpressionWrapper(F("quantity") * F("unit_price_minor"), output_field=BigIntegerField())
    newest = lines.order_by("order__customer", "-order__placed_at", cost.desc(), "pk").distinct("order__customer")
    return dict(newest.values_list("order__customer", "product__name"))
