"""Names and codes inside sentences."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from customers.models import Customer
from rewards.models import Voucher
from stores.codes import spaced
from stores.l10n import exponent

FIRST_STRONG, LEFT_TO_RIGHT, END = "\u2068", "\u2066", "\u2069"


def isolated(text: str) -> str:
    """A code, number or address that keeps its own direction inside a Persian sentence."""
    return f"{LEFT_TO_RIGHT}{text}{END}" if text else ""


def of_name(customer: Customer | None) -> str:
    """What a person is called in a sentence, with the direction of their own name."""
    return f"{FIRST_STRONG}{customer}{END}" if customer and str(customer) else _("a guest")


def voucher_name(voucher: Voucher) -> str:
    """A voucher's code in groups."""
    return isolated(spaced(voucher.code))


def plain_money(minor: int, currency: str) -> str:
    """An amount for a file: no grouping, a dot, no sign of the currency. 155000 PHP -> 1550.00."""
    places = exponent(currency)
    return f"{Decimal(minor).scaleb(-places):.{places}f}"
