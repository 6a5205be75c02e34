"""What the value of a condition looks like, and the store's names that sentences need."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from customers.models import CustomerTag
from referrals.audiences import fifths
from referrals.services.terms import current_ladders
from rewards.models import Tier
from stores.l10n import format_number
from stores.models import Location, Store

Value = Any  # int, str or [lowest, highest]: whatever JSON holds
YES, NO = "yes", "no"
MOST_MINOR = 10**13


class BadCondition(ValueError):
    """A condition that cannot be read; the text says to people how to mend it."""


class Names:
    """The store's own names that sentences and choices need, each list read once."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @cached_property
    def tiers(self) -> dict[int, str]:
        """Steps of the ladder in force: the number of friends, and the step's name ('' for none)."""
        rows = Tier.objects.for_store(self.store).filter(ladder__in=current_ladders(self.store))
        return dict(rows.order_by("threshold", "-gives").values_list("threshold", "name"))

    @cached_property
    def locations(self) -> dict[str, str]:
        """Branches: code and name."""
        return dict(Location.objects.for_store(self.store).order_by("name").values_list("code", "name"))

    @cached_property
    def tags(self) -> list[str]:
        """Tags that somebody has."""
        rows = CustomerTag.objects.for_store(self.store).order_by("tag")
        return list(rows.values_list("tag", flat=True).distinct())


@dataclass(frozen=True)
class Whole:
    """A whole number."""

    lowest: int
    highest: int
    start: int  # what a new row proposes

    def check(self, value: Value) -> int:
        """The number; raises BadCondition."""
        if type(value) is not int or not self.lowest <= value <= self.highest:
            words = {"lowest": number(self.lowest), "highest": number(self.highest)}
            raise BadCondition(_("Write a whole number from %(lowest)s to %(highest)s.") % words)
        return value


@dataclass(frozen=True)
class Money:
    """An amount in minor units of the store's currency."""

    start: str = ""

    def check(self, value: Value) -> int:
        """The amount; raises BadCondition."""
        if type(value) is not int or not 1 <= value <= MOST_MINOR:
            raise BadCondition(_("Write an amount above zero."))
        return value


@dataclass(frozen=True)
class Range:
    """Two scores of 1 to 5, the lower first."""

    start: tuple[int, int] = (4, 5)

    def check(self, value: Value) -> list[int]:
        """The pair; raises BadCondition."""
        is_pair = isinstance(value, list) and len(value) == 2 and all(type(one) is int for one in value)
        if not is_pair or not fifths.LOWEST <= value[0] <= value[1] <= fifths.HIGHEST:
            raise BadCondition(_("Choose two fifths from 1 to 5, the lower one first."))
        return list(value)


@dataclass(frozen=True)
class OneOf:
    """One of some words; `options` gives those to choose from in a store."""

    options: Callable[[Names], Iterable[str]]
    is_open: bool = False  # the list may change: a tag nobody has today, a closed branch
    start: str = ""

    def check(self, value: Value) -> str:
        """The word; raises BadCondition. What is open is not compared with today's list."""
        if not isinstance(value, str) or not value or len(value) > 80:
            raise BadCondition(_("Choose one."))
        return value


Takes = Whole | Money | Range | OneOf


def number(value: int) -> str:
    """A number in the active language's digits."""
    return format_number(value, get_language() or "en")


def isolated(text: str) -> str:
    """A name kept together in a sentence of the other direction (Unicode FSI and PDI)."""
    return f"\u2068{text}\u2069" if text else ""
