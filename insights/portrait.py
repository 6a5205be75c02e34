"""The facts of one customer's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from customers.models import Customer, Order
from insights.numbers.people import net_sales, tiers_of
from insights.rows import Cell, referral_cells, referral_header
from insights.words import voucher_name
from outreach.rendering import unsubscribe_url
from outreach.services import is_suppressed
from referrals.models import Referral, ShareLink
from referrals.reasons import evidence_of, rivals_of
from referrals.services.links import landing_url, share_page_url
from rewards.models import Account, Offer, Tier, Voucher
from rewards.wording import offer_text
from stores.models import Store
from surveys.models import RecoveryCase

FRIEND, SENT_BY = 0, 1  # columns of `rows.referral_cells`
SHOWN = 50  # referrals and vouchers on the page; all of them are in the lists


@dataclass(frozen=True)
class Ticket:
    """A voucher a customer holds, in words."""

    voucher: Voucher
    code: str
    gives: str


@dataclass(frozen=True)
class Portrait:
    """What is known of a customer; amounts in minor units of the store's currency."""

    orders: int
    spent_minor: int
    last_order_at: datetime | None
    link: ShareLink | None
    landing: str
    share_page: str
    preferences: str
    is_closed: bool  # an address of theirs must not be written to
    case: RecoveryCase | None
    credit_minor: int
    owed_minor: int
    tier: Tier | None
    vouchers: list[Ticket]
    made_header: list[str]
    made: list[list[Cell]]
    received_header: list[str]
    received: list[list[Cell]]
    why: list[str]  # why this advocate was credited with them, and not another


def of(store: Store, customer: Customer, *, at: datetime) -> Portrait:
    """Gather the facts; the number of queries does not depend on how many rows there are."""
    orders = Order.objects.for_store(store).filter(customer=customer).standing()
    bought = orders.aggregate(count=Count("pk"), sum=net_sales(store, ""), last=Max("placed_at"))
    link = ShareLink.objects.for_store(store).filter(customer=customer, is_main=True).first()
    joined = ("advocate", "friend", "order", "link", "store")
    referrals = Referral.objects.for_store(store).select_related(*joined).order_by("-created_at")
    received = list(referrals.filter(friend=customer)[:SHOWN])
    open_cases = RecoveryCase.objects.for_store(store).filter(customer=customer, status=RecoveryCase.Status.OPEN)
    balances = _balances(store, customer)
    return Portrait(
        orders=bought["count"],
        spent_minor=bought["sum"],
        last_order_at=bought["last"],
        link=link,
        landing=landing_url(link) if link else "",
        share_page=share_page_url(customer),
        preferences=unsubscribe_url(store, customer),
        is_closed=is_suppressed(store, customer),
        case=open_cases.order_by("opened_at").first(),
        credit_minor=balances.get(Account.Kind.CREDIT, 0),
        owed_minor=-balances.get(Account.Kind.OWED, 0),
        tier=tiers_of(store, [customer.pk]).get(customer.pk),
        vouchers=_tickets(store, customer, at),
        # Without the column that would name this customer in every row.
        made_header=[title for place, title in enumerate(referral_header()) if place != SENT_BY],
        made=_cells(store, list(referrals.filter(advocate=customer)[:SHOWN]), without=SENT_BY),
        received_header=[title for place, title in enumerate(referral_header()) if place != FRIEND],
        received=_cells(store, received, without=FRIEND),
        why=_why(store, received),
    )


def _why(store: Store, received: list[Referral]) -> list[str]:
    """The evidence of the referral that counts or may count, and of its rivals, in sentences."""
    live = [one for one in received if one.status != Referral.Status.VOIDED][:1]
    rivals = rivals_of(store, live)
    return [line for one in live for line in (evidence_of(one), *rivals[one.pk])]


def _cells(store: Store, referrals: Sequence[Referral], *, without: int) -> list[list[Cell]]:
    rows = [referral_cells(store, row) for row in referrals]
    return [[cell for place, cell in enumerate(row) if place != without] for row in rows]


def _balances(store: Store, customer: Customer) -> dict[str, int]:
    accounts: Any = Account.objects.for_store(store).filter(customer=customer, currency=store.currency)
    return dict(accounts.values_list("kind", "balance_minor"))


def _tickets(store: Store, customer: Customer, at: datetime) -> list[Ticket]:
    """Their vouchers: those that can be used first. Store credit is shown as a balance, not here."""
    held = Voucher.objects.for_store(store).filter(customer=customer, kind=Voucher.Kind.OFFER)
    newest = list(held.select_related("offer").order_by("-issued_at")[:SHOWN])
    newest.sort(key=lambda one: one.status != Voucher.Status.ISSUED)
    return [Ticket(one, voucher_name(one), _gives(one.offer, store)) for one in newest]


def _gives(offer: Offer | None, store: Store) -> str:
    return offer_text(offer, store) if offer else ""
