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
    "part_returned": gettext_lazy("part of the purchase was returned"),
    "too_small": gettext_lazy("what is left of the purchase is below the smallest that counts"),
    "cancelled": gettext_lazy("the purchase was cancelled"),
    "undone": gettext_lazy("the purchase was undone at the counter"),
    "own_code": gettext_lazy("a code does not count for its owner"),
    "known_customer": gettext_lazy("the friend had bought here before"),
    "staff": gettext_lazy("the store decided so after a check"),
}


def offer_text(offer: Offer, store: Store) -> str:
    """What the offer gives: "20% off (up to ₱500)", "₱100 store credit", "Mug for free"; shorter is not possible."""
    kind = Offer.Kind(offer.kind)
    text = _percentage_text(offer) if kind.is_percentage else _amount_text(kind, offer, store)
    if offer.most_minor is None:
        return text
    return _("%(gift)s (up to %(most)s)") % {"gift": text, "most": _money(offer.most_minor, offer.currency, store)}


def _percentage_text(offer: Offer) -> str:
    language = get_language() or "en"
    words = {"amount": format_percent((offer.percent or 0) / 100, language)}
    if offer.kind == Offer.Kind.PERCENT_OFF:
        return _("%(amount)s off") % words
    if offer.months is None:
        return _("%(amount)s of everything the friend buys") % words
    if offer.months == 0:
        return _("%(amount)s of the friend's first purchase") % words
    sentence = ngettext(
        "%(amount)s of what the friend buys for %(count)s month",
        "%(amount)s of what the friend buys for %(count)s months",
        offer.months,
    )
    return sentence % {**words, "count": format_number(offer.months, language)}


AMOUNTS = {
    Offer.Kind.FIXED_OFF: gettext_lazy("%(amount)s off"),
    Offer.Kind.STORE_CREDIT: gettext_lazy("%(amount)s store credit"),
    Offer.Kind.GIFT_CARD: gettext_lazy("gift card of %(amount)s"),
    Offer.Kind.CASH: gettext_lazy("%(amount)s in cash"),
    Offer.Kind.FREE_PRODUCT: gettext_lazy("%(thing)s for free"),
    Offer.Kind.DONATION: gettext_lazy("%(amount)s for %(thing)s"),
    Offer.Kind.CUSTOM: gettext_lazy("%(thing)s"),
}


def _amount_text(kind: Offer.Kind, offer: Offer, store: Store) -> str:
    amount = _money(offer.amount_minor or 0, offer.currency, store)
    return AMOUNTS[kind] % {"amount": amount, "thing": offer.words}


def _money(minor: int, currency: str, store: Store) -> str:
    return format_money(minor, currency, get_language() or "en", toman=store.toman)


def credit_text(amount_minor: int, currency: str, store: Store) -> str:
    """An amount of store credit: "₱100 store credit"."""
    return _("%(amount)s store credit") % {"amount": _money(amount_minor, currency, store)}


def tier_text(tier: Tier) -> str:
    """What a step of the ladder is called: its name, or the friends it takes."""
    count = format_number(tier.threshold, get_language() or "en")
    return tier.name or ngettext("%(count)s friend", "%(count)s friends", tier.threshold) % {"count": count}


# The same, read in whatever language is active once they are needed.
lazy_offer_text = lazy(offer_text, str)
lazy_credit_text = lazy(credit_text, str)
lazy_tier_text = lazy(tier_text, str)
