"""The JSON of objects that several endpoints answer with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from customers.models import Customer, Order
from referrals.models import Referral
from rewards.models import Offer


def moment(at: datetime | None) -> str | None:
    """ISO 8601 in UTC."""
    return at.astimezone(UTC).isoformat() if at else None


def customer(one: Customer) -> dict[str, Any]:
    """A customer as the list shows them."""
    return {
        "public_id": one.public_id,
        "external_id": one.external_id,
        "name": one.name,
        "email": one.email,
        "phone": one.phone,
        "locale": one.locale,
        "consent": {"email": one.email_consent, "sms": one.sms_consent},
        "recorded_at": moment(one.recorded_at),
    }


def order(one: Order, referral: Referral | None) -> dict[str, Any]:
    """An order with who sent its buyer."""
    return {
        "public_id": one.public_id,
        "source": one.source,
        "external_id": one.external_id,
        "currency": one.currency,
        "total_minor": one.total_minor,
        "refunded_minor": one.refunded_minor,
        "placed_at": moment(one.placed_at),
        "delivered_at": moment(one.delivered_at),
        "cancelled_at": moment(one.cancelled_at),
        "code": one.code,
        "location": one.location.code if one.location else None,
        "customer": one.customer.public_id if one.customer else None,
        "referral": sent_by(referral),
    }


def sent_by(one: Referral | None) -> dict[str, Any] | None:
    """A referral in short: how it stands, who sent the buyer, and why it does not count."""
    if one is None:
        return None
    return {
        "public_id": one.public_id,
        "status": one.status,
        "advocate": one.advocate.short_name,
        "reason": one.reason or None,
    }


def referral(one: Referral) -> dict[str, Any]:
    """A referral in full."""
    return {
        **(sent_by(one) or {}),
        "advocate_id": one.advocate.public_id,
        "friend": one.friend.short_name if one.friend else None,
        "friend_id": one.friend.public_id if one.friend else None,
        "order": one.order.public_id,
        "evidence": one.evidence,
        "number": one.number,
        "created_at": moment(one.created_at),
        "hold_until": moment(one.hold_until),
        "decided_at": moment(one.decided_at),
    }


def offer(one: Offer) -> dict[str, Any]:
    """What is promised."""
    return {
        "kind": one.kind,
        "percent": one.percent,
        "amount_minor": one.amount_minor,
        "currency": one.currency,
        "minimum_minor": one.minimum_minor,
    }
