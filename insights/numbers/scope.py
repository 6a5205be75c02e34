"""What a report looks at: a time, and filters that each step of the funnel knows or does not know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

from customers.models import Customer
from insights.addresses import moment, named, one_of
from insights.numbers import people
from insights.numbers.people import AskedBy
from insights.numbers.period import Period
from outreach.models import Task, TaskEvent
from referrals.models import PrintRun, Program, Referral
from rewards.models import Redemption
from stores.models import Location, Membership, Store

STEPS = ("asked", "shared", "visits", "claims", "bought", "counted")
# What knows a filter: the advocate is known at every step, the friend's purchase at the end.
# "any": a friend's purchase whatever became of it.
ALL, FROM_CLAIM, FROM_PURCHASE = (*STEPS, "any"), (*STEPS[3:], "any"), (*STEPS[4:], "any")
KNOWN = {
    "way": ALL,
    "advocate": ALL,
    "program": (*FROM_CLAIM, "costs"),
    "run": (*STEPS[2:], "any"),
    "came": FROM_PURCHASE,
    "location": FROM_PURCHASE,
    "staff": ("asked", *FROM_PURCHASE),
}


@dataclass(frozen=True)
class Scope:
    """The time and the filters of a report, as its address has them; '' and None are no filter.

    `way` is how the advocate was asked in the period, `came` what speaks for a friend's purchase, `run` what was
    printed with the link; `since` and `until` (not included) cut a piece out of the time.
    """

    period: Period
    way: AskedBy | None = None
    came: Referral.Evidence | None = None
    program: Program | None = None
    run: PrintRun | None = None
    location: Location | None = None
    staff: Membership | None = None
    advocate: Customer | None = None
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def chosen(cls, store: Store, asked: QueryDict, at: datetime) -> Scope:
        """From an address; Http404 for one that names what the store does not have."""
        return cls(
            period=Period.chosen(asked.get("days", ""), at),
            way=one_of(AskedBy, asked.get("way")),
            came=one_of(Referral.Evidence, asked.get("came")),
            program=named(Program, store, "public_id", asked.get("program", "")),
            run=named(PrintRun, store, "public_id", asked.get("run", "")),
            location=named(Location, store, "public_id", asked.get("location", "")),
            staff=named(Membership, store, "pk", asked.get("staff", "")),
            advocate=named(Customer, store, "public_id", asked.get("advocate", "")),
            since=moment(asked.get("since", "")),
            until=moment(asked.get("until", "")),
        )

    def within(self, column: str) -> dict[str, datetime]:
        """The filter for rows of its time: of the piece, where both of its ends are set, whatever the period."""
        ends = {f"{column}__gte": self.since, f"{column}__lt": self.until}
        cut = {key: value for key, value in ends.items() if value}
        return cut if self.piece else self.period.within(column) | cut

    @property
    def piece(self) -> tuple[datetime, datetime] | None:
        """The first and the last moment of a piece of the time; None where the period is looked at whole."""
        return (self.since, self.until - timedelta(microseconds=1)) if self.since and self.until else None

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are set, as they stand in an address."""
        set_to = {
            "way": self.way or "",
            "came": self.came or "",
            "program": self.program.public_id if self.program else "",
            "run": self.run.public_id if self.run else "",
            "location": self.location.public_id if self.location else "",
            "staff": str(self.staff.pk) if self.staff else "",
            "advocate": self.advocate.public_id if self.advocate else "",
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return {name: str(value) for name, value in set_to.items() if value}

    def address(self, **changes: str | None) -> str:
        """The address's part after "?", with other filters; '' takes one away."""
        together = {"days": str(self.period.days)} | self.filters | changes
        return "?" + urlencode({name: value for name, value in together.items() if value})

    def knows(self, what: str) -> bool:
        """Whether a step, or another list of rows, can be told by all the filters that are set."""
        return all(what in KNOWN[name] for name in self.filters if name in KNOWN)


# The column by which the rows of a step name the advocate.
WHO = {
    "asked": "pk",
    "shared": "pk",
    "visits": "link__customer",
    "claims": "link__customer",
    "bought": "advocate",
    "counted": "advocate",
    "any": "advocate",
}


def rows(store: Store, step: str, scope: Scope) -> QuerySet[Any]:
    """The rows of a step that the scope `knows`: customers, visits, claims or referrals."""
    found: QuerySet[Any] = MAKERS[step](store, scope)
    if scope.way:
        found = found.filter(was_asked(store, scope, scope.way, step))
    if scope.advocate:
        one = Customer.objects.for_store(store).filter(Q(pk=scope.advocate.pk) | Q(merged_into=scope.advocate.pk))
        found = found.filter(**{f"{WHO[step]}__in": one.values("pk")})
    if scope.program:
        found = found.filter(program=scope.program)
    if scope.came:
        found = found.filter(evidence=scope.came)
    if scope.run:
        found = found.filter(link__run=scope.run)
    if scope.location:
        found = found.filter(order__location=scope.location)
    if scope.staff:
        found = found.filter(was_staff(store, scope, scope.staff, step))
    return found


def was_asked(store: Store, scope: Scope, way: AskedBy, step: str) -> Q:
    """The condition on the rows of a step that their advocate was asked so in the whole period, or not at all."""
    ids = people.asked(store, scope.period, None if way is AskedBy.NOT else way)
    condition = Q(**{f"{WHO[step]}__in": ids})
    return ~condition if way is AskedBy.NOT else condition


def _customers(ids: Callable[[Store, Scope], QuerySet[Any]]) -> Callable[[Store, Scope], QuerySet[Any]]:
    return lambda store, scope: Customer.objects.for_store(store).filter(pk__in=ids(store, scope))


def _any(store: Store, scope: Scope) -> QuerySet[Any]:
    return Referral.objects.for_store(store).filter(**scope.within("created_at"))


def _counted(store: Store, scope: Scope) -> QuerySet[Any]:
    return people.bought(store, scope).filter(status=Referral.Status.APPROVED)


MAKERS: dict[str, Callable[[Store, Scope], QuerySet[Any]]] = {
    "asked": _customers(people.asked),
    "shared": _customers(people.sharers),
    "visits": people.visits,
    "claims": people.claims,
    "bought": people.bought,
    "counted": _counted,
    "any": _any,
}


def asks_of_staff(store: Store) -> QuerySet[Any]:
    """The asks that somebody of the store made: by phone, by hand, in person."""
    made = TaskEvent.objects.for_store(store).filter(status=Task.Status.DONE, task__status=Task.Status.DONE)
    return made.filter(task__message__kind__in=people.ASKS)


def was_staff(store: Store, scope: Scope, who: Membership, step: str) -> Q:
    """The condition on the rows of a step that this person asked in the time, or redeemed the friend's gift."""
    if step == "asked":
        asks = asks_of_staff(store).filter(by=who.user_id, **scope.within("task__message__due_at"))
        return Q(pk__in=asks.values("task__customer"))
    used = Redemption.objects.for_store(store).filter(by=who.user_id, reversed_at=None).exclude(order=None)
    return Q(order__in=used.values("order"))


def team_of(store: Store) -> QuerySet[Any]:
    """Everybody of the store, by their place in it."""
    return Membership.objects.for_store(store).select_related("user").order_by("pk")
