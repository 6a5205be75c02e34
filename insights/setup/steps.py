"""The six steps: what they are, which are done. Where a fact says so nothing needs to be kept.

`Store.setup` holds the rest: {"open": it was begun by opening the store, "saved" and "skipped": steps, and what was
typed that has no place of its own ("kind" of goods, "average_minor" of a purchase, "margin" in percent)}.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.db.models import Exists
from django.utils.translation import gettext_lazy as _

from customers.models import Order
from referrals.models import PrintRun
from rewards.models import Terms
from stores import directory
from stores.models import ApiKey, Membership, Role, Store

USUAL = {"brand_color": "#0f766e", "time_to_value_days": 7, "delivers": True}


class Step(models.TextChoices):
    """In order."""

    WHO = "who", _("Who you are")
    SELLS = "sells", _("What you sell")
    GIFTS = "gifts", _("What both sides get")
    LOOK = "look", _("Words and look")
    TEAM = "team", _("Your staff")
    ORDERS = "orders", _("First orders")

    @property
    def number(self) -> int:
        """Which of the six, from 1."""
        return list(Step).index(self) + 1

    @property
    def before(self) -> Step | None:
        """The step before; None for the first."""
        return list(Step)[self.number - 2] if self.number > 1 else None

    @property
    def after(self) -> Step | None:
        """The step after; None for the last."""
        return list(Step)[self.number] if self.number < len(Step) else None


class State(models.TextChoices):
    """How a step stands."""

    DONE = "done", _("done")
    SKIPPED = "skipped", _("skipped")
    OPEN = "open", _("to do")


@dataclass(frozen=True)
class Place:
    """A step as the pages show it."""

    step: Step
    state: State


@dataclass(frozen=True)
class Board:
    """Where the owner stands."""

    places: list[Place]
    has_printed: bool

    @property
    def done(self) -> int:
        """How many of the six are done."""
        return sum(place.state == State.DONE for place in self.places)

    @property
    def next(self) -> Step | None:
        """The first step that is neither done nor skipped."""
        return next((place.step for place in self.places if place.state == State.OPEN), None)


def is_open(store: Store) -> bool:
    """Whether its owner is still setting up. Stores that came by a command never begin."""
    return bool(store.setup.get("open"))


def for_home(store: Store, role: Role) -> Board | None:
    """What home shows an owner; None once the card is printed and no step is left, or nothing was begun."""
    if not is_open(store) or role != Role.OWNER:
        return None
    found = board(store)
    return None if found.has_printed and found.done == len(found.places) else found


def board(store: Store) -> Board:
    """Where the owner stands; two queries."""
    facts, kept = _facts(store), store.setup
    places = []
    for step in Step:
        if facts[step] or step in kept.get("saved", ()):
            places.append(Place(step, State.DONE))
        else:
            places.append(Place(step, State.SKIPPED if step in kept.get("skipped", ()) else State.OPEN))
    return Board(places, bool(facts["printed"]))


def _facts(store: Store) -> dict[str, bool]:
    """What the store's rows say by themselves."""
    keys = ApiKey.objects.for_store(store).filter(revoked_at=None)
    found = Store.objects.filter(pk=store.pk).values_list(
        Exists(Terms.objects.for_store(store).filter(number__gt=1)),
        Exists(Membership.objects.for_store(store).exclude(role=Role.OWNER)),
        Exists(Order.objects.for_store(store)),
        Exists(keys),
        Exists(PrintRun.objects.for_store(store)),
    )
    gifts, team, orders, key, printed = found.get()
    return {
        Step.WHO: bool(store.website),
        Step.SELLS: any(getattr(store, name) != USUAL[name] for name in ("time_to_value_days", "delivers")),
        Step.GIFTS: gifts,
        Step.LOOK: store.brand_color != USUAL["brand_color"] or bool(store.postal_address),
        Step.TEAM: team,
        Step.ORDERS: orders or key or directory.sample_of(store) is not None,
        "printed": printed,
    }


# -- Writing it down --


def save(store: Store, step: Step, **typed: Any) -> None:
    """Note that the step is done, with what was typed that has no place of its own."""
    _change(store, lambda kept: kept | typed | {"saved": _with(kept, "saved", step)})


def skip(store: Store, step: Step) -> None:
    """Note that the owner leaves the step for later."""
    _change(store, lambda kept: kept | {"skipped": _with(kept, "skipped", step)})


def close(store: Store) -> None:
    """Setting up is over: home does not speak of it any more."""
    _change(store, lambda kept: {name: value for name, value in kept.items() if name != "open"})


def reopen(store: Store) -> None:
    """Show it again."""
    _change(store, lambda kept: kept | {"open": True})


def _with(kept: dict[str, Any], name: str, step: Step) -> list[str]:
    return [*(one for one in kept.get(name, ()) if one != step), step.value]


def _change(store: Store, turn: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Put what is kept through `turn`, under the row's lock: two pages at once lose nothing."""
    with transaction.atomic():
        kept = Store.objects.select_for_update().values_list("setup", flat=True).get(pk=store.pk)
        store.setup = turn(kept)
        Store.objects.filter(pk=store.pk).update(setup=store.setup)
