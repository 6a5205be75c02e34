"""A time cut into weeks or calendar months, as the store's own calendar has them."""

from __future__ import annotations

from datetime import datetime, timedelta

from insights.numbers.funnels import Piece
from insights.numbers.period import Period
from rewards import spans
from stores.l10n import format_date
from stores.models import Store

WEEK = timedelta(days=7)
YEAR = 365


def pieces(store: Store, period: Period, language: str) -> list[Piece]:
    """Months for a year, else weeks that end today; from old to new, without gaps. The first may be cut short."""
    cut = _months if period.days == YEAR else _weeks
    start, end = period.start, period.end + timedelta(microseconds=1)
    found = [(max(first, start), min(after, end), label) for first, after, label in cut(store, period, language)]
    return [Piece(first, after, label) for first, after, label in found if first < after]


def _weeks(store: Store, period: Period, language: str) -> list[tuple[datetime, datetime, str]]:
    after, found = period.end.astimezone(store.zone).date() + spans.DAY, []
    while spans.starts_at(after, store.zone) > period.start:
        first = after - WEEK
        start = max(spans.starts_at(first, store.zone), period.start)
        found.append((start, spans.starts_at(after, store.zone), format_date(start, language, store.zone)))
        after = first
    return found[::-1]


def _months(store: Store, period: Period, language: str) -> list[tuple[datetime, datetime, str]]:
    found, on = [], period.start.astimezone(store.zone).date()
    while spans.starts_at(on, store.zone) <= period.end:
        month = spans.month_of(on, jalali=spans.is_jalali(language))
        first, after = month.bounds(store.zone)
        found.append((first, after, month.label(language)))
        on = month.after
    return found
