"""Days that come every year, and where on the clock they begin for a person. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def kept_on(month: int, day: int, year: int) -> date:
    """When a day is kept in `year`: the 29th of February on the 28th where there is none."""
    if (month, day) == (2, 29) and not _is_leap(year):
        return date(year, 2, 28)
    return date(year, month, day)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_of(on: date) -> list[tuple[int, int]]:
    """The (month, day) kept on a date: two of them on the 28th of February of most years."""
    also = [(2, 29)] if (on.month, on.day) == (2, 28) and not _is_leap(on.year) else []
    return [(on.month, on.day), *also]


def starts_at(on: date, zone: ZoneInfo) -> datetime:
    """The first moment of a date in a zone (aware UTC), also where the clock skips midnight that day."""
    return clock(on, timedelta(0), zone)


def clock(on: date, after_midnight: timedelta, zone: ZoneInfo) -> datetime:
    """When the clock of a zone shows so long after midnight (aware UTC): nine is nine on a day of 23 hours, too.

    A time that the clock skips counts as if it had not yet been put forward; one that comes twice is the first.
    """
    return (datetime.combine(on, time()) + after_midnight).replace(tzinfo=zone).astimezone(UTC)


def dates_between(since: datetime, until: datetime) -> Iterator[date]:
    """Every date that begins somewhere on earth after `since` and up to `until`; some more at both ends."""
    on = since.astimezone(UTC).date() - DAY
    while on <= until.astimezone(UTC).date() + DAY:
        yield on
        on += DAY
