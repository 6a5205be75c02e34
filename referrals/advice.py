"""Advice on a program from the store's own orders, in plain words, with the numbers behind them.

Sources (EFFECTIVENESS.md, table of section 1): an amount looks bigger on dear goods, a percentage on
cheap ones [15]; rewards on both sides bring more [13]; larger rewards bring more, but less profitable
customers [20], so that the cost of one friend is set against what their purchase leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BigIntegerField, Case, Count, Exists, F, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Least
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.models import Order
from referrals import changes
from referrals.services.terms import OfferTerms, average_order
from rewards.models import Offer
from rewards.rules import Promise, expected
from stores.l10n import exponent
from stores.models import Store

CHEAP_UNTIL = 100  # in the money people count in [15]
YEAR, MONTH = timedelta(days=365), timedelta(days=30)


@dataclass(frozen=True)
class Sales:
    """What the store's orders say, in minor units of its currency."""

    average_minor: int  # of an order of the last year
    sold_minor: int  # in the last year, with what was sent back or cancelled
    back_minor: int  # of it sent back or cancelled
    first_orders: int  # first purchases of new customers in the last 30 days
    first_minor: int

    @property
    def return_rate(self) -> float:
        """The share of sales that comes back."""
        return self.back_minor / self.sold_minor if self.sold_minor else 0.0


@dataclass(frozen=True)
class Advice:
    """One piece of advice: a sentence, and the numbers behind it as label and value."""

    text: str
    numbers: list[tuple[str, str]]


def sales_of(store: Store, at: datetime) -> Sales | None:
    """The store's sales before `at` (aware UTC); None without orders. A fixed number of queries."""
    average = average_order(store, at)
    if not average:
        return None
    year = _orders(store, at - YEAR, at)
    gone = Q(cancelled_at__isnull=False) | Q(refunded_at__isnull=False)
    back = Case(When(gone, then=F("total_minor")), default=Least("refunded_minor", "total_minor"))
    totals = year.aggregate(sold=Sum("total_minor"), back=Sum(back))
    firsts = first_orders(store, at).aggregate(number=Count("pk"), total=Sum("total_minor"))
    return Sales(average, totals["sold"] or 0, totals["back"] or 0, firsts["number"], firsts["total"] or 0)


def first_orders(store: Store, at: datetime) -> QuerySet[Order]:
    """First purchases, of the last 30 days, of people who had not bought before: what friends' would be like."""
    before = Order.objects.for_store(store).filter(
        customer=OuterRef("customer"), placed_at__lt=OuterRef("placed_at"), cancelled_at=None
    )
    recent = _orders(store, at - MONTH, at).filter(cancelled_at=None, refunded_at=None, customer__isnull=False)
    return recent.filter(~Exists(before))


def _orders(store: Store, since: datetime, until: datetime) -> QuerySet[Order]:
    mine: QuerySet[Order] = Order.objects.for_store(store).filter(currency=store.currency)
    return mine.filter(placed_at__gt=since, placed_at__lte=until)


def advise(
    friend: OfferTerms,
    advocate: OfferTerms | None,
    store: Store,
    at: datetime,
    *,
    margin: int | None = None,
    average_minor: int | None = None,
) -> list[Advice]:
    """What the store's orders say about these two gifts; `margin` in percent of a sale.

    While there are no orders it speaks of a usual purchase of `average_minor`; empty without that, too.
    """
    sales = sales_of(store, at) or (Sales(average_minor, 0, 0, 0, 0) if average_minor else None)
    if sales is None:
        return []
    pieces = [_kind(friend, sales, store), _cost(friend, advocate, sales, store, margin)]
    return [*pieces, *_last_month(friend, advocate, sales, store, at)]


# -- Percent or amount --


def _kind(terms: OfferTerms, sales: Sales, store: Store) -> Advice:
    """Percentages look bigger on cheap goods, amounts on dear ones, by the store's own average order."""
    average = sales.average_minor
    words = {"average": changes.money(average, store)}
    numbers = [(_("Average order of the last year"), words["average"])]
    is_dear = average > CHEAP_UNTIL * 10 ** (exponent(store.currency) + store.toman)
    if terms.kind == Offer.Kind.PERCENT_OFF and is_dear:
        words |= {
            "percent": changes.number(terms.percent or 0),
            "amount": changes.money(average * (terms.percent or 0) // 100, store),
        }
        sentence = _(
            "Your average order is %(average)s. For dear goods an amount looks bigger: "
            "%(amount)s off costs you about the same as %(percent)s%%."
        )
    elif terms.kind == Offer.Kind.FIXED_OFF and not is_dear:
        words["percent"] = changes.number(max(1, round(100 * (terms.amount_minor or 0) / average)))
        sentence = _(
            "Your average order is %(average)s. For cheap goods a percentage looks bigger: "
            "%(percent)s%% off costs you about the same."
        )
    else:
        sentence = _("Your average order is %(average)s: this kind of gift suits it.")
    return Advice(sentence % words, numbers)


# -- What one friend costs, and may cost --


def cost_of(terms: OfferTerms | None, bill_minor: int) -> int:
    """What an offer costs on a bill of that size, in minor units; nothing below its smallest bill."""
    if terms is None or bill_minor < terms.minimum_minor:
        return 0
    promise = Promise(terms.percent, terms.amount_minor, terms.minimum_minor)
    worth = expected(promise, bill_minor)
    capped = worth if terms.most_minor is None else min(worth, terms.most_minor)
    return min(capped, bill_minor) if terms.kind in (Offer.Kind.PERCENT_OFF, Offer.Kind.FIXED_OFF) else capped


def _cost(friend: OfferTerms, advocate: OfferTerms | None, sales: Sales, store: Store, margin: int | None) -> Advice:
    average = sales.average_minor
    mine, theirs = cost_of(advocate, average), cost_of(friend, average)
    cost = mine + theirs
    numbers = [
        (_("The friend's gift on an average order"), changes.money(theirs, store)),
        (_("The customer's reward"), changes.money(mine, store)),
        (_("Sent back or cancelled, of what you sold in a year"), _share(sales.return_rate)),
    ]
    words = {"cost": changes.money(cost, store), "average": changes.money(average, store)}
    if margin is None:
        sentence = _(
            "A friend who buys for %(average)s costs you about %(cost)s. Write below what is left to you of a "
            "sale, and you see what they may cost."
        )
        return Advice(sentence % words, numbers)
    left = may_cost(average, margin, sales.return_rate)
    words |= {"left": changes.money(left, store), "margin": changes.number(margin)}
    numbers.append((_("Left of an average order, without what comes back"), words["left"]))
    if cost <= left:
        words["rest"] = changes.money(left - cost, store)
        sentence = _(
            "A friend who buys for %(average)s leaves you %(left)s before rewards and costs about %(cost)s: "
            "%(rest)s stay with you from the first purchase on."
        )
    else:
        words["missing"] = changes.money(cost - left, store)
        sentence = _(
            "A friend who buys for %(average)s leaves you %(left)s before rewards but costs about %(cost)s: "
            "the first purchase is %(missing)s short. That pays only if friends come back."
        )
    return Advice(sentence % words, numbers)


def may_cost(average_minor: int, margin: int, return_rate: float) -> int:
    """What an average order leaves before rewards: the margin (percent) of what does not come back."""
    return int(average_minor * margin / 100 * (1 - return_rate))


def _share(ratio: float) -> str:
    return changes.percent(ratio)


# -- On last month's sales --


def _last_month(
    friend: OfferTerms, advocate: OfferTerms | None, sales: Sales, store: Store, at: datetime
) -> list[Advice]:
    if not sales.first_orders:
        return []
    costs = first_orders(store, at).aggregate(friend=Sum(_on_bill(friend)), advocate=Sum(_on_bill(advocate)))
    cost = (costs["friend"] or 0) + (costs["advocate"] or 0)
    words = {
        "count": changes.number(sales.first_orders),
        "cost": changes.money(cost, store),
        "sold": changes.money(sales.first_minor, store),
    }
    sentence = ngettext(
        "In the last 30 days %(count)s new customer bought for %(sold)s. Had a friend sent them, both gifts "
        "would have cost %(cost)s.",
        "In the last 30 days %(count)s new customers bought for %(sold)s. Had friends sent them all, both gifts "
        "would have cost %(cost)s.",
        sales.first_orders,
    )
    numbers = [
        (_("Gifts of the friends"), changes.money(costs["friend"] or 0, store)),
        (_("Rewards of the customers"), changes.money(costs["advocate"] or 0, store)),
        (_("Together, of those sales"), _share(cost / sales.first_minor if sales.first_minor else 0)),
    ]
    return [Advice(sentence % words, numbers)]


def _on_bill(terms: OfferTerms | None) -> Case | Value:
    """`cost_of` for the database, on each order's total."""
    if terms is None:
        return Value(0, output_field=BigIntegerField())
    total = F("total_minor")
    parts: list[Any] = []
    if terms.percent is None:
        parts = [Value(terms.amount_minor, output_field=BigIntegerField())]
        parts += [total] if terms.kind == Offer.Kind.FIXED_OFF else []
    else:
        parts = [total * terms.percent / 100]
        parts += [Value(terms.most_minor, output_field=BigIntegerField())] if terms.most_minor else []
    worth = Least(*parts) if len(parts) > 1 else parts[0]
    none = Value(0, output_field=BigIntegerField())
    return Case(When(total_minor__gte=terms.minimum_minor, then=worth), default=none, output_field=BigIntegerField())
