"""The time a page looks at, and rows counted in steps over it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db.models import F, Func, IntegerField, QuerySet, Value

CHOICES = (30, 90, 365)
STEPS = 12  # points of a sparkline


class Span(Protocol):
    """Some time, whatever else is chosen with it."""

    def within(self, column: str) -> dict[str, datetime]:
        """The filter for rows of this time."""


@dataclass(frozen=True)
class Period:
    """The last `days` days before `end` (aware UTC), to be compared with as many days before them."""

    days: int
    end: datetime

    @classmethod
    def chosen(cls, typed: str, at: datetime) -> Period:
        """The period named in the URL; the last 30 days for anything else."""
        return cls(int(typed) if typed in {str(days) for days in CHOICES} else CHOICES[0], at)

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return self.end - timedelta(days=self.days)

    @property
    def earlier(self) -> Period:
        """The period before it, equally long."""
        return Period(self.days, self.start)

    def within(self, column: str) -> dict[str, datetime]:
        """The filter for rows of this period."""
        return {f"{column}__gt": self.start, f"{column}__lte": self.end}


def steps(rows: QuerySet[Any], column: str, edges: list[datetime], **values: Any) -> list[dict[str, Any]]:
    """Aggregates of `rows` between each two of the `edges`, in one query; a step without rows is {}."""
    counted = (
        rows.filter(**{f"{column}__gte": edges[0], f"{column}__lt": edges[-1]})
        .annotate(step=piece_of(column, edges))
        .order_by()
        .values("step")
        .annotate(**values)
    )
    found = {row["step"]: row for row in counted}
    return [found.get(step + 1, {}) for step in range(len(edges) - 1)]


def piece_of(column: str, edges: list[datetime]) -> Func:
    """Between which two of the `edges` a moment lies, from 1 on."""
    return Func(F(column), Value(edges[:-1]), function="width_bucket", output_field=IntegerField())


def edges(period: Period, count: int = STEPS) -> list[datetime]:
    """`count` equal steps over the period: their edges, from old to new."""
    width = timedelta(days=period.days) / count
    # A microsecond more, so that what happened at the very end is in.
    return [period.start + step * width for step in range(count)] + [period.end + timedelta(microseconds=1)]


def twice(period: Period) -> list[datetime]:
    """The steps of the period before and of this one."""
    return edges(period.earlier)[:-1] + edges(period)
