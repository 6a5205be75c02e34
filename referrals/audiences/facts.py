"""What an audience may ask about a customer: each fact is a small function from a value to a condition.

A saved condition is {"fact": slug, "value": ...}. What a value must look like stands in `takes`; what it says in
words, as one sentence with nothing pieced together, in `says`.

Every condition is a set that a customer is in (`IN (SELECT ...)`, `EXISTS`), so that Postgres may join it as a
whole instead of asking once a customer; NOT IN would be a loop as soon as its set outgrows work_mem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from referrals.audiences import fifths
from referrals.audiences.values import YES, BadCondition, Names, OneOf, Takes, Value, number
from stores.models import Store

MOST_CONDITIONS = 12
Condition = dict[str, Any]


@dataclass(frozen=True)
class Fact:
    """Something known about customers."""

    slug: str
    group: Promise | str
    label: Promise | str
    takes: Takes
    says: Callable[[Names, Value], str]
    holds: Callable[[Store, Value, datetime], Q]  # for whom it is so, at a time (aware UTC)

    def check(self, value: Value, names: Names) -> Value:
        """The value as it is kept; raises BadCondition."""
        found = self.takes.check(value)
        if isinstance(self.takes, OneOf) and not self.takes.is_open and found not in set(self.takes.options(names)):
            raise BadCondition(_("Choose one of the list."))
        return found


FACTS: dict[str, Fact] = {}
Holds = Callable[[Store, Value, datetime], Q]


def fact(
    group: Promise | str, label: Promise | str, takes: Takes, says: Callable[[Names, Value], str]
) -> Callable[[Holds], Holds]:
    """Register a condition under its function's name."""

    def register(holds: Holds) -> Holds:
        slug = holds.__name__
        FACTS[slug] = Fact(slug, group, label, takes, says, holds)
        return holds

    return register


def checked(store: Store, conditions: object) -> list[Condition]:
    """The conditions as they are kept; raises BadCondition for anything that cannot be read.

    What cannot be read must never mean "everybody", so there is no condition that is skipped over.
    """
    if not isinstance(conditions, list) or not conditions:
        raise BadCondition(_("Say who belongs to it: add at least one condition."))
    if len(conditions) > MOST_CONDITIONS:
        raise BadCondition(_("These are too many conditions. Take some away."))
    names = Names(store)
    return [_checked(one, names) for one in conditions]


def _checked(condition: object, names: Names) -> Condition:
    known = FACTS.get(str(condition.get("fact"))) if isinstance(condition, dict) else None
    if known is None or set(condition) != {"fact", "value"}:  # type: ignore[call-overload]
        raise BadCondition(_("One of the conditions is not known here."))
    return {"fact": known.slug, "value": known.check(condition["value"], names)}  # type: ignore[index]


def matching(store: Store, conditions: object, at: datetime) -> Q:
    """For whom every condition holds at `at` (aware UTC). Raises BadCondition."""
    kept = checked(store, conditions)
    ranges = _ranges([one for one in kept if one["fact"] in fifths.SCORES])
    found = fifths.within(store, ranges, at) if ranges else Q()
    for one in kept:
        if one["fact"] not in fifths.SCORES:
            found &= FACTS[one["fact"]].holds(store, one["value"], at)
    return found


def _ranges(conditions: list[Condition]) -> dict[str, tuple[int, int]]:
    """The scores asked for, each with where its ranges overlap: they are worked out in one pass."""
    found: dict[str, tuple[int, int]] = {}
    for one in conditions:
        lowest, highest = found.get(one["fact"], (fifths.LOWEST, fifths.HIGHEST))
        found[one["fact"]] = (max(lowest, one["value"][0]), min(highest, one["value"][1]))
    return found


def in_words(conditions: Iterable[Condition], names: Names) -> list[str]:
    """Each condition as a sentence in the active language; one that cannot be read says so."""
    return [_sentence(one, names) for one in conditions]


def _sentence(condition: Condition, names: Names) -> str:
    try:
        kept = _checked(condition, names)
    except BadCondition:
        return _("A condition that is not known any more: take it away.")
    return FACTS[kept["fact"]].says(names, kept["value"])


# -- What the modules of facts share --


def counted(sentence: str, value: int) -> str:
    """A sentence with its number."""
    return sentence % {"n": number(value)}


def either(yes: Promise | str, no: Promise | str) -> Callable[[Names, Value], str]:
    """The sentences of a fact that is so or not."""
    return lambda _names, value: str(yes if value == YES else no)


def is_so(value: Value, condition: Q) -> Q:
    """The condition, or that it does not hold."""
    return condition if value == YES else ~condition
