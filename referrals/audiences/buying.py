"""Facts about what customers bought."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, Sum
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from customers.models import Customer, Order, OrderQuerySet
from referrals.audiences import fifths
from referrals.audiences.facts import counted, fact
from referrals.audiences.values import Money, OneOf, Range, Whole, isolated, number
from stores.l10n import format_money
from stores.models import Store

BUYING = lazy("What they bought")
MOST_DAYS, MOST_ORDERS = 3650, 10_000
_DAYS, _ORDERS = Whole(1, MOST_DAYS, 90), Whole(1, MOST_ORDERS, 2)


def _standing(store: Store, at: datetime) -> OrderQuerySet:
    orders: OrderQuerySet = Order.objects.for_store(store)
    return orders.standing().filter(placed_at__lte=at, customer__isnull=False)


def _theirs(store: Store, at: datetime) -> OrderQuerySet:
    return _standing(store, at).filter(customer=OuterRef("pk"))


@fact(
    BUYING,
    lazy("Bought within the last (days)"),
    _DAYS,
    lambda _names, n: counted(ngettext("Bought within the last %(n)s day", "Bought within the last %(n)s days", n), n),
)
def bought_within(store: Store, days: int, at: datetime) -> Q:
    """Their last standing order is at most `days` old."""
    return Q(Exists(_theirs(store, at).filter(placed_at__gte=at - timedelta(days=days))))


@fact(
    BUYING,
    lazy("Bought before, but not within the last (days)"),
    _DAYS,
    lambda _names, n: counted(
        ngettext(
            "Bought before, but not within the last %(n)s day", "Bought before, but not within the last %(n)s days", n
        ),
        n,
    ),
)
def bought_before(store: Store, days: int, at: datetime) -> Q:
    """Their last standing order is older than `days`; who never bought is not meant."""
    return Q(Exists(_theirs(store, at))) & ~bought_within(store, days, at)


@fact(
    BUYING,
    lazy("Orders, at least"),
    _ORDERS,
    lambda _names, n: counted(ngettext("Has bought at least once", "Has bought at least %(n)s times", n), n),
)
def orders_at_least(store: Store, least: int, at: datetime) -> Q:
    """They have that many standing orders, or more."""
    buyers = _standing(store, at).order_by().values("customer").annotate(n=Count("pk")).filter(n__gte=least)
    return Q(pk__in=buyers.values("customer"))


@fact(
    BUYING,
    lazy("Orders, at most"),
    Whole(0, MOST_ORDERS, 1),
    lambda _names, n: (
        counted(ngettext("Has bought at most once", "Has bought at most %(n)s times", n), n)
        if n
        else _("Has never bought")
    ),
)
def orders_at_most(store: Store, most: int, at: datetime) -> Q:
    """They have that many standing orders, or fewer; none counts, too."""
    stands = Q(orders__cancelled_at=None, orders__refunded_at=None, orders__placed_at__lte=at)
    counted = Customer.objects.for_store(store).order_by().annotate(n=Count("orders", filter=stands))
    return Q(pk__in=counted.filter(n__lte=most).values("pk"))


@fact(
    BUYING,
    lazy("Spent, at least"),
    Money(),
    lambda names, minor: (
        _("Has spent at least %(amount)s")
        % {"amount": format_money(minor, names.store.currency, get_language() or "en", toman=names.store.toman)}
    ),
)
def spent_at_least(store: Store, minor: int, at: datetime) -> Q:
    """What the store kept of their standing orders in its own currency; minor units."""
    orders = _standing(store, at).filter(currency=store.currency).order_by().values("customer")
    spent = orders.annotate(sum=Sum(F("total_minor") - F("refunded_minor"))).filter(sum__gte=minor)
    return Q(pk__in=spent.values("customer"))


@fact(
    BUYING,
    lazy("How lately they bought, in fifths"),
    Range(),
    lambda _names, value: (
        (
            _("By how lately they bought: fifth %(lowest)s of 5 (5 is latest)")
            if value[0] == value[1]
            else _("By how lately they bought: fifths %(lowest)s to %(highest)s of 5 (5 is latest)")
        )
        % _ends(value)
    ),
)
def recency(store: Store, value: list[int], at: datetime) -> Q:
    """Their recency score lies in the range."""
    return fifths.within(store, {"recency": (value[0], value[1])}, at)


@fact(
    BUYING,
    lazy("How often they bought, in fifths"),
    Range(),
    lambda _names, value: (
        (
            _("By how often they bought: fifth %(lowest)s of 5 (5 is most often)")
            if value[0] == value[1]
            else _("By how often they bought: fifths %(lowest)s to %(highest)s of 5 (5 is most often)")
        )
        % _ends(value)
    ),
)
def frequency(store: Store, value: list[int], at: datetime) -> Q:
    """Their frequency score lies in the range."""
    return fifths.within(store, {"frequency": (value[0], value[1])}, at)


@fact(
    BUYING,
    lazy("How much they spent, in fifths"),
    Range(),
    lambda _names, value: (
        (
            _("By how much they spent: fifth %(lowest)s of 5 (5 is most)")
            if value[0] == value[1]
            else _("By how much they spent: fifths %(lowest)s to %(highest)s of 5 (5 is most)")
        )
        % _ends(value)
    ),
)
def spend(store: Store, value: list[int], at: datetime) -> Q:
    """Their spend score lies in the range."""
    return fifths.within(store, {"spend": (value[0], value[1])}, at)


def _ends(value: list[int]) -> dict[str, str]:
    return {"lowest": number(value[0]), "highest": number(value[1])}


@fact(
    BUYING,
    lazy("Bought at"),
    OneOf(lambda names: names.locations, is_open=True),
    lambda names, code: _("Bought at %(place)s") % {"place": isolated(names.locations.get(code) or code)},
)
def location(store: Store, code: str, at: datetime) -> Q:
    """A standing order of theirs was placed at the branch with this code."""
    return Q(Exists(_theirs(store, at).filter(location__code=code)))
