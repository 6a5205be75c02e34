"""The program's terms, and what changed in them, in words of the active language.

Works on the plain values of `services.terms.describe`, as the history keeps them. Older histories do
not name everything: what is missing there was as a program that names nothing has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from referrals.models import Program, Referral
from referrals.services.terms import Crediting, Limits
from rewards.models import Offer, Terms, Tier
from rewards.wording import offer_text
from stores.l10n import format_datetime, format_money, format_percent, local_digits
from stores.models import Store

Facts = dict[str, Any]
Say = Callable[[Any, Store], str]


def number(value: int) -> str:
    """A number in the digits of the active language."""
    return local_digits(str(value), get_language() or "en")


def money(minor: int, store: Store) -> str:
    """An amount in the store's money and the active language."""
    return format_money(minor, store.currency, get_language() or "en", toman=store.toman)


def percent(ratio: float) -> str:
    """A share of one as percent, to a tenth."""
    return format_percent(ratio, get_language() or "en", decimals=1)


# -- Offers and steps --

# What older histories do not name.
UNNAMED: Facts = {
    "currency": "", "most_minor": None, "months": 0, "sku": "", "words": "", "within_days": None, "choices": [],
    "is_personal": False, "place": "",
}  # fmt: skip


def gift(facts: Facts, store: Store) -> str:
    """What an offer gives, with its conditions: "10% off, on bills from ₱500, valid for 90 days"."""
    offer = Offer(
        kind=facts["kind"],
        percent=facts["percent"],
        amount_minor=facts["amount_minor"],
        most_minor=facts.get("most_minor"),
        months=facts.get("months", 0),
        words=facts.get("words", ""),
        currency=facts.get("currency") or store.currency,
    )
    words = {"gift": offer_text(offer, store), "days": number(facts["valid_days"])}
    if not Offer.Kind(offer.kind).is_code:
        return words["gift"]
    if facts.get("is_personal"):
        words["gift"] = _("%(gift)s for its holder only") % words
    if facts.get("place"):
        words["gift"] = _("%(gift)s at %(place)s only") % {**words, "place": facts["place"]}
    if not facts["minimum_minor"]:
        return _("%(gift)s, valid for %(days)s days") % words
    language = get_language() or "en"
    words["minimum"] = format_money(facts["minimum_minor"], offer.currency, language, toman=store.toman)
    return _("%(gift)s on bills from %(minimum)s, valid for %(days)s days") % words


def step(facts: Facts, store: Store) -> str:
    """A step of the ladder in words."""
    words = {"number": number(facts["threshold"]), "gift": _gifts(facts, store)}
    if facts.get("within_days"):
        words["gift"] = _("%(gift)s (counting the last %(days)s days)") % {
            "gift": words["gift"],
            "days": number(facts["within_days"]),
        }
    if facts["gives"] == Tier.Gives.EACH:
        return _("for each friend from number %(number)s on: %(gift)s") % words
    if facts["gives"] == Tier.Gives.EVERY:
        return _("for every %(number)s friends: %(gift)s") % words
    return _("once, with friend number %(number)s: %(gift)s") % words


def later_step(facts: Facts, store: Store) -> str:
    """A step that a friend climbs by purchases of their own, in words."""
    words = {"number": number(facts["threshold"]), "gift": _gifts(facts, store)}
    if facts["gives"] == Tier.Gives.EACH:
        return _("for each purchase from number %(number)s on: %(gift)s") % words
    if facts["gives"] == Tier.Gives.EVERY:
        return _("for every %(number)s purchases: %(gift)s") % words
    return _("once, with purchase number %(number)s: %(gift)s") % words


def _gifts(facts: Facts, store: Store) -> str:
    """The step's gift, and what may be picked in its place."""
    return _(" or ").join(gift(one, store) for one in [facts, *facts.get("choices", [])])


# -- What is different --


def in_words(before: Facts, after: Facts, store: Store) -> list[str]:
    """What is different, a sentence each; empty when nothing is."""
    if "status" in after:
        return [_status(before, after)]
    if "boost" in after:
        return [boost(before, after, store)]
    if not before:
        return [_("The program was made.")]
    lines = _simple(before, after)
    if not _same(before["friend"], after["friend"]):
        lines.append(_("Friends get %(after)s. Before: %(before)s.") % _pair(before["friend"], after["friend"], store))
    lines += _steps(before["tiers"], after["tiers"], store, step)
    lines += _steps(before.get("friend_tiers", []), after.get("friend_tiers", []), store, later_step)
    return lines + _second(before, after, store) + _values(before, after, store)


def _status(before: Facts, after: Facts) -> str:
    if after["status"] == Program.Status.PAUSED:
        return _("The program was paused.")
    if after["status"] == Program.Status.ENDED:
        return _("The program was ended.")
    if before.get("status") == Program.Status.DRAFT:
        return _("The program was published.")
    return _("The program runs.")


def boost(before: Facts, after: Facts, store: Store) -> str:
    """What happened to a boost."""
    words = {
        "name": after["boost"],
        "percent": number(after["percent"]),
        "start": _moment(after["starts_at"], store),
        "end": _moment(after["ends_at"], store),
    }
    if not before:
        return _("Boost “%(name)s”: %(percent)s%% of the usual reward from %(start)s until %(end)s.") % words
    if after["stopped"]:
        return _("The boost “%(name)s” was stopped.") % words
    return _("The boost “%(name)s” goes on until %(end)s.") % words


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
    """Whether two offers promise the same."""
    return _whole(before) == _whole(after)


def _whole(facts: Facts) -> Facts:
    """An offer with everything named that its kind has; its currency is the store's, whenever it was written."""
    kind = Offer.Kind(facts["kind"])
    idle: Facts = {} if kind.is_code else {"minimum_minor": 0, "valid_days": 0, "is_personal": False, "place": ""}
    idle |= {} if kind == Offer.Kind.COMMISSION else {"months": 0}
    return {**UNNAMED, **facts, **idle, "currency": "", "choices": [_whole(one) for one in facts.get("choices", [])]}


def _pair(before: Facts, after: Facts, store: Store) -> dict[str, str]:
    return {"before": gift(before, store), "after": gift(after, store)}


def _steps(before: list[Facts], after: list[Facts], store: Store, say: Say) -> list[str]:
    old = {(one["threshold"], one["gives"]): one for one in before}
    new = {(one["threshold"], one["gives"]): one for one in after}
    lines = [_("New step: %(step)s.") % {"step": say(new[key], store)} for key in sorted(new.keys() - old.keys())]
    for key in sorted(new.keys() & old.keys()):
        if not _same(old[key], new[key]):
            words = {"step": say(new[key], store), "before": _before(old[key], new[key], store)}
            lines.append(_("Step changed: %(step)s. Before: %(before)s.") % words)
    gone = sorted(old.keys() - new.keys())
    return lines + [_("Step taken away: %(step)s.") % {"step": say(old[key], store)} for key in gone]


def _before(old: Facts, new: Facts, store: Store) -> str:
    """What a step gave; or its name, when only that is different."""
    only_name = _same({**old, "name": ""}, {**new, "name": ""})
    return _("named “%(name)s”") % {"name": old["name"]} if only_name else _gifts(old, store)


def _second(before: Facts, after: Facts, store: Store) -> list[str]:
    old: Any = before.get("second")
    new: Any = after.get("second")
    if not old and not new:
        return []
    if not new:
        return [
            _("Who had sent the customer gets nothing any more. Before: %(before)s.") % {"before": gift(old, store)}
        ]
    if not old:
        return [_("Who had sent the customer gets %(after)s. Before: nothing.") % {"after": gift(new, store)}]
    if _same(old, new):
        return []
    return [_("Who had sent the customer gets %(after)s. Before: %(before)s.") % _pair(old, new, store)]


# -- Limits, crediting, budget, dates: one sentence a value --


def _values(before: Facts, after: Facts, store: Store) -> list[str]:
    old, new = _flat(before), _flat(after)
    lines = []
    for name, (title, say) in SENTENCES.items():
        if name in new and old[name] != new[name]:
            words = {"what": title, "after": say(new[name], store), "before": say(old[name], store)}
            lines.append(_("%(what)s: %(after)s. Before: %(before)s.") % words)
    return lines


def _flat(facts: Facts) -> Facts:
    """Limits, crediting and the rest on one level, with what is not named as a plain program has it."""
    plain = {**asdict(Limits()), **asdict(Crediting()), "ceiling_minor": None, "places": None}
    named = {**facts.get("limits", {}), **facts.get("crediting", {})}
    others = {name: facts[name] for name in SENTENCES if name in facts}
    scheduled = {"audience": Program.Audience.CUSTOMERS, "starts_at": None, "ends_at": None}
    known = {**plain, **(scheduled if "ends_at" in facts else {}), **named, **others}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in known.items()}


def _moment(typed: str | None, store: Store) -> str:
    moment = datetime.fromisoformat(typed) if typed else None
    return format_datetime(moment, get_language() or "en", timezone.get_current_timezone()) if moment else ""


def _since(value: str | None, store: Store) -> str:
    return _moment(value, store) or _("since ever")


def _until(value: str | None, store: Store) -> str:
    return _moment(value, store) or _("without end")


def _limit(value: int | None, store: Store) -> str:
    return number(value) if value is not None else _("no limit")


def _amount(value: int | None, store: Store) -> str:
    return money(value, store) if value else _("no limit")


def _days(value: int | None, store: Store) -> str:
    if value is None:
        return _("never bought before")
    return ngettext("%(count)s day", "%(count)s days", value) % {"count": number(value)}


def _yes(value: bool, store: Store) -> str:
    return _("yes") if value else _("no")


def _label(choices: Any) -> Say:
    return lambda value, _store: str(dict(choices.choices).get(value, value))


def _order(value: list[str], store: Store) -> str:
    labels = dict(Referral.Evidence.choices)
    return _(", then ").join(str(labels.get(one, one)) for one in value) or _("our order")


def _products(value: Iterable[dict[str, str]], store: Store) -> str:
    return ", ".join(rule.get("sku") or rule.get("category", "") for rule in value) or _("none named")


SENTENCES: dict[str, tuple[Any, Say]] = {
    "audience": (gettext_lazy("For whom"), _label(Program.Audience)),
    "starts_at": (gettext_lazy("Runs from"), _since),
    "ends_at": (gettext_lazy("Runs until"), _until),
    "ceiling_minor": (gettext_lazy("Budget"), _amount),
    "places": (gettext_lazy("Only the first friends"), _limit),
    "most_rewards": (gettext_lazy("Rewarded friends of one customer at most"), _limit),
    "most_in_period": (gettext_lazy("Rewarded friends of one customer in a period at most"), _limit),
    "period_days": (gettext_lazy("The period"), _days),
    "minimum_order_minor": (gettext_lazy("Smallest purchase that counts"), _amount),
    "new_only": (gettext_lazy("New customers only"), _yes),
    "look_back_days": (gettext_lazy("New is who did not buy for"), _days),
    "one_a_household": (gettext_lazy("One friend a household"), _yes),
    "only_products": (gettext_lazy("Only these products count"), _products),
    "not_products": (gettext_lazy("These products do not count"), _products),
    "visit_days": (gettext_lazy("A visit by the link counts for"), _days),
    "touch": (gettext_lazy("Of several customers is credited"), _label(Terms.Touch)),
    "is_sticky": (gettext_lazy("Who took a gift stays that customer's friend"), _yes),
    "evidence": (gettext_lazy("What counts more"), _order),
    "refund": (gettext_lazy("When part is sent back, rewards are"), _label(Terms.Refund)),
}
