"""What the program cost and what it brought: friends' purchases, less refunds, less rewards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet, Sum

from customers.models import Order
from insights.numbers import money, people
from insights.numbers.funnels import Piece
from insights.numbers.intervals import margin_of_sum
from insights.numbers.period import Period, Span, steps
from referrals.models import Program, Referral
from rewards.services.statements import BudgetStanding, budget_standings
from stores.models import Store

OTHER = ""  # the key of costs that belong to no program: apologies, prizes


@dataclass(frozen=True)
class Return:
    """Friends' purchases and the rewards' cost, in minor units of the store's currency.

    `first_minor` is what friends paid the first time, `later_minor` what they paid afterwards, both after refunds.
    """

    friends: int
    first_minor: int
    later: int
    later_minor: int
    cost_minor: int
    first_margin_minor: int | None = None  # how far chance alone moves `first_minor`; None: too few to tell

    @property
    def sales_minor(self) -> int:
        """All that friends paid."""
        return self.first_minor + self.later_minor

    @property
    def net_minor(self) -> int:
        """What is left of it after rewards."""
        return self.sales_minor - self.cost_minor

    @property
    def cost_rate(self) -> float | None:
        """The cost as a part of the sales."""
        return self.cost_minor / self.sales_minor if self.sales_minor else None

    @property
    def cost_of_one_minor(self) -> int | None:
        """What rewards came to for one new customer."""
        return round(self.cost_minor / self.friends) if self.friends else None

    def gained_minor(self, margin: int) -> int:
        """What is left of the margin (percent of a sale) after rewards, in minor units."""
        return round(self.sales_minor * margin / 100) - self.cost_minor

    def earned_for_one(self, margin: int) -> float | None:
        """What each unit spent on rewards brought back, by the margin."""
        return self.sales_minor * margin / 100 / self.cost_minor if self.cost_minor > 0 else None


def later_purchases(store: Store, span: Span) -> QuerySet[Any]:
    """What friends bought again after the purchase that was credited; cancelled and refunded ones are left out."""
    earlier = Referral.objects.for_store(store).filter(
        friend=OuterRef("customer"), status__in=people.BOUGHT, order__placed_at__lt=OuterRef("placed_at")
    )
    standing: QuerySet[Any] = Order.objects.for_store(store).standing()
    return standing.filter(Exists(earlier), **span.within("placed_at"))


def returned(store: Store, span: Span) -> Return:
    """The whole of a time; three queries."""
    sums = {"count": Count("pk"), "sales": people.net_sales(store), "squares": people.squared_sales(store)}
    first = people.bought(store, span).aggregate(**sums)
    later = later_purchases(store, span).aggregate(count=Count("pk"), sales=people.net_sales(store, ""))
    cost = -(money.costs(store, span).aggregate(sum=Sum("amount_minor"))["sum"] or 0)
    margin = margin_of_sum(first["squares"], first["count"])
    shown = None if margin is None else money.whole(margin, store.currency)
    return Return(first["count"], first["sales"], later["count"], later["sales"], cost, shown)


# -- Over time --


def by_piece(store: Store, period: Period, pieces: list[Piece]) -> list[Return]:
    """The same for each piece of the time; three queries."""
    edges = [piece.start for piece in pieces] + [pieces[-1].end]
    sales = people.net_sales(store)
    first = steps(people.bought(store, period), "created_at", edges, count=Count("pk"), sales=sales)
    later_sales = people.net_sales(store, "")
    later = steps(later_purchases(store, period), "placed_at", edges, count=Count("pk"), sales=later_sales)
    cost = steps(money.costs(store, period), "transaction__at", edges, sum=Sum("amount_minor"))
    return [
        Return(a.get("count", 0), a.get("sales", 0), b.get("count", 0), b.get("sales", 0), -c.get("sum", 0))
        for a, b, c in zip(first, later, cost, strict=True)
    ]


# -- What it was spent on --


@dataclass(frozen=True)
class Spending:
    """What one kind of transaction cost in the time (below zero: it came back)."""

    fact: str
    count: int
    cost_minor: int


def by_fact(store: Store, span: Span) -> list[Spending]:
    """The cost by what happened, the largest first; one query."""
    rows = (
        money.costs(store, span)
        .order_by()
        .values("transaction__kind")
        .annotate(count=Count("pk"), sum=Sum("amount_minor"))
    )
    found = [Spending(row["transaction__kind"], row["count"], -row["sum"]) for row in rows]
    return sorted(found, key=lambda one: -abs(one.cost_minor))


# -- By program --


@dataclass(frozen=True)
class ProgramReturn:
    """What one program brought and cost; `standing` has what it has promised besides. Without a program: the rest."""

    program: Program | None
    friends: int
    first_minor: int
    cost_minor: int
    standing: BudgetStanding | None

    @property
    def net_minor(self) -> int:
        """First purchases less cost."""
        return self.first_minor - self.cost_minor


def by_program(store: Store, period: Period) -> list[ProgramReturn]:
    """Each program of the store with friends, cost or promises; five queries."""
    sums = {"friends": Count("pk"), "sales": people.net_sales(store)}
    brought = {
        row["program"]: row for row in people.bought(store, period).order_by().values("program").annotate(**sums)
    }
    spent = money.costs(store, period).order_by().values("account__budget").annotate(sum=Sum("amount_minor"))
    costs = {row["account__budget"]: -row["sum"] for row in spent}
    programs = list(Program.objects.for_store(store).select_related("budget").order_by("pk"))
    standings = budget_standings(store, [one.budget for one in programs], period.end)
    found = [
        ProgramReturn(
            one,
            brought.get(one.pk, {}).get("friends", 0),
            brought.get(one.pk, {}).get("sales", 0),
            costs.pop(one.budget_id, 0),
            standings[one.budget_id],
        )
        for one in programs
    ]
    found = [one for one in found if one.friends or one.cost_minor or (one.standing and one.standing.promised_minor)]
    rest = sum(costs.values())
    return found + ([ProgramReturn(None, 0, 0, rest, None)] if rest else [])
