"""Pure decisions about people and orders."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import phonenumbers

from stores.l10n import fold_digits, fold_text

EMAIL = re.compile(r"[^@\s,;<>\"']+@[^@\s,;<>\"']+\.[^@\s.,;<>\"']{2,}")
CARD_HASH, LONGEST_CARD = re.compile(r"[0-9a-f]{16,64}"), 19
VISIT_TOKEN = re.compile(r"[2-9a-hjkmnp-z]{20}")  # stores.codes.public_id
WORD = re.compile(r"\w+")
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


# These read a mailbox without its dots. Source: Gmail help, "Dots don't matter in Gmail addresses".
DOTLESS = {"gmail.com", "googlemail.com"}


def mailbox_of(email: str) -> str:
    """The mailbox that a compared address leads to: without "+tag", at Gmail without dots; '' for nothing."""
    box, _, domain = email.rpartition("@")
    box = box.split("+", maxsplit=1)[0] or box
    if domain in DOTLESS:
        box, domain = box.replace(".", "") or box, "gmail.com"
    return f"{box}@{domain}" if box else ""


def folded_address(address: str) -> str:
    """A postal address as it is compared: its words and numbers, no case, no punctuation."""
    return " ".join(WORD.findall(fold_text(address)))[:300]


def clean_name(typed: str) -> str:
    """A name as it may be shown: without controls and direction overrides, at most 200 characters."""
    return " ".join(CONTROLS.sub("", typed).split())[:200]


def given_name(name: str) -> str:
    """What a person is called by those who know them: the first word of their name."""
    return name.split(" ", maxsplit=1)[0]


def visit_token(told: str) -> str:
    """The token of a visit as our links carry it; '' for anything else, which came by an address people can edit."""
    token = told[:80].strip().lower()
    return token if VISIT_TOKEN.fullmatch(token) else ""


def card_hash(told: str) -> str:
    """The hash of a card as it is compared; '' for what is none, above all for a card's own number (PCI DSS 3.5)."""
    text = told[:80].strip().lower()
    return text if CARD_HASH.fullmatch(text) and not _is_card_number(text) else ""


def _is_card_number(text: str) -> bool:
    """Whether these are as many digits as a card has, with its check digit right (ISO/IEC 7812-1, Luhn)."""
    if not text.isdecimal() or len(text) > LONGEST_CARD:
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(text)))
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


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
