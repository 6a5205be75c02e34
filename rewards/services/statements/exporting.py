"""The books as rows for a bookkeeping program: every entry, streamed, whatever their number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from rewards.models import Entry
from stores.l10n import exponent
from stores.models import Store
from stores.tenancy import acting_for

BOOKKEEPING = ("date", "transaction", "kind", "account", "customer", "debit", "credit", "currency")
CHUNK = 2_000


def bookkeeping(store: Store, start: datetime, end: datetime) -> Iterator[list[object]]:
    """The entries from `start` to `end` (aware UTC, `end` not included) by date: columns as in BOOKKEEPING.

    Amounts are in units of the currency, with its decimals. What adds to an account's balance here is its
    credit. Opens a transaction of its own: a stream is read after the request's has ended.
    """
    with acting_for(store):
        entries = (
            Entry.objects.for_store(store)
            .filter(transaction__at__gte=start, transaction__at__lt=end)
            .select_related("transaction", "account__customer", "account__card__customer")
            .order_by("transaction__at", "transaction", "pk")
        )
        for entry in entries.iterator(chunk_size=CHUNK):
            yield _row(store, entry)


def _row(store: Store, entry: Entry) -> list[object]:
    posted, account = entry.transaction, entry.account
    person = account.customer or (account.card.customer if account.card else None)
    number = (person.external_id or person.public_id) if person else ""
    amount = units(abs(entry.amount_minor), entry.currency)
    debit, credit = (amount, None) if entry.amount_minor < 0 else (None, amount)
    local = posted.at.astimezone(store.zone)
    return [local, posted.pk, posted.kind, account.kind, number, debit, credit, entry.currency]


def units(minor: int, currency: str) -> Decimal:
    """Minor units as a plain decimal: 15050 centavos are 150.50, 1500 yen 1500, 1500 fils 1.500."""
    return Decimal(minor).scaleb(-exponent(currency))
