"""Orders as most shops tell them, read in one go; whatever is not quite so, `orders.OrderIn` reads, or refuses.

`OrderIn` says what an order is: its schema is the contract, its words are the answers. It takes a tenth of a
millisecond an order, and more than one where an order comes alone, mostly for being ready for anything. What this
module reads, it reads as `OrderIn` does (tests/checkout/test_told.py); it never refuses.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct, ValidationError, convert
from rest_framework.serializers import ValidationError as NotRead

from checkout.api.fields import CLOCK_SKEW, LANGUAGE, MOST_MINOR, currencies, read_time
from customers.services import Line, OrderData, Person

CHANNELS = ("email", "sms")
Minor = Annotated[int, Meta(ge=0, le=MOST_MINOR)]
Most20 = Annotated[str, Meta(max_length=20)]
Most40 = Annotated[str, Meta(max_length=40)]
Most50 = Annotated[str, Meta(max_length=50)]
Most120 = Annotated[str, Meta(max_length=120)]
Most200 = Annotated[str, Meta(max_length=200)]
Most250 = Annotated[str, Meta(max_length=250)]
Most254 = Annotated[str, Meta(max_length=254)]
Most300 = Annotated[str, Meta(max_length=300)]
Most4096 = Annotated[str, Meta(max_length=4096)]


class ToldLine(Struct, forbid_unknown_fields=True):
    """A product in an order."""

    sku: Most120
    name: Most250 = ""
    category: Most120 = ""
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    unit_price_minor: Minor = 0


class ToldCustomer(Struct, forbid_unknown_fields=True):
    """A buyer."""

    external_id: Most120 = ""
    name: Most200 = ""
    email: Most254 = ""
    phone: Most40 = ""
    locale: Most20 = ""
    address: Most300 = ""
    consent: dict[str, bool] = {}


class ToldOrder(Struct, forbid_unknown_fields=True):
    """An order; a card's hash is left to `OrderIn`."""

    source: Most40
    external_id: Most120
    currency: str
    total_minor: Minor
    placed_at: str
    delivered_at: str | None = None
    cancelled_at: str | None = None
    refunded_minor: Minor = 0
    updated_at: str | None = None
    code: Most4096 | None = None
    visit: Most4096 | None = None
    advocate_name: Most4096 | None = None
    location: Most50 | None = None
    customer: ToldCustomer | None = None
    lines: Annotated[list[ToldLine], Meta(max_length=500)] = []


class _NotOrdinary(Exception):
    """OrderIn is to look at it."""


def ordinary(item: Any) -> OrderData | None:
    """The order as the services take it; None where OrderIn is to look at it."""
    try:
        return _order(convert(item, ToldOrder))
    except (ValidationError, NotRead, _NotOrdinary):
        return None


def _order(told: ToldOrder) -> OrderData:
    if told.currency not in currencies() or told.refunded_minor > told.total_minor:
        raise _NotOrdinary
    return OrderData(
        source=_needed(told.source),
        external_id=_needed(told.external_id),
        currency=told.currency,
        total_minor=told.total_minor,
        placed_at=_past(told.placed_at),
        delivered_at=read_time(told.delivered_at) if told.delivered_at is not None else None,
        cancelled_at=read_time(told.cancelled_at) if told.cancelled_at is not None else None,
        refunded_minor=told.refunded_minor,
        code=(told.code or "").strip(),
        visit=(told.visit or "").strip(),
        named=(told.advocate_name or "").strip(),
        location=(told.location or "").strip(),
        person=_person(told.customer) if told.customer is not None else None,
        lines=tuple(_line(line) for line in told.lines),
        changed_at=_past(told.updated_at) if told.updated_at is not None else None,
    )


def _person(told: ToldCustomer) -> Person:
    person = Person(
        name=told.name.strip(),
        email=told.email.strip(),
        phone=told.phone.strip(),
        external_id=told.external_id.strip(),
        locale=_language(told.locale.strip()),
        address=told.address.strip(),
        consent={channel: told.consent[channel] for channel in CHANNELS if channel in told.consent},
    )
    if not (person.external_id or person.email or person.phone) or len(person.consent) < len(told.consent):
        raise _NotOrdinary
    return person


def _line(told: ToldLine) -> Line:
    return Line(_needed(told.sku), told.name.strip(), told.category.strip(), told.quantity, told.unit_price_minor)


def _needed(text: str) -> str:
    found = text.strip()
    if not found:
        raise _NotOrdinary
    return found


def _past(text: str) -> datetime:
    moment = read_time(text)
    if moment > datetime.now(UTC) + CLOCK_SKEW:
        raise _NotOrdinary
    return moment


def _language(text: str) -> str:
    found = LANGUAGE.fullmatch(text) if text else None
    if text and not found:
        raise _NotOrdinary
    return found[1].lower() if found else ""
