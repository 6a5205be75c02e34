"""Names and codes inside sentences."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from customers.models import Customer
from rewards.models import Tier, Voucher
from rewards.services.ledger import Fact
from stores.codes import spaced
from stores.l10n import exponent, format_number

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


def cost_words(fact: str) -> str:
    """What a cost in the books was for, by the kind of its transaction."""
    return (
        {
            Fact.GRANT: _("Store credit, gift card or cash earned"),
            Fact.REDEEM: _("Voucher used"),
            Fact.REVERSE: _("Use undone"),
            Fact.CLAWBACK: _("Reward taken back"),
            Fact.DELIVER: _("Handed over"),
            Fact.DONATE: _("Given to a charity"),
        }.get(Fact(fact), str(Fact(fact).label))
        if fact in Fact.values
        else fact
    )


def tier_name(tier: Tier | None) -> str:
    """What a step of the ladder is called; '' for none."""
    if tier is None or tier.name:
        return tier.name if tier else ""
    shown = format_number(tier.threshold, get_language() or "en")
    return ngettext("%(shown)s friend", "%(shown)s friends", tier.threshold) % {"shown": shown}
