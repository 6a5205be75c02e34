"""Customers who may be one person: which, and what either has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers import queries
from customers.models import Customer, CustomerMerge, Order
from referrals.models import Claim, Referral, ShareLink
from referrals.services import carrying
from rewards.models import Account, Voucher
from stores.models import Store

SHOWN = 30  # pairs on the page
FOUND = 12  # customers of a search

LOOKED_AT = 2_000  # customers: so many who came last, and so many from a place that moves on each day
MOST_CARDS = 10  # a customer's payments that are compared, and others' with the same card
# Each of those with who has the same mailbox (without "+tag" and dots), the same name at the same address, or the same
# name and payment card: one index look-up each, however many customers there are. Whom people have looked at is left
# out. The empty text is named again for the partial indexes.
PAIRS = """
    WITH here AS NOT MATERIALIZED (
        SELECT id, email_alias, name_norm, address_norm, recorded_at FROM customers_customer
        WHERE store_id = %(store)s AND merged_into_id IS NULL AND erased_at IS NULL
          AND NOT starts_with(external_id, 'guest:') AND NOT starts_with(external_id, 'partner:')
    ),
    ends AS (
        SELECT min(id) AS low, max(id) AS high FROM customers_customer WHERE store_id = %(store)s
    ),
    looked_at AS MATERIALIZED (
        (SELECT * FROM here ORDER BY recorded_at DESC, id DESC LIMIT %(many)s)
        UNION
        (SELECT * FROM here WHERE id >= (SELECT low + (%(day)s * %(many)s::bigint) %% (high - low + 1) FROM ends)
         ORDER BY id LIMIT %(many)s)
    ),
    found AS (
        SELECT 'mailbox' AS why, one.id AS one, other.id AS other FROM looked_at AS one CROSS JOIN LATERAL (
            SELECT id FROM here WHERE email_alias = one.email_alias AND email_alias <> '' AND id <> one.id
            ORDER BY id LIMIT 1
        ) AS other
        UNION ALL
        SELECT 'home', one.id, other.id FROM looked_at AS one CROSS JOIN LATERAL (
            SELECT id FROM here WHERE address_norm = one.address_norm AND address_norm <> ''
              AND name_norm = one.name_norm AND name_norm <> '' AND id <> one.id
            ORDER BY id LIMIT 1
        ) AS other
        UNION ALL
        SELECT 'card', one.id, other.id FROM looked_at AS one
        CROSS JOIN LATERAL (
            SELECT card_hash FROM customers_order
            WHERE store_id = %(store)s AND customer_id = one.id AND card_hash <> ''
            ORDER BY placed_at DESC LIMIT %(cards)s
        ) AS paid
        CROSS JOIN LATERAL (
            SELECT here.id FROM (
                SELECT customer_id FROM customers_order
                WHERE store_id = %(store)s AND card_hash = paid.card_hash AND card_hash <> '' AND customer_id <> one.id
                LIMIT %(cards)s
            ) AS same JOIN here ON here.id = same.customer_id
            WHERE here.name_norm = one.name_norm AND here.name_norm <> ''
            ORDER BY here.id LIMIT 1
        ) AS other
    )
    SELECT min(why), least(one, other), greatest(one, other) FROM found
    WHERE NOT EXISTS (
        SELECT FROM customers_customermerge AS seen
        WHERE seen.store_id = %(store)s AND seen.split_at IS NOT NULL
          AND (seen.survivor_id, seen.gone_id) IN ((one, other), (other, one))
    )
    GROUP BY 2, 3 ORDER BY 2, 3 LIMIT %(most)s
"""
WHY: dict[str, Promise] = {
    "mailbox": _("Their e-mails lead to the same mailbox."),
    "home": _("Same name, same address."),
    "card": _("Same name, paid with the same card."),
}


@dataclass(frozen=True)
class Pair:
    """Two customers who may be one person, and what speaks for it."""

    one: Customer
    other: Customer
    why: Promise

    @property
    def people(self) -> tuple[Customer, Customer]:
        """Both."""
        return self.one, self.other


def suggestions(store: Store, at: datetime) -> list[Pair]:
    """Some of those who may be one person; two queries, as long for many customers as for few.

    Of two the one who came later is among the newest, or their turn comes: another part of the customers is
    looked at each day. Pairs that were split, or looked at, are left out.
    """
    asked = {"store": store.pk, "most": SHOWN, "many": LOOKED_AT, "cards": MOST_CARDS, "day": at.toordinal()}
    with connection.cursor() as cursor:
        cursor.execute(PAIRS, asked)
        found = cursor.fetchall()
    people = Customer.objects.for_store(store).in_bulk({pk for _, one, other in found for pk in (one, other)})
    return [Pair(people[one], people[other], WHY[why]) for why, one, other in found]


def candidates(store: Store, customer: Customer, typed: str) -> list[Customer]:
    """Customers of the store found by what was typed, without this one; none for nothing."""
    if not typed.strip():
        return []
    found = queries.find(store, typed, "").exclude(pk=customer.pk)
    return list(found.order_by("-recorded_at", "-pk")[:FOUND])


@dataclass(frozen=True)
class Side:
    """What one of two customers has; amounts in minor units of the store's currency."""

    customer: Customer
    orders: int
    friends: int
    came: int  # referrals as somebody's friend that stand
    vouchers: int
    code: str
    has_claim: bool
    money: dict[str, int]  # Account.Kind -> balance


@dataclass(frozen=True)
class Comparison:
    """Two customers side by side, and what a merge would do that cannot be undone."""

    stays: Side
    goes: Side
    rows: int  # that would move
    each_others_friend: bool
    both_came: bool

    @property
    def both_claimed(self) -> bool:
        """Whether both took a friend's gift."""
        return self.stays.has_claim and self.goes.has_claim


def compare(store: Store, stays: Customer, goes: Customer) -> Comparison:
    """What either has; the number of queries does not depend on how much that is."""
    pair = [stays, goes]
    alive = Referral.objects.for_store(store).exclude(status=Referral.Status.VOIDED)
    between = alive.filter(advocate__in=pair, friend__in=pair).exists()
    sides = _sides(store, pair)
    return Comparison(sides[0], sides[1], _rows(store, goes), between, sides[0].came > 0 and sides[1].came > 0)


def _sides(store: Store, pair: list[Customer]) -> list[Side]:
    alive = Referral.objects.for_store(store).exclude(status=Referral.Status.VOIDED)
    orders = _counts(Order.objects.for_store(store).standing().filter(customer__in=pair), "customer")
    friends = _counts(alive.filter(advocate__in=pair), "advocate")
    came = _counts(alive.filter(friend__in=pair), "friend")
    usable = Voucher.objects.for_store(store).filter(customer__in=pair, status=Voucher.Status.ISSUED)
    held = _counts(usable.exclude(kind=Voucher.Kind.CREDIT), "customer")
    links = ShareLink.objects.for_store(store).filter(customer__in=pair, is_main=True)
    codes = dict(links.values_list("customer", "code"))
    claimed = set(Claim.objects.for_store(store).filter(friend__in=pair).values_list("friend", flat=True))
    accounts = Account.objects.for_store(store).filter(customer__in=pair, currency=store.currency)
    money = list(accounts.values_list("customer", "kind", "balance_minor"))
    return [
        Side(
            one, orders.get(one.pk, 0), friends.get(one.pk, 0), came.get(one.pk, 0), held.get(one.pk, 0),
            codes.get(one.pk, ""), one.pk in claimed,
            {kind: abs(balance) for whose, kind, balance in money if whose == one.pk and balance},
        )
        for one in pair
    ]  # fmt: skip


def _counts(rows: Any, column: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(column).annotate(count=Count("pk")))


def _rows(store: Store, customer: Customer) -> int:
    """How many rows are theirs."""
    links = (*carrying.LINKS, *carrying.RULED)
    return sum(link.rows(store).filter(**{link.column: customer}).count() for link in links)


def merges_of(store: Store, customer: Customer) -> list[CustomerMerge]:
    """Who was merged into this customer and is still, the last one first: only that one can be split again."""
    found = CustomerMerge.objects.for_store(store).filter(survivor=customer, split_at=None)
    return list(found.select_related("gone", "by").order_by("-pk")[:20])
