"""Where a person wants their cash: kept sealed, shown by a hint. The only writer of PayoutAddress."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from customers.models import Customer
from rewards.addresses import Method, hint
from rewards.models import Payout, PayoutAddress
from stores import secrets


@dataclass(frozen=True)
class Details:
    """What a bank or provider needs: the number (`addresses.normal_number`), whose it is, at which bank."""

    number: str
    holder: str
    bank: str = ""


def save_address(customer: Customer, method: Method, details: Details, *, at: datetime) -> PayoutAddress:
    """Put a person's address in place of the one before; payouts that are listed keep theirs."""
    shown = hint(method, details.number)
    with transaction.atomic():
        address, _is_new = PayoutAddress.objects.get_or_create(
            store=customer.store,
            customer=customer,
            defaults={"method": method, "sealed": "", "hint": shown, "changed_at": at},
        )
        address.method, address.hint, address.changed_at = method, shown, at
        address.sealed = secrets.seal(json.dumps(asdict(details)), _context(address.store_id, customer.pk))
        address.save(update_fields=["method", "hint", "changed_at", "sealed"])
    return address


def address_of(customer: Customer) -> PayoutAddress | None:
    """Where the person wants their cash; None when they have not said."""
    return PayoutAddress.objects.filter(store_id=customer.store_id, customer=customer).first()


def details_of(row: PayoutAddress | Payout) -> Details:
    """The sealed part, for whoever pays it out; of a payment as it was when it was listed.

    What came with a customer who was found to be the same person opens as theirs. Raises secrets.Unreadable.
    """
    try:
        return _open(row, row.customer_id)
    except secrets.Unreadable:
        same = Customer.objects.filter(store_id=row.store_id, merged_into=row.customer_id)
        for person in same.values_list("pk", flat=True):
            with suppress(secrets.Unreadable):
                return _open(row, person)
        raise


def _open(row: PayoutAddress | Payout, person: int) -> Details:
    return Details(**json.loads(secrets.unseal(row.sealed, _context(row.store_id, person))))


def _context(store: int, person: int) -> str:
    """Of the person, so that a sealed number moved to another person's row cannot be opened there."""
    return f"payout:{store}:{person}"
