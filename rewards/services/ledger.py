"""The books: double entry, append-only, every transaction sums to zero.

Signs: an entry adds its amount to the account's balance. The chart is `models.books.Account.Kind`; worked
examples, each a test in tests/rewards/test_chart.py:

| fact | entries |
|---|---|
| a gift of 500 off is promised | PROMISED +500, CONTINGENT -500 |
| it takes 310 off a bill | PROMISED -500, CONTINGENT +500, COST -310, REDEEMED +310 |
| it is not used in time, or is taken back unused | PROMISED -500, CONTINGENT +500 |
| 500 of store credit earned | COST -500, CREDIT(person) +500 |
| 200 of it used | CREDIT(person) -200, REDEEMED +200 |
| a voucher takes 310 off a bill | COST -310, REDEEMED +310 |
| that use undone | COST +310, REDEEMED -310 |
| 500 of credit taken back, 300 left | CREDIT(person) -300, OWED(person) -200, COST +500 |
| 400 earned while 200 are owed | COST -400, OWED(person) +200, CREDIT(person) +200 |
| a gift card of 500 earned | COST -500, GIFT(card) +500 |
| 120 of it used | GIFT(card) -120, REDEEMED +120 |
| the rest expires | GIFT(card) -380, BREAKAGE +380 |
| 500 in cash, or as a commission, earned | COST -500, PAYABLE(person) +500 |
| they are paid out | PAYABLE(person) -500, PAID +500 |
| the bank sends them back | PAID -500, PAYABLE(person) +500 |
| 500 for a charity earned | COST -500, CHARITY +500 |
| they are given to it | CHARITY -500, DONATED +500 |
| something of the owner's own, worth 500, handed over | COST -500, DELIVERED +500 |
| one who holds 300 is found to be another customer | CREDIT(one) -300, CREDIT(other) +300 |

The database holds it: entries cannot be changed (privilege, trigger), unbalanced transactions are
refused at commit (deferred trigger), what a person or card holds cannot go below zero (CHECK on the
running balance).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Sum, TextChoices
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from rewards.models import Account, Budget, Entry, LedgerTransaction, Voucher
from stores.models import Store
from stores.rows import update_rows


class Fact(TextChoices):
    """What a transaction is about, as statements name it: `LedgerTransaction.kind`."""

    PROMISE = "promise", _("promised")
    KEEP = "keep", _("promise kept")  # what it brings stands in its own transactions
    RELEASE = "release", _("promise came to nothing")
    LAPSE = "lapse", _("promise not used in time")
    GRANT = "grant", _("earned")
    REDEEM = "redeem", _("used at checkout")
    REVERSE = "reverse", _("undone")
    EXPIRE = "expire", _("expired")
    CLAWBACK = "clawback", _("taken back")
    PAYOUT = "payout", _("paid out")
    RETURN = "return", _("payment came back")
    DONATE = "donate", _("given to a charity")
    DELIVER = "deliver", _("handed over")
    MERGE = "merge", _("brought together: one person had two accounts")
    SPLIT = "split", _("given back: they were two persons")


class Overdrawn(Exception):
    """More was to be taken from an account than it holds."""


def account(
    store: Store,
    kind: Account.Kind,
    currency: str,
    customer: Customer | None = None,
    *,
    card: Voucher | None = None,
    budget: Budget | None = None,
) -> Account:
    """The account, made when it is new."""
    which: dict[str, Any] = {"kind": kind, "customer": customer, "card": card, "budget": budget, "currency": currency}
    return Account.objects.get_or_create(store=store, **which)[0]


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
        if one.kind not in Account.PERSONAL:
            continue  # the store's own accounts keep no running balance
        Account.objects.for_store(store).filter(pk=one.pk).update(balance_minor=F("balance_minor") + amount)
    Entry.objects.bulk_create(
        Entry(store=store, transaction=posted, account=one, amount_minor=amount, currency=one.currency)
        for one, amount in moving
    )
    return posted


@dataclass(frozen=True)
class Posting:
    """A transaction to be written; see `post`."""

    key: str
    kind: str
    amounts: Mapping[Account, int]
    at: datetime


def post_all(store: Store, postings: Sequence[Posting]) -> list[LedgerTransaction]:
    """Write several transactions in a few statements however many there are; all of them or none."""
    posted = LedgerTransaction.objects.bulk_create(
        LedgerTransaction(store=store, key=one.key, kind=one.kind, at=one.at) for one in postings
    )
    moves = [
        (transaction, account, amount)
        for transaction, one in zip(posted, postings, strict=True)
        for account, amount in one.amounts.items()
        if amount
    ]
    changes: dict[int, int] = defaultdict(int)
    for _transaction, moved, amount in moves:
        if moved.kind in Account.PERSONAL:
            changes[moved.pk] += amount
    _add(store, changes)
    Entry.objects.bulk_create(
        Entry(store=store, transaction=transaction, account=account, amount_minor=amount, currency=account.currency)
        for transaction, account, amount in moves
    )
    return posted


def _add(store: Store, changes: Mapping[int, int]) -> None:
    """Change running balances, each account once, in order of their id."""
    rows = Account.objects.for_store(store).filter(pk__in=changes)
    touched = list(rows.select_for_update(no_key=True).order_by("pk"))
    for one in touched:
        one.balance_minor += changes[one.pk]
    update_rows(touched, ("balance_minor",))


def is_posted(store: Store, key: str) -> bool:
    """Whether the books hold a transaction for this fact."""
    return LedgerTransaction.objects.for_store(store).filter(key=key).exists()


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


def held(*accounts: Account) -> list[Account]:
    """The accounts with their balances as they are now, in the order given, held until the transaction ends.

    Whoever looks at one balance and then moves another holds both here at once: in order of their ids, as
    `post` updates them, so that an earning and a taking back of one person never wait for each other.
    """
    rows = Account.objects.filter(store_id=accounts[0].store_id, pk__in=[one.pk for one in accounts])
    fresh = {one.pk: one for one in rows.select_for_update(no_key=True).order_by("pk")}
    return [fresh[one.pk] for one in accounts]


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
        for pk, balance in Account.objects.for_store(store)
        .filter(kind__in=Account.PERSONAL)
        .values_list("pk", "balance_minor")
        if balance != sums.get(pk, 0)
    }


def total(store: Store) -> int:
    """The sum of every entry of the store: zero, or the books are broken."""
    return int(Entry.objects.for_store(store).aggregate(total=Sum("amount_minor"))["total"] or 0)


def credit_balance(store: Store, customer: Customer, currency: str) -> int:
    """The store credit a person holds, in minor units."""
    return _balance(store, kind=Account.Kind.CREDIT, customer=customer, currency=currency)


def card_balance(card: Voucher) -> int:
    """What is left on a gift card, in minor units."""
    return _balance(card.store, kind=Account.Kind.GIFT, card=card)


def payable(store: Store, customer: Customer, currency: str) -> int:
    """The cash a person has earned and not been paid, in minor units."""
    return _balance(store, kind=Account.Kind.PAYABLE, customer=customer, currency=currency)


def _balance(store: Store, **which: object) -> int:
    found = Account.objects.for_store(store).filter(**which).first()
    return found.balance_minor if found else 0
