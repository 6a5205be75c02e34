"""Helpers for tests of the claim: people, messages that are due, and one claim."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from customers.models import Customer
from outreach import dispatch
from outreach.journeys import default_journey
from outreach.models import Journey, Kind, Message
from stores.models import Store


def person(store: Store, **facts) -> Customer:
    """Somebody with a mail address who said yes to letters and texts."""
    address = f"{secrets.token_hex(5)}@example.com"
    values = {"name": "Sara Ahmadi", "email": address, "email_norm": address, **facts}
    consents = {"email_consent": True, "sms_consent": True}
    return Customer.objects.create(store=store, **consents | values)


def caller(store: Store, **facts) -> Customer:
    """Somebody with a Filipino phone and nothing else."""
    phone = f"+63917{secrets.randbelow(10**7):07}"
    return person(store, **{"email": "", "email_norm": "", "phone": phone, "phone_norm": phone, **facts})


def journey(store: Store, kind: Kind, **choices) -> Journey:
    """What the owner decided about a kind."""
    one = default_journey(store, kind)
    one.is_on = True
    for name, value in choices.items():
        setattr(one, name, value)
    one.save()
    return one


def due(customer: Customer, kind: Kind, at: datetime, **facts) -> Message:
    """A message that is due at `at`."""
    return Message.objects.create(
        store_id=customer.store_id,
        customer=customer,
        kind=kind,
        key=secrets.token_hex(8),
        due_at=at,
        created_at=at,
        not_after=facts.pop("not_after", at + timedelta(days=30)),
        context={"links": {}},
        **facts,
    )


def claim(store: Store, at: datetime, limit: int = dispatch.BATCH, *, token: UUID | None = None) -> list[Message]:
    """One claim at `at`."""
    return dispatch.claim(store, at, token=token or uuid4(), lease_until=at + dispatch.LEASE, limit=limit)


def judged(message: Message, store: Store, at: datetime) -> tuple[str, str, str]:
    """What one claim makes of it: status, channel, reason."""
    claim(store, at)
    message.refresh_from_db()
    return message.status, message.channel, message.reason
