"""Two stores that send each other customers, for tests: by default Rosewater Café and Elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

from customers.models import Order
from customers.services import OrderData, Person, record_order
from referrals.models import Partnership, PartnerStatement, Referral, ShareLink
from referrals.services import attribution, deciding, later, partner_statements, partners, refunds
from referrals.services.partners import Deal
from stores.models import Store
from stores.tenancy import acting_for
from tests.conftest import NOW, make_order_of

DAY = timedelta(days=1)
LONG = timedelta(days=4000)
DEAL = Deal(10, 12)
numbers = count(1)


def side_of(store: Store, agreement: str) -> Partnership:
    """One store's row, read inside its wall."""
    with acting_for(store):
        return (
            partners.partnerships(store)
            .select_related("store", "customer__store", "program__terms")
            .get(agreement=agreement)
        )


def offered(store: Store, other: Store, deal: Deal = DEAL, at: datetime = NOW) -> str:
    """The agreement that `store` offers to `other`."""
    with acting_for(store):
        return partners.offer(store, other.slug, deal, by=None, at=at).agreement


def agreed(store: Store, other: Store, deal: Deal = DEAL, at: datetime = NOW) -> str:
    """An agreement of both."""
    agreement = offered(store, other, deal, at)
    with acting_for(other):
        assert partners.accept(side_of(other, agreement), by=None, at=at)
    return agreement


def link_of(store: Store, agreement: str) -> ShareLink:
    """By which the other store's customers come to this one."""
    with acting_for(store):
        links = ShareLink.objects.for_store(store).select_related("customer__store", "store")
        return links.get(customer=side_of(store, agreement).customer)


def buys(store: Store, agreement: str, total: int = 100_000, *, at: datetime, name: str = "") -> Order:
    """Somebody comes by the partner's link and buys; a name that bought before buys again."""
    name = name or f"Friend {next(numbers)}"
    person = Person(name, f"{name.lower().replace(' ', '.')}@example.com")
    with acting_for(store):
        code = link_of(store, agreement).code_norm
        return make_order_of(store, person, at=at, total_minor=total, code=code, lines=())


def send_back(order: Order, minor: int, *, at: datetime) -> None:
    """So much of it came back by now."""
    with acting_for(order.store):
        told = OrderData(
            order.source, order.external_id, order.currency, order.total_minor, order.placed_at, refunded_minor=minor
        )
        record_order(order.store, told, at=at)
        refunds.answer_refunds(order.store, at, since=NOW - LONG)


def engine(store: Store, at: datetime) -> None:
    """Everything that comes round by itself and is about money, but for settling."""
    with acting_for(store):
        attribution.attribute_orders(store, at, since=NOW - LONG)
        deciding.approve_due(store, at)
        later.reward_later(store, at, since=NOW - LONG)


def settle(store: Store, at: datetime) -> int:
    """The paying store's sweep."""
    with acting_for(store):
        return partner_statements.settle_due(store, at)


def statements(store: Store) -> list[PartnerStatement]:
    """All copies of a store, the oldest first."""
    with acting_for(store):
        return list(PartnerStatement.objects.for_store(store).order_by("month", "is_payer", "currency"))


def figures(store: Store, *, payer: bool) -> list[tuple[object, ...]]:
    """What a store's copies say."""
    names = ("month", "currency", "friends", "orders", "sales_minor", "commission_minor", "corrections_minor")
    return [tuple(getattr(one, name) for name in names) for one in statements(store) if one.is_payer == payer]


def referrals_of(store: Store) -> list[Referral]:
    """The store's referrals, the oldest first."""
    with acting_for(store):
        return list(Referral.objects.for_store(store).select_related("advocate", "program").order_by("pk"))
