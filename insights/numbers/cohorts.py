"""Customers whom a friend sent against all others, each followed equally long after their first purchase.

Somebody who came a year ago has had more time to come back than somebody of last week. So everybody is followed for
the same number of days from their first purchase, and only those are in whose days are over. What this cannot tell
stands on the page: nobody was sent by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Avg,
    BigIntegerField,
    Count,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    Variance,
)
from django.db.models.functions import Cast, Coalesce

from customers.models import Order
from insights.numbers.intervals import Interval, Mean, Part, difference_of_means, difference_of_parts
from insights.numbers.people import BOUGHT
from referrals.models import Referral
from stores.models import Store

FOLLOWED = (30, 90, 180)  # days after the first purchase
CAME = (90, 365)  # days in which the first purchases lie
EVERYBODY = 2**31


@dataclass(frozen=True)
class Cohort:
    """First purchases in the `came` days before `until`, the last moment that leaves `followed` days until `end`."""

    came: int
    followed: int
    end: datetime

    @classmethod
    def chosen(cls, came: str, followed: str, at: datetime) -> Cohort:
        """By the address; a year of customers and 90 days each for anything else."""
        return cls(_one_of(came, CAME, CAME[-1]), _one_of(followed, FOLLOWED, 90), at)

    @property
    def until(self) -> datetime:
        """The last moment of a first purchase."""
        return self.end - timedelta(days=self.followed)

    @property
    def since(self) -> datetime:
        """The moment after which they begin."""
        return self.until - timedelta(days=self.came)

    @property
    def address(self) -> str:
        """As in an address, after "?"."""
        return f"?came={self.came}&followed={self.followed}"


def _one_of(typed: str, choices: tuple[int, ...], usual: int) -> int:
    return next((choice for choice in choices if str(choice) == typed), usual)


def firsts(store: Store, cohort: Cohort) -> QuerySet[Any]:
    """First purchases, each with what followed it: `is_friend`, `later` (purchases), `spent` (net, minor units).

    What was cancelled or sent back whole is no purchase. `spent` has the first one in it, and only what was paid in
    the store's currency. The purchase of a friend that counts, or may still count, makes its buyer a friend.
    """
    standing: QuerySet[Any] = Order.objects.for_store(store).standing()
    of_buyer = standing.filter(customer=OuterRef("customer")).order_by()
    earlier = Q(placed_at__lt=OuterRef("placed_at")) | Q(placed_at=OuterRef("placed_at"), pk__lt=OuterRef("pk"))
    end = ExpressionWrapper(OuterRef("placed_at") + Value(timedelta(days=cohort.followed)), DateTimeField())
    followed = of_buyer.filter(placed_at__gte=OuterRef("placed_at"), placed_at__lte=end)
    credited = Referral.objects.for_store(store).filter(order=OuterRef("pk"), status__in=BOUGHT)
    net = Cast(F("total_minor") - F("refunded_minor"), BigIntegerField())
    return (
        standing.filter(placed_at__gt=cohort.since, placed_at__lte=cohort.until)
        .exclude(customer=None)
        .exclude(Exists(of_buyer.filter(earlier)))
        .annotate(
            is_friend=Exists(credited),
            later=Subquery(followed.values("customer").annotate(found=Count("pk") - 1).values("found"), IntegerField()),
            spent=Coalesce(
                Subquery(
                    followed.filter(currency=store.currency)
                    .values("customer")
                    .annotate(found=Sum(net))
                    .values("found"),
                    BigIntegerField(),
                ),
                0,
            ),
        )
    )


@dataclass(frozen=True)
class Group:
    """Friends, or all others: who came back, how often they bought after the first time, what they spent (minor)."""

    people: int
    came_back: Part
    later: Mean
    spent: Mean


@dataclass(frozen=True)
class Comparison:
    """Both groups with the differences; those are None unless both groups are large enough."""

    friends: Group
    others: Group

    @property
    def is_enough(self) -> bool:
        """Whether both groups may be shown as more than numbers of people."""
        return self.friends.came_back.is_enough and self.others.came_back.is_enough

    @property
    def more_come_back(self) -> Interval | None:
        """How many more of the friends came back, -1..1."""
        return difference_of_parts(self.friends.came_back, self.others.came_back)

    @property
    def buy_more_often(self) -> Interval | None:
        """How many more purchases a friend made."""
        return difference_of_means(self.friends.later, self.others.later)

    @property
    def spend_more(self) -> Interval | None:
        """How much more a friend spent, in minor units."""
        return difference_of_means(self.friends.spent, self.others.spent)


def compare(store: Store, cohort: Cohort) -> Comparison:
    """Both groups; one query."""
    sums: dict[str, Any] = {}
    for name, condition in (("friends", Q(is_friend=True)), ("others", Q(is_friend=False))):
        sums |= {
            f"{name}_people": Count("pk", filter=condition),
            f"{name}_back": Count("pk", filter=condition & Q(later__gt=0)),
        }
        for what in ("later", "spent"):
            sums[f"{name}_{what}"] = Avg(what, filter=condition)
            sums[f"{name}_{what}_variance"] = Variance(what, sample=True, filter=condition)
    # The limit is none: it keeps Postgres from working `later` and `spent` out again for each sum of them.
    found = firsts(store, cohort).order_by()[:EVERYBODY].aggregate(**sums)
    return Comparison(_group(found, "friends"), _group(found, "others"))


def _group(found: dict[str, Any], name: str) -> Group:
    people = found[f"{name}_people"]

    def mean(what: str) -> Mean:
        return Mean(float(found[f"{name}_{what}"] or 0), float(found[f"{name}_{what}_variance"] or 0), people)

    return Group(people, Part(found[f"{name}_back"], people), mean("later"), mean("spent"))
