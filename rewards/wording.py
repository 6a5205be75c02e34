"""Offers in words, in the active language."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rewards.models import Offer
from stores.l10n import format_money, format_percent
from stores.models import Store


def offer_text(offer: Offer, store: Store) -> str:
    """What the offer gives: "20% off", "₱100 off", "₱100 store credit"."""
    language = get_language() or "en"
    if offer.kind == Offer.Kind.PERCENT_OFF:
        return _("%(amount)s off") % {"amount": format_percent((offer.percent or 0) / 100, language)}
    amount = format_money(offer.amount_minor or 0, offer.currency, language, toman=store.toman)
    if offer.kind == Offer.Kind.FIXED_OFF:
        return _("%(amount)s off") % {"amount": amount}
    return _("%(amount)s store credit") % {"amount": amount}
