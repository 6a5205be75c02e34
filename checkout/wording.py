"""What the counter says about a code, in the active language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from checkout.models import Held
from checkout.services.replaying import CHANGED
from referrals.crediting import Why
from referrals.services.redeeming import Kind, Quote, last_use
from rewards.rules import Reason
from rewards.services.vouchers import is_given_later
from rewards.wording import offer_text
from stores.l10n import format_date, format_datetime, format_money
from stores.models import Store

# Distinct texts are for people who are signed in; the public pages never tell these apart.
REFUSALS = {
    Reason.USED: gettext_lazy("This code has been used already."),
    Reason.EXPIRED: gettext_lazy("This code has expired."),
    Reason.NOT_STARTED: gettext_lazy("This code is not valid yet."),
    Reason.BELOW_MINIMUM: gettext_lazy("The bill is too small for this gift."),
    Reason.WRONG_CURRENCY: gettext_lazy("This code is for another currency."),
    Reason.NOT_NEW_CUSTOMER: gettext_lazy("This gift is for a first visit, and this customer has bought here before."),
    Reason.OWN_CODE: gettext_lazy("This is the customer's own code; it is for their friends."),
    Reason.PAUSED: gettext_lazy("The program is paused, so this code gives nothing now."),
    Reason.UNKNOWN: gettext_lazy("We do not know this code. Check the letters with the customer."),
    Reason.OTHER_PLACE: gettext_lazy("This code is good at another location only."),
    Reason.OTHER_HOLDER: gettext_lazy("This code is personal. Ask for the holder's phone or e-mail and type it below."),
    Reason.STACKED: gettext_lazy("This code cannot be used together with what is on the bill already."),
    Reason.BLOCKED: gettext_lazy(
        "This gift cannot be given here. If they ask why, say that a manager will gladly look into it."
    ),
}
HELD_CHANGED = gettext_lazy("The code was good, but for another amount.")
# Why the customer whose code was given is not the one who is credited.
INSTEAD: dict[str, Promise] = {
    Why.BOUND: gettext_lazy("They had taken the gift of %(advocate)s before, and stay the friend of %(advocate)s."),
    Why.SAME: gettext_lazy("This purchase is credited to %(advocate)s already."),
}
OTHERWISE = gettext_lazy("What led them here from %(advocate)s counts more in your program than this code.")
# The contract of the API has no words for these: to an outsider the code gives nothing now.
OUTSIDE = dict.fromkeys((Reason.OTHER_PLACE, Reason.OTHER_HOLDER, Reason.STACKED, Reason.BLOCKED), Reason.PAUSED)


def message(quote: Quote, store: Store) -> str:
    """One sentence for the person at the till: what to give, or why not."""
    if quote.reason:
        return str(REFUSALS[quote.reason])
    gift = gives(quote, store)
    if not quote.sent_by:
        return _("Give %(gift)s.") % {"gift": gift}
    said = _("Give %(gift)s: %(advocate)s sent them.") % {"gift": gift, "advocate": advocate(quote)}
    return f"{said} {instead(quote)}".strip()


def instead(quote: Quote) -> str:
    """Why somebody else than the code's customer is credited; '' where it is that one, or the buyer is not known."""
    told = quote.foreseen
    if told is None or not told.why_not or told.link is None:
        return ""
    return str(INSTEAD.get(told.why_not, OTHERWISE)) % {"advocate": advocate(quote)}


def refusal(quote: Quote, store: Store) -> str:
    """Why not, with the detail that staff can pass on."""
    language = get_language() or "en"
    if quote.reason == Reason.EXPIRED and quote.expires_at:
        day = format_date(quote.expires_at, language, store.zone)
        return _("This code has expired: it was good until %(day)s.") % {"day": day}
    used_at = last_use(quote) if quote.reason == Reason.USED else None
    if used_at:
        moment = format_datetime(used_at, language, store.zone)
        return _("This code has been used already, on %(moment)s.") % {"moment": moment}
    if quote.reason == Reason.BELOW_MINIMUM and quote.offer:
        least = format_money(quote.offer.minimum_minor, quote.offer.currency, language, toman=store.toman)
        return _("The bill is too small: this gift is for bills from %(amount)s.") % {"amount": least}
    return str(REFUSALS[quote.reason])


def gives(quote: Quote, store: Store) -> str:
    """What the code gives, in words."""
    if quote.offer is None:
        return _("their store credit")
    if quote.kind is Kind.CREDIT:
        return _("what is left on their gift card")
    return offer_text(quote.offer, store)


def advocate(quote: Quote) -> str:
    """Who sent the buyer, as far as others may know: "Sara A."."""
    return (quote.sent_by.customer.short_name if quote.sent_by else "") or _("a friend")


def shown_code(quote: Quote) -> str:
    """The code as people read it aloud."""
    if quote.kind is Kind.SHARE_CODE and quote.link:
        return quote.link.code
    return quote.voucher.as_shown if quote.voucher else ""


def why_refused(held: Held, store: Store) -> str:
    """Why a code that a device redeemed without a line came to nothing; '' for one that stands."""
    if held.status == Held.Status.DONE:
        return ""
    if held.reason == CHANGED:
        return str(HELD_CHANGED)
    other = held.redemption
    if other is None:
        return str(REFUSALS.get(held.reason, REFUSALS[Reason.UNKNOWN]))
    language = get_language() or "en"
    words = {
        "moment": format_datetime(other.at, language, store.zone),
        "who": other.by.get_short_name() if other.by else "",
    }
    if other.location:
        words["place"] = other.location.name
        return _("This code had been used already: on %(moment)s, %(who)s, %(place)s.") % words
    return _("This code had been used already: on %(moment)s, %(who)s.") % words


def given_later(quote: Quote) -> bool:
    """Whether the gift comes once the referral counts, and nothing comes off today."""
    return quote.offer is not None and quote.kind is not Kind.CREDIT and is_given_later(quote.offer)
