"""Boosts: for a while, what advocates earn for a friend is worth more than usual.

What counts is when the friend's order was placed: the first, and each later one that brings a commission.
Whatever the advocate may pick is worth more alike. Of several boosts at one moment the largest counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Least

from customers.models import Customer
from referrals.models import Boost, Program
from rewards.models import Budget, Offer, Terms
from rewards.services import budgets, granting
from rewards.services.growing import USUAL
from stores.models import AuditEvent, Store, User

Earned = tuple[Customer, granting.Earned]


@dataclass(frozen=True)
class BoostData:
    """What a boost is to be: `percent` of the usual reward, between two moments (aware UTC)."""

    name: str
    percent: int
    starts_at: datetime
    ends_at: datetime


# -- Making and stopping --


def make_boost(program: Program, data: BoostData, *, by: User | None, at: datetime) -> Boost:
    """A new boost of the program."""
    with transaction.atomic():
        boost = Boost.objects.create(store=program.store, program=program, **asdict(data))
        _audit(boost, {}, _facts(boost), by=by, at=at)
    return boost


def stop_boost(boost: Boost, *, by: User | None, at: datetime) -> bool:
    """Stop a boost before its end: orders placed from `at` on count as usual. True if this call did it."""
    return _change(boost, Q(stopped_at=None, ends_at__gt=at), at, by=by, at=at)


def resume_boost(boost: Boost, *, by: User | None, at: datetime) -> bool:
    """Undo the stop, as if it had never been. True if this call did it."""
    return _change(boost, Q(stopped_at__isnull=False, ends_at__gt=at), None, by=by, at=at)


def _change(boost: Boost, still: Q, stopped_at: datetime | None, *, by: User | None, at: datetime) -> bool:
    with transaction.atomic():
        before, mine = _facts(boost), Boost.objects.filter(still, pk=boost.pk, store_id=boost.store_id)
        moved = mine.update(stopped_at=stopped_at)
        if moved:
            boost.stopped_at = stopped_at
            _audit(boost, before, _facts(boost), by=by, at=at)
    return moved == 1


def _facts(boost: Boost) -> dict[str, Any]:
    return {
        "boost": boost.name,
        "percent": boost.percent,
        "starts_at": boost.starts_at.isoformat(),
        "ends_at": boost.ends_at.isoformat(),
        "stopped": boost.stopped_at is not None,
    }


def _audit(boost: Boost, before: dict[str, Any], after: dict[str, Any], *, by: User | None, at: datetime) -> None:
    AuditEvent.objects.create(
        store=boost.store,
        at=at,
        user=by,
        action="program.boost",
        subject=boost.program.public_id,
        before=before,
        after=after,
    )


# -- What it makes of a reward --


def percent_at(terms: Terms, start: datetime, end: datetime | None = None) -> int:
    """Percent of the usual reward for an order placed at `start`; with `end`, the most in between."""
    until, last = Least("ends_at", "stopped_at"), end or start  # Least ignores what is NULL
    mine: QuerySet[Boost] = Boost.objects.filter(store_id=terms.store_id, program__budget=terms.budget_id)
    found = mine.annotate(until=until).filter(starts_at__lte=last, until__gt=start).order_by("-percent")
    return found.values_list("percent", flat=True).first() or USUAL


def percents_at(store: Store, moments: Sequence[tuple[Terms, datetime]]) -> list[int]:
    """`percent_at` of many orders, by the terms and the time of each; one query."""
    if not moments:
        return []
    mine = Boost.objects.for_store(store).filter(program__budget__in={terms.budget_id for terms, _ in moments})
    near = mine.filter(starts_at__lte=max(at for _, at in moments), ends_at__gt=min(at for _, at in moments))
    rows = near.annotate(until=Least("ends_at", "stopped_at"))
    windows = list(rows.values_list("program__budget", "starts_at", "until", "percent"))
    return [
        max(
            (percent for budget, start, until, percent in windows if budget == terms.budget_id and start <= at < until),
            default=USUAL,
        )
        for terms, at in moments
    ]


def boost_earned(terms: Terms, earned: Sequence[Earned], placed_at: datetime, *, later: Offer | None) -> list[Earned]:
    """What one referral brings, each reward of a step worth more where the budget has room for that.

    `later` is the friend's gift where it is still to be reserved. Whatever the boost takes, the usual
    rewards of all fit: the budget is held until the transaction ends.
    """
    percent = percent_at(terms, placed_at)
    if percent == USUAL:
        return list(earned)
    usual = [granting.most_of(one) for _who, one in earned]
    room = _room(terms, sum(usual) + (granting.worth(later, terms) if later else 0))
    found: list[Earned] = []
    for (who, one), plain in zip(earned, usual, strict=True):
        better = replace(one, percent=percent) if one.tier else one
        extra = granting.most_of(better) - plain
        if room is None or extra <= room:
            one, room = better, None if room is None else room - extra
        found.append((who, one))
    return found


def _room(terms: Terms, needed_minor: int) -> int | None:
    """What the budget, locked, could bear beyond `needed_minor`; None for any amount."""
    budget = Budget.objects.select_for_update().get(pk=terms.budget_id, store_id=terms.store_id)
    return None if budget.ceiling_minor is None else budget.ceiling_minor - budgets.committed(budget) - needed_minor


def most_percent(terms: Terms, at: datetime) -> int:
    """The largest boost that a friend who takes the gift at `at` can still buy within."""
    return percent_at(terms, at, at + timedelta(days=terms.claim_days))
