"""What the tests of the books play with: offers, rewards of the store's program, entries by account, bills."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from itertools import count
from typing import Any

from customers.models import Customer
from referrals.services.programs import program_of
from rewards.models import Account, Budget, Entry, LedgerTransaction, Offer, Reward, Terms, Voucher
from rewards.services import granting, vouchers
from stores.models import Store
from tests.conftest import NOW

Kind, Books = Offer.Kind, Account.Kind
numbers = count(1)


def offer(store: Store, kind: Offer.Kind, amount_minor: int = 500, **fields: Any) -> Offer:
    """An offer of an amount."""
    if kind in (Kind.DONATION, Kind.CUSTOM):
        fields.setdefault("words", "The animal shelter" if kind == Kind.DONATION else "A cooking class")
    fields.setdefault("currency", store.currency)
    return Offer.objects.create(store=store, kind=kind, amount_minor=amount_minor, **fields)


def terms_of(store: Store) -> Terms:
    """The terms of the store's program."""
    return program_of(store).terms


def budget_of(store: Store) -> Budget:
    """The budget of the store's program."""
    return terms_of(store).budget


def earn(
    customer: Customer,
    kind: Offer.Kind,
    amount_minor: int = 500,
    *,
    at: datetime = NOW,
    terms: Terms | None = None,
    **fields,
) -> Reward:
    """A reward of the store's program, or of none."""
    promised = offer(customer.store, kind, amount_minor, **fields)
    earned = granting.Earned(promised, Reward.Side.ADVOCATE, f"test:{next(numbers)}", terms=terms)
    return granting.grant_earned(customer, earned, at=at)


def use(voucher: Voucher, bill_minor: int, *, at: datetime = NOW) -> Any:
    """Redeem a voucher on a bill."""
    return vouchers.redeem(voucher, vouchers.Bill(bill_minor, voucher.currency), at=at)


def purse_of(customer: Customer) -> Voucher:
    """The voucher of a person's store credit."""
    return Voucher.objects.get(store=customer.store, kind=Voucher.Kind.CREDIT, customer=customer)


def last_entries(store: Store) -> dict[str, int]:
    """What the newest transaction moved, by kind of account."""
    newest = LedgerTransaction.objects.for_store(store).order_by("-pk").first()
    return entries_of(newest)


def entries_of(posted: LedgerTransaction | None) -> dict[str, int]:
    """What one transaction moved, by kind of account."""
    assert posted is not None
    moved: dict[str, int] = defaultdict(int)
    for entry in posted.entries.select_related("account"):
        moved[entry.account.kind] += entry.amount_minor
    return dict(moved)


def balances(store: Store) -> dict[str, int]:
    """The sum of all entries by kind of account, without zeros."""
    sums: dict[str, int] = defaultdict(int)
    for entry in Entry.objects.for_store(store).select_related("account"):
        sums[entry.account.kind] += entry.amount_minor
    return {kind: total for kind, total in sums.items() if total}
