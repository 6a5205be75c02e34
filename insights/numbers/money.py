"""What friends brought and what it cost, in the store's currency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet, Sum

from insights.numbers import people
from insights.numbers.intervals import margin_of_count, margin_of_sum
from insights.numbers.kept import kept
from insights.numbers.period import STEPS, Period, Span, steps, twice
from referrals.models import Referral
from rewards.models import Account, Entry
from stores.l10n import exponent
from stores.models import Store
from surveys.rules import ENOUGH


def whole(minor: float, currency: str) -> int:
    """A worked-out amount without digits that say nothing: whole units from a hundred on (of rials, tomans)."""
    unit = max(10 ** exponent(currency), 10)
    return round(minor / unit) * unit if abs(minor) >= 100 * unit else round(minor)


@dataclass(frozen=True)
class Series:
    """A number over the period: its steps, its sum, and its sum over the period before."""

    steps: list[int]
    total: int
    before: int
    margin: float | None = None  # how far chance alone moves the sum; None where there are too few to tell

    @classmethod
    def halves(cls, values: list[int], margin: float | None = None) -> Series:
        """From the steps of both periods, the earlier first."""
        return cls(values[STEPS:], sum(values[STEPS:]), sum(values[:STEPS]), margin)

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

    @property
    def sales_margin(self) -> int:
        """How far chance alone moves the sales, in minor units; 0 where nothing can be said."""
        return round(self.sales.margin or 0)

    @property
    def can_compare(self) -> bool:
        """Whether there were friends enough, before too, for a change in percent."""
        return min(self.friends.total, self.friends.before) >= ENOUGH


def brought(store: Store, period: Period) -> Brought:
    """What came of the program in the period: one query for the friends, one for the books."""
    counted, cost = kept("brought", store, period, lambda: (_friends(store, period), _cost(store, period)))
    friends = [step.get("friends", 0) for step in counted]
    now = sum(friends[STEPS:])
    margin = margin_of_sum(sum(step.get("squares", 0) for step in counted[STEPS:]), now)
    return Brought(
        friends=Series.halves(friends, margin_of_count(now)),
        sales=Series.halves([step.get("sales", 0) for step in counted], margin and whole(margin, store.currency)),
        cost_minor=cost,
    )


def _friends(store: Store, period: Period) -> list[dict[str, Any]]:
    rows = Referral.objects.for_store(store).filter(status__in=people.BOUGHT)
    sums = {"friends": Count("pk"), "sales": people.net_sales(store), "squares": people.squared_sales(store)}
    return steps(rows, "created_at", twice(period), **sums)


def _cost(store: Store, span: Span) -> int:
    return -(costs(store, span).aggregate(sum=Sum("amount_minor"))["sum"] or 0)


def costs(store: Store, span: Span) -> QuerySet[Any]:
    """The entries of a time on the store's COST account; a cost is negative there."""
    account = Account.objects.for_store(store).filter(kind=Account.Kind.COST, currency=store.currency)
    return Entry.objects.for_store(store).filter(account__in=account, **span.within("transaction__at"))


def sharing(store: Store, period: Period) -> list[int]:
    """Links that somebody opened, step by step."""
    return kept("sharing", store, period, lambda: _sharing(store, period))


def _sharing(store: Store, period: Period) -> list[int]:
    rows = people.visits(store, period)
    counted = steps(rows, "at", twice(period)[STEPS:], links=Count("link", distinct=True))
    return [step.get("links", 0) for step in counted]
