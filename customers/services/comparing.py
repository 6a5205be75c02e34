"""What checks compare, for customers written down before it was kept."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from customers import rules
from customers.models import Customer
from stores.models import Store
from stores.rows import update_rows


def fill_compared(store: Store, at: datetime, *, limit: int = 20_000) -> int:
    """Write the mailbox and the folded address of customers who have an e-mail or address and not yet these.

    `limit` bounds one night's work; returns how many were written.
    """
    unread = Q(email_alias="") & ~Q(email_norm="") | Q(address_norm="") & ~Q(postal_address="")
    rows = list(Customer.objects.for_store(store).filter(unread).select_for_update().order_by("pk")[:limit])
    for one in rows:
        one.email_alias = rules.mailbox_of(one.email_norm)
        one.address_norm = rules.folded_address(one.postal_address)
    update_rows(rows, ("email_alias", "address_norm"))
    return len(rows)
