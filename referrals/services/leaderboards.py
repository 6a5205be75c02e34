"""Who leads a contest: counted anew from the referrals each time, while it runs and long after it was closed.

A friend belongs to the contest by when they bought. Whoever has more friends is ahead; of two with as many, whoever
had them first; of two who had them at the same moment, the one whose first referral was written down earlier. While
a contest runs, friends whose purchase may still be returned are counted and shown as waiting; what is written down
at the end counts only those that were decided for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, F, Max, Min, Q, QuerySet, Value, When, Window
from django.db.models.functions import Coalesce, RowNumber

from customers.models import Customer
from referrals.models import Contest, Prize, Program, Referral, Standing
from rewards.models import Offer

Status = Referral.Status
UNDECIDED = (Status.PENDING, Status.FLAGGED)
IN_FORCE = (*UNDECIDED, Status.APPROVED)


@dataclass(frozen=True)
class Row:
    """Where somebody stands: `friends` have counted, `waiting` may still count."""

    place: int
    customer: Customer
    friends: int
    waiting: int
    reached_at: datetime  # when the last of them bought

    @property
    def total(self) -> int:
        """What the place goes by while the contest runs."""
        return self.friends + self.waiting


def leaderboard(
    contest: Contest, at: datetime, *, final: bool = False, most: int | None = None, me: Customer | None = None
) -> list[Row]:
    """The first `most` (None: all) and, where they have a friend, `me`; the best first.

    `at` is aware UTC: whoever was erased by then has left. `final` counts only what was decided for. One query for
    the places and one for the people, however many friends there are.
    """
    found = _places(contest, at, (Status.APPROVED,) if final else IN_FORCE, me)
    if most is not None:
        found = found.filter(shown__lte=most + 1)
    rows = [row for row in found if most is None or row["place"] <= most or (me and row["who"] == me.pk)]
    people = Customer.objects.for_store(contest.store).select_related("store").in_bulk([row["who"] for row in rows])
    return [
        Row(row["place"], people[row["who"]], row["friends"], row["total"] - row["friends"], row["reached_at"])
        for row in rows
    ]


def _places(
    contest: Contest, at: datetime, statuses: Sequence[Referral.Status], me: Customer | None
) -> QuerySet[Any, dict[str, Any]]:
    """Per person: friends, when they were reached, place; `shown` is the place after `me`, who comes first there.

    Whoever was found to be somebody else counts as that one.
    """
    rows = in_window(contest).filter(Q(advocate__erased_at=None) | Q(advocate__erased_at__gt=at), status__in=statuses)
    people = rows.annotate(who=Coalesce("advocate__merged_into", "advocate")).values("who")
    counted = people.annotate(
        friends=Count("pk", filter=Q(status=Status.APPROVED)),
        total=Count("pk"),
        reached_at=Max("order__placed_at"),
        first=Min("pk"),
    )
    ahead = [F("total").desc(), F("reached_at").asc(), F("first").asc()]
    others = Case(When(who=me.pk, then=Value(0)), default=Value(1)) if me else Value(1)
    ranked: QuerySet[Any, dict[str, Any]] = counted.annotate(
        place=Window(RowNumber(), order_by=ahead), shown=Window(RowNumber(), order_by=[others, *ahead])
    )
    return ranked.order_by("place")


def in_window(contest: Contest) -> QuerySet[Any]:
    """Every referral, whatever became of it, whose friend bought while the contest ran; partner stores take no part."""
    rows: QuerySet[Any] = Referral.objects.for_store(contest.store).exclude(program__audience=Program.Audience.STORES)
    return rows.filter(order__placed_at__gte=contest.starts_at, order__placed_at__lt=contest.ends_at)


def undecided(contest: Contest) -> int:
    """How many friends of the contest may still count or not."""
    return in_window(contest).filter(status__in=UNDECIDED).count()


def prizes_of(contest: Contest) -> list[Prize]:
    """The prizes, the best place first."""
    return list(
        Prize.objects.for_store(contest.store).filter(contest=contest).select_related("offer").order_by("first")
    )


def won_by(place: int, prizes: Sequence[Prize], consolation: Offer | None) -> Offer | None:
    """What a place brings: its prize, else what everybody with a friend gets."""
    return next((prize.offer for prize in prizes if prize.first <= place <= prize.last), consolation)


def standings_of(contest: Contest) -> QuerySet[Any]:
    """What was written down when it was closed, the best first."""
    rows: QuerySet[Any] = Standing.objects.for_store(contest.store).filter(contest=contest)
    return rows.select_related("customer__merged_into", "reward__offer").order_by("place")


# -- Looking again --


@dataclass(frozen=True)
class Difference:
    """Somebody whose place or friends today are not what was written down. None: not there."""

    customer: Customer
    written: Standing | None
    now: Row | None
    would_win: Offer | None  # by today's place
    same_as: Customer | None = None  # whoever they were found to be, with a place of their own

    @property
    def is_other_prize(self) -> bool:
        """Whether today's place would bring something else than what they hold."""
        reward = self.written.reward if self.written else None
        held = reward.offer_id if reward and reward.status != reward.Status.VOIDED else None
        return held != (self.would_win.pk if self.would_win else None)


def recheck(contest: Contest) -> list[Difference]:
    """Count a closed contest again, and tell where the data of today says something else; nothing is changed.

    Purchases sent back after the closing show here, and friends who counted only later.
    """
    assert contest.closed_at is not None
    prizes, found, seen = prizes_of(contest), [], set()
    now = {row.customer.pk: row for row in leaderboard(contest, contest.closed_at, final=True)}
    for written in standings_of(contest):
        person: Customer = written.customer.today
        if person.pk in seen:
            found.append(Difference(written.customer, written, None, None, same_as=person))
            continue
        seen.add(person.pk)
        row = now.pop(person.pk, None)
        if row is None or (row.place, row.friends) != (written.place, written.friends):
            found.append(Difference(person, written, row, _gift(row, prizes, contest)))
    return [*found, *(Difference(row.customer, None, row, _gift(row, prizes, contest)) for row in now.values())]


def _gift(row: Row | None, prizes: Sequence[Prize], contest: Contest) -> Offer | None:
    return won_by(row.place, prizes, contest.consolation) if row else None
