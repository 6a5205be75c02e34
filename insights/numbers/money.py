"""What friends brought and what it cost, in the store's currency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet, Sum

from insights.numbers import people
from insights.numbers.period import STEPS, Period, steps, twice
from referrals.models import Referral
from rewards.models import Account, Entry
from stores.models import Store


@dataclass(frozen=True)
class Series:
    """A number over the period: its steps, its sum, and its sum over the period before."""

    steps: list[int]
    total: int
    before: int

    @classmethod
    def halves(cls, values: list[int]) -> Series:
        """From the steps of both periods, the earlier first."""
        return cls(values[STEPS:], sum(values[STEPS:]), sum(values[:STEPS]))

    @property
    def change(self) -> float | None:
        """By how much it differs from the period before, as a part of it; None when that was nothing."""
        return (self.total - self.before) / self.before if self.before else None


@dataclass(frozen=True)
class Brought:
    """New customers and sales from friends (minor units), and what the rewards for them cost."""

    friends: Series
    sales: Series
    cost_minor: int

    @property
    def cost_rate(self) -> float | None:
        """The cost as a part of the sales."""
        return self.cost_minor / self.sales.total if self.sales.total else None


def brought(store: Store, period: Period) -> Brought:
    """What came of the program in the period: one query for the friends, one for the books."""
    rows = Referral.objects.for_store(store).filter(status__in=people.BOUGHT)
    counted = steps(rows, "created_at", twice(period), friends=Count("pk"), sales=people.net_sales(store))
    return Brought(
        friends=Series.halves([step.get("friends", 0) for step in counted]),
        sales=Series.halves([step.get("sales", 0) for step in counted]),
        cost_minor=-(costs(store, period).aggregate(sum=Sum("amount_minor"))["sum"] or 0),
    )


def costs(store: Store, period: Period) -> QuerySet[Any]:
    """The entries of the period on the store's COST account; a cost is negative there."""
    account = Account.objects.for_store(store).filter(kind=Account.Kind.COST, currency=store.currency)
    return Entry.objects.for_store(store).filter(account__in=account, **period.within("transaction__at"))


def sharing(store: Store, period: Period) -> list[int]:
    """Links that somebody opened, step by step."""
    rows = people.visits(store, period)
    counted = steps(rows, "at", twice(period)[STEPS:], links=Count("link", distinct=True))
    return [step.get("links", 0) for step in counted]
