"""Messages as rows, for tests that need one without its journey."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from customers.models import Customer
from outreach.models import Kind, Message
from outreach.services import note_all_skipped, plan_messages


def plan_message(customer: Customer, kind: Kind, *, at: datetime, **values: Any) -> Message:
    """A message in the queue; `values` are its columns, among them `key`, `due_at` and `context`."""
    message = Message(store_id=customer.store_id, customer=customer, kind=kind, created_at=at, **values)
    return plan_messages(customer.store, [message])[0]


def note_skipped(customer: Customer, kind: Kind, *, key: str, reason: str, at: datetime) -> None:
    """A message that was not even planned, and why."""
    skipped = Message(store_id=customer.store_id, customer=customer, kind=kind, key=key, reason=reason)
    note_all_skipped([skipped], at=at)
