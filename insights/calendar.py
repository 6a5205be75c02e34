"""What goes out in the next days, by hour and kind, as far as is known now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import Greatest, TruncHour

from outreach.kinds import Kind
from outreach.models import Message
from stores.models import Store
from surveys.models import Invitation

DAYS = 14


@dataclass(frozen=True)
class Hour:
    """One hour of a day: `at` is its start; `kinds` are labels with how many, the most first."""

    at: datetime
    count: int
    kinds: list[tuple[str, int]]


@dataclass(frozen=True)
class Day:
    """One day of the store's calendar; only hours with something."""

    day: date
    count: int
    hours: list[Hour]


@dataclass(frozen=True)
class Calendar:
    """The days to come, the busiest hour's count (for the shades), and how many wait because of the cap."""

    days: list[Day]
    most: int
    total: int
    held_by_cap: int


def calendar(store: Store, at: datetime) -> Calendar:
    """The next DAYS days where the store is, today included; three queries. What is overdue counts as now."""
    end = datetime.combine(at.astimezone(store.zone).date() + timedelta(days=DAYS), time(), store.zone)
    waiting = Message.objects.for_store(store).filter(status=Message.Status.PENDING, due_at__lt=end)
    planned = Invitation.objects.for_store(store).filter(status=Invitation.Status.PLANNED, due_at__lt=end)
    counts: Counter[tuple[datetime, str]] = Counter()
    for hour, kind, count in _by_hour(waiting, "kind", store, at):
        counts[hour, str(Kind(kind).label)] += count
    for hour, _status, count in _by_hour(planned, "status", store, at):
        counts[hour, str(Kind.SURVEY.label)] += count
    days = [_day(store, at, place, counts) for place in range(DAYS)]
    hours = [hour.count for day in days for hour in day.hours]
    held = waiting.filter(reason="cap").count()
    return Calendar(days, most=max(hours, default=0), total=sum(hours), held_by_cap=held)


def _by_hour(rows: QuerySet[Any], what: str, store: Store, at: datetime) -> list[tuple[datetime, str, int]]:
    """(hour in the store's zone, `what`, how many) of each."""
    hour = TruncHour(Greatest("due_at", at), tzinfo=store.zone)
    counted = rows.annotate(hour=hour).values("hour", what).annotate(count=Count("pk"))
    return list(counted.values_list("hour", what, "count").order_by())


def _day(store: Store, at: datetime, place: int, counts: Counter[tuple[datetime, str]]) -> Day:
    day = at.astimezone(store.zone).date() + timedelta(days=place)
    mine = {(hour, kind): count for (hour, kind), count in counts.items() if hour.date() == day}
    hours = [
        Hour(
            hour,
            sum(count for (one, _kind), count in mine.items() if one == hour),
            sorted(((kind, count) for (one, kind), count in mine.items() if one == hour), key=lambda pair: -pair[1]),
        )
        for hour in sorted({hour for hour, _kind in mine})
    ]
    return Day(day, sum(hour.count for hour in hours), hours)
