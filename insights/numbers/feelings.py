"""How people feel: the score with its margin, and its way over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q

from insights.numbers.kept import kept
from insights.numbers.period import STEPS, Period, edges, steps, twice
from stores.models import Store
from surveys.models import Response
from surveys.rules import ENOUGH, Group, NetPromoterScore, net_promoter_score, scores_of

GROUPS = {f"{group}s": Count("pk", filter=Q(score__in=scores_of(group))) for group in Group}


@dataclass(frozen=True)
class Feelings:
    """The score of the period and of the one before, and how many answered what."""

    now: NetPromoterScore | None
    before: NetPromoterScore | None
    promoters: int
    passives: int
    detractors: int

    @property
    def answers(self) -> int:
        """The sample."""
        return self.promoters + self.passives + self.detractors

    @property
    def is_enough(self) -> bool:
        """Whether a score may be shown."""
        return self.answers >= ENOUGH

    @property
    def change(self) -> float | None:
        """In points; None unless both periods have answers enough."""
        if not (self.is_enough and self.now and self.before and self.before.answers >= ENOUGH):
            return None
        return self.now.score - self.before.score


def feelings(store: Store, period: Period) -> Feelings:
    """What people answered in the period, by one query."""
    counted = kept("feelings", store, period, lambda: _answers(store, twice(period)))
    now, before = _sum(counted[STEPS:]), _sum(counted[:STEPS])
    return Feelings(
        net_promoter_score(**now),
        net_promoter_score(**before),
        **now,
    )


def _answers(store: Store, marks: list[datetime]) -> list[dict[str, Any]]:
    return steps(Response.objects.for_store(store).counted(), "at", marks, **GROUPS)


def _sum(counted: list[dict[str, Any]]) -> dict[str, int]:
    return {group: sum(step.get(group, 0) for step in counted) for group in GROUPS}


@dataclass(frozen=True)
class Point:
    """The score of one step of time, from `start` to before `end`; None when nobody answered."""

    start: datetime
    end: datetime
    score: NetPromoterScore | None


def trend(store: Store, period: Period) -> list[Point]:
    """Twelve weeks, or twelve twelfths of a year when a year is looked at."""
    weeks = period if period.days == 365 else Period(7 * STEPS, period.end)
    marks = edges(weeks)
    counted = kept("trend", store, weeks, lambda: _answers(store, marks))
    width = timedelta(days=weeks.days) / STEPS
    return [
        Point(start, start + width, net_promoter_score(**_sum([step])))
        for start, step in zip(marks, counted, strict=False)
    ]
