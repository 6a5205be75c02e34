"""The program's terms, and what changed in them, in words of the active language.

Works on the plain values of `services.programs.describe`, as the history keeps them.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from referrals.services.programs import OfferTerms, ProgramTerms
from rewards.models import Offer, Tier
from rewards.wording import offer_text
from stores.l10n import format_money, local_digits
from stores.models import Store

Facts = dict[str, Any]


def number(value: int) -> str:
    """A number in the digits of the active language."""
    return local_digits(str(value), get_language() or "en")


def money(minor: int, store: Store) -> str:
    """An amount in the store's money and the active language."""
    return format_money(minor, store.currency, get_language() or "en", toman=store.toman)


def gift(facts: Facts, store: Store) -> str:
    """What an offer gives, with its conditions: "10% off, on bills from ₱500, valid for 90 days"."""
    offer = Offer(
        kind=facts["kind"],
        percent=facts["percent"],
        amount_minor=facts["amount_minor"],
        currency=facts.get("currency") or store.currency,
    )
    words = {"gift": offer_text(offer, store), "days": number(facts["valid_days"])}
    if not facts["minimum_minor"]:
        return _("%(gift)s, valid for %(days)s days") % words
    language = get_language() or "en"
    words["minimum"] = format_money(facts["minimum_minor"], offer.currency, language, toman=store.toman)
    return _("%(gift)s on bills from %(minimum)s, valid for %(days)s days") % words


def step(facts: Facts, store: Store) -> str:
    """A step of the ladder in words."""
    words = {"number": number(facts["threshold"]), "gift": gift(facts, store)}
    if facts["gives"] == Tier.Gives.EACH:
        return _("for each friend from number %(number)s on: %(gift)s") % words
    return _("once, with friend number %(number)s: %(gift)s") % words


def facts_of(terms: ProgramTerms) -> Facts:
    """Terms that are not in force yet, as `describe` would put them."""
    tiers = sorted(terms.tiers, key=lambda tier: (tier.threshold, tier.gives))
    return {
        "name": terms.name,
        "hold_days": terms.hold_days,
        "claim_days": terms.claim_days,
        "friend": _offer_facts(terms.friend),
        "tiers": [
            {"name": tier.name, "threshold": tier.threshold, "gives": str(tier.gives), **_offer_facts(tier.offer)}
            for tier in tiers
        ],
    }


def _offer_facts(terms: OfferTerms) -> Facts:
    return {
        "kind": str(terms.kind),
        "percent": terms.percent,
        "amount_minor": terms.amount_minor,
        "minimum_minor": terms.minimum_minor,
        "valid_days": terms.valid_days,
    }


def in_words(before: Facts, after: Facts, store: Store) -> list[str]:
    """What is different, a sentence each; empty when nothing is."""
    if "status" in after:
        return [_("The program was paused.") if after["status"] == "paused" else _("The program runs.")]
    lines = _simple(before, after)
    if not _same(before["friend"], after["friend"]):
        lines.append(_("Friends get %(after)s. Before: %(before)s.") % _pair(before["friend"], after["friend"], store))
    return lines + _steps(before["tiers"], after["tiers"], store)


def _simple(before: Facts, after: Facts) -> list[str]:
    sentences = {
        "name": _("The name is “%(after)s”. Before: “%(before)s”."),
        "hold_days": _("A friend's purchase counts after %(after)s days. Before: %(before)s."),
        "claim_days": _("A friend who took the gift has %(after)s days to buy. Before: %(before)s."),
    }
    lines = []
    for field, sentence in sentences.items():
        if before[field] != after[field]:
            words = {"before": before[field], "after": after[field]}
            if field != "name":
                words = {side: number(value) for side, value in words.items()}
            lines.append(sentence % words)
    return lines


def _same(before: Facts, after: Facts) -> bool:
    """Whether two offers promise the same; older histories name no currency."""
    return {**before, "currency": ""} == {**after, "currency": ""}


def _pair(before: Facts, after: Facts, store: Store) -> dict[str, str]:
    return {"before": gift(before, store), "after": gift(after, store)}


def _steps(before: list[Facts], after: list[Facts], store: Store) -> list[str]:
    old = {(one["threshold"], one["gives"]): one for one in before}
    new = {(one["threshold"], one["gives"]): one for one in after}
    lines = [_("New step: %(step)s.") % {"step": step(new[key], store)} for key in sorted(new.keys() - old.keys())]
    for key in sorted(new.keys() & old.keys()):
        if not _same(old[key], new[key]):
            words = {"step": step(new[key], store), "before": _before(old[key], new[key], store)}
            lines.append(_("Step changed: %(step)s. Before: %(before)s.") % words)
    gone = sorted(old.keys() - new.keys())
    return lines + [_("Step taken away: %(step)s.") % {"step": step(old[key], store)} for key in gone]


def _before(old: Facts, new: Facts, store: Store) -> str:
    """What a step gave; or its name, when only that is different."""
    only_name = _same({**old, "name": ""}, {**new, "name": ""})
    return _("named “%(name)s”") % {"name": old["name"]} if only_name else gift(old, store)
