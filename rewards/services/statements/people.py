"""One person's account: every entry in order, with what was left after it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from customers.models import Customer
from rewards.models import Account, Entry, Offer, Redemption, Reward
from rewards.services.ledger import Fact
from stores.models import Store


@dataclass(frozen=True)
class Line:
    """One entry: what happened, on which account, how much, and what the account held after it.

    `balance_minor` is None for a voucher's own use: it takes from no account of the person. `about` is
    what the transaction is for: the reward's offer, the order's number; `card` the gift card's code.
    """

    at: datetime
    fact: str
    kind: str
    amount_minor: int
    currency: str
    balance_minor: int | None
    offer: Offer | None = None
    order: str = ""
    card: str = ""

    @property
    def label(self) -> str:
        """What happened, in words."""
        return str(Fact(self.fact).label) if self.fact in Fact.values else self.fact


def lines_of(store: Store, customer: Customer, *, until: datetime | None = None) -> list[Line]:
    """A person's entries, oldest first, up to `until` (aware UTC, included); three queries.

    Those of customers who were found to be this person belong to it, and uses of their vouchers, too.
    """
    people = Customer.objects.for_store(store).filter(Q(pk=customer.pk) | Q(merged_into=customer.pk)).values("pk")
    own = Q(account__kind__in=Account.PERSONAL) & (
        Q(account__customer__in=people) | Q(account__card__customer__in=people)
    )
    used = Q(account__kind=Account.Kind.REDEEMED, transaction__in=_uses(store, people))
    undone = Q(account__kind=Account.Kind.REDEEMED, transaction__reverses__in=_uses(store, people))
    entries = Entry.objects.for_store(store).filter(own | used | undone)
    if until:
        entries = entries.filter(transaction__at__lte=until)
    joined = entries.select_related("transaction__reverses", "account__card").order_by(
        "transaction__at", "transaction", "pk"
    )
    found = list(joined)
    offers, orders = _offers(store, found), _orders(store, found)
    balances: dict[int, int] = defaultdict(int)
    return [_line(entry, balances, offers, orders) for entry in found]


def _uses(store: Store, people: QuerySet[Any]) -> QuerySet[Any]:
    """Transactions in which a voucher of these people took something off a bill."""
    mine = Redemption.objects.for_store(store).filter(voucher__customer__in=people, voucher__kind="offer")
    return mine.exclude(transaction=None).values("transaction")


def _offers(store: Store, entries: list[Entry]) -> dict[str, Offer]:
    """What was earned or taken back, by the transaction's key ("grant:12")."""
    keys = {entry.transaction.key for entry in entries}
    ids = {
        key.split(":")[1] for key in keys if key.startswith(("grant:", "clawback:")) and key.split(":")[1].isdecimal()
    }
    rewards = Reward.objects.for_store(store).filter(pk__in=ids).select_related("offer")
    by_id = {str(one.pk): one.offer for one in rewards}
    return {
        key: by_id[key.split(":")[1]]
        for key in keys
        if ":" in key and key.split(":")[1] in by_id and key.startswith(("grant:", "clawback:"))
    }


def _orders(store: Store, entries: list[Entry]) -> dict[int, str]:
    """The number of the order a transaction, or the one it undoes, was used on."""
    ids = {entry.transaction.reverses_id or entry.transaction_id for entry in entries}
    used = Redemption.objects.for_store(store).filter(transaction__in=ids).exclude(order=None)
    return dict(used.values_list("transaction", "order__external_id"))


def _line(entry: Entry, balances: dict[int, int], offers: dict[str, Offer], orders: dict[int, str]) -> Line:
    posted, account = entry.transaction, entry.account
    is_own = account.kind in Account.PERSONAL
    balances[account.pk] += entry.amount_minor
    return Line(
        at=posted.at,
        fact=posted.kind,
        kind=account.kind,
        amount_minor=entry.amount_minor,
        currency=entry.currency,
        balance_minor=balances[account.pk] if is_own else None,
        offer=offers.get(posted.key),
        order=orders.get(posted.reverses_id or posted.pk, ""),
        card=account.card.code if account.card else "",
    )
