"""Offers and what became of them in words, in the active language."""

from django.utils.functional import lazy
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from rewards.models import Offer, Tier
from stores.l10n import format_money, format_number, format_percent
from stores.models import Store

# Why a reward was taken back, to end a sentence with: the reasons of referrals and of staff.
REASONS = {
    "refunded": gettext_lazy("the purchase was returned"),
    "cancelled": gettext_lazy("the purchase was cancelled"),
    "undone": gettext_lazy("the purchase was undone at the counter"),
    "own_code": gettext_lazy("a code does not count for its owner"),
    "known_customer": gettext_lazy("the friend had bought here before"),
    "staff": gettext_lazy("the store decided so after a check"),
}


def offer_text(offer: Offer, store: Store) -> str:
    """What the offer gives: "20% off", "₱100 off", "₱100 store credit"."""
    language = get_language() or "en"
    if offer.kind == Offer.Kind.PERCENT_OFF:
        return _("%(amount)s off") % {"amount": format_percent((offer.percent or 0) / 100, language)}
    if offer.kind == Offer.Kind.FIXED_OFF:
        amount = format_money(offer.amount_minor or 0, offer.currency, language, toman=store.toman)
        return _("%(amount)s off") % {"amount": amount}
    return credit_text(offer.amount_minor or 0, offer.currency, store)


def credit_text(amount_minor: int, currency: str, store: Store) -> str:
    """An amount of store credit: "₱100 store credit"."""
    amount = format_money(amount_minor, currency, get_language() or "en", toman=store.toman)
    return _("%(amount)s store credit") % {"amount": amount}


def tier_text(tier: Tier) -> str:
    """What a step of the ladder is called: its name, or the friends it takes."""
    count = format_number(tier.threshold, get_language() or "en")
    return tier.name or ngettext("%(count)s friend", "%(count)s friends", tier.threshold) % {"count": count}


# The same, read in whatever language is active once they are needed.
lazy_offer_text = lazy(offer_text, str)
lazy_credit_text = lazy(credit_text, str)
lazy_tier_text = lazy(tier_text, str)
