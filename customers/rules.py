"""Pure decisions about people and orders."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import phonenumbers

from stores.l10n import fold_digits, fold_text

EMAIL = re.compile(r"[^@\s,;<>\"']+@[^@\s,;<>\"']+\.[^@\s.,;<>\"']{2,}")
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


class BadEmail(ValueError):
    """Not an e-mail address."""


class BadPhone(ValueError):
    """Not a phone number that can be read."""


def normal_email(typed: str) -> str:
    """The address as it is compared: trimmed, lower case; '' for nothing. Raises BadEmail."""
    text = fold_digits(typed).strip().lower()
    if text and (len(text) > 254 or not EMAIL.fullmatch(text)):
        raise BadEmail(typed[:80])
    return text


def normal_phone(typed: str, country: str) -> str:
    """The number in E.164; '' for nothing. `country` reads numbers without +. Raises BadPhone.

    9.63E+11 is what a spreadsheet leaves of a number: its last digits are lost, so it is refused.
    """
    text = fold_digits(typed).strip().lstrip("'").replace("\u200e", "").replace("\u200f", "")
    if not text:
        return ""
    if re.fullmatch(r"[\d.,]+e\+?\d+", text, re.IGNORECASE):
        raise BadPhone(typed)
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException as error:
        raise BadPhone(typed) from error
    if not phonenumbers.is_possible_number(number):
        raise BadPhone(typed)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def clean_name(typed: str) -> str:
    """A name as it may be shown: without controls and direction overrides, at most 200 characters."""
    return " ".join(CONTROLS.sub("", typed).split())[:200]


def folded_name(name: str) -> str:
    """A name as it is searched: Arabic and Persian letters alike, no case."""
    return fold_text(name)[:200]


@dataclass(frozen=True)
class ProductTiming:
    """How long a product takes to show its value, from the most special rule to the most general (days)."""

    product: int | None
    category: int | None
    store: int

    @property
    def days(self) -> int:
        """The first that is set."""
        return next(value for value in (self.product, self.category, self.store) if value is not None)


def value_due_at(
    *, placed_at: datetime, delivered_at: datetime | None, is_delivered: bool, timings: list[ProductTiming], store: int
) -> datetime | None:
    """When an order's value has shown (aware UTC); None while a delivery is awaited.

    The slowest product of the order decides. `is_delivered`: whether this order comes by delivery
    at all; what is handed over at the counter counts from the purchase. `store` is the store's days.
    """
    start = delivered_at or (None if is_delivered else placed_at)
    days = max((timing.days for timing in timings), default=store)
    return start + timedelta(days=days) if start else None


def is_late(*, placed_at: datetime, delivered_at: datetime | None, late_after_days: int) -> bool:
    """Whether the delivery took longer than the store calls normal."""
    return delivered_at is not None and delivered_at - placed_at > timedelta(days=late_after_days)


def refunded_in_full(*, total_minor: int, refunded_minor: int) -> bool:
    """Whether nothing of a paid order is left; a free order is never refunded."""
    return refunded_minor > 0 and refunded_minor >= total_minor
