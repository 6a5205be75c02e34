"""The books: double entry, append-only, every transaction sums to zero.

Signs: an entry adds its amount to the account's balance. Worked examples:

| fact | entries |
|---|---|
| 500 of store credit earned | COST -500, CREDIT(person) +500 |
| 200 of it used | CREDIT(person) -200, REDEEMED +200 |
| a voucher takes 310 off a bill | COST -310, REDEEMED +310 |
| that use undone | COST +310, REDEEMED -310 |
| 500 of credit taken back, 300 left | CREDIT(person) -300, OWED(person) -200, COST +500 |
| 400 earned while 200 are owed | COST -400, OWED(person) +200, CREDIT(person) +200 |

The database holds it: entries cannot be changed (privilege, trigger), unbalanced transactions are
refused at commit (deferred trigger), CREDIT cannot go below zero (CHECK on the running balance).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db.models import F, Sum

from customers.models import Customer
from rewards.models import Account, Entry, LedgerTransaction
from stores.models import Store


class Overdrawn(Exception):
    """More was to be taken from an account than it holds."""


def account(store: Store, kind: Account.Kind, currency: str, customer: Customer | None = None) -> Account:
    """The account, made when it is new."""
    return Account.objects.get_or_create(store=store, kind=kind, customer=customer, currency=currency)[0]


def post(
    store: Store,
    *,
    key: str,
    kind: str,
    amounts: Mapping[Account, int],
    at: datetime,
    reverses: LedgerTransaction | None = None,
) -> LedgerTransaction:
    """Write one transaction; `amounts` are signed minor units that sum to zero, in one currency.

    `key` is the business fact: a second transaction for it is refused by the database. Accounts are
    updated in order of their id, so two posts never wait for each other in a circle.
    """
    posted = LedgerTransaction.objects.create(store=store, key=key, kind=kind, at=at, reverses=reverses)
    moving = sorted(((one, amount) for one, amount in amounts.items() if amount), key=lambda pair: pair[0].pk)
    for one, amount in moving:
        if one.customer_id is None:
            continue  # the store's own accounts keep no running balance
        Account.objects.for_store(store).filter(pk=one.pk).update(balance_minor=F("balance_minor") + amount)
    Entry.objects.bulk_create(
        Entry(store=store, transaction=posted, account=one, amount_minor=amount, currency=one.currency)
        for one, amount in moving
    )
    return posted


def reverse(store: Store, original: LedgerTransaction, *, key: str, at: datetime) -> LedgerTransaction:
    """Post the opposite of a transaction, naming it."""
    entries = original.entries.select_related("account")
    return post(
        store,
        key=key,
        kind="reverse",
        amounts={entry.account: -entry.amount_minor for entry in entries},
        at=at,
        reverses=original,
    )


def locked(one: Account) -> Account:
    """The account with its balance as it is now, held until the transaction ends."""
    return Account.objects.select_for_update().get(pk=one.pk, store_id=one.store_id)


def drift(store: Store) -> dict[int, int]:
    """Persons' accounts whose running balance differs from the sum of their entries: id -> difference."""
    sums = dict(
        Entry.objects.for_store(store)
        .values("account_id")
        .annotate(total=Sum("amount_minor"))
        .values_list("account_id", "total")
    )
    return {
        pk: balance - sums.get(pk, 0)
        for pk, balance in Account.objects.for_store(store).exclude(customer=None).values_list("pk", "balance_minor")
        if balance != sums.get(pk, 0)
    }


def total(store: Store) -> int:
    """The sum of every entry of the store: zero, or the books are broken."""
    return int(Entry.objects.for_store(store).aggregate(total=Sum("amount_minor"))["total"] or 0)


def credit_balance(store: Store, customer: Customer, currency: str) -> int:
    """The store credit a person holds, in minor units."""
    found = (
        Account.objects.for_store(store).filter(kind=Account.Kind.CREDIT, customer=customer, currency=currency).first()
    )
    return found.balance_minor if found else 0
