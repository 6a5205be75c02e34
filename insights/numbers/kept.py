"""Numbers of large stores, counted in the background and kept for the page (docs/decisions/0023-sending-in-groups.md).

A number is counted by one function, here as on any page; what is kept is its answer for one period, whole. So it cannot
drift from the rows: it is what they said at `at`, and the page is about the time up to then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from insights.models import KeptNumbers
from insights.numbers.period import CHOICES, Period
from referrals.models import Visit
from stores.models import Store

Answer = TypeVar("Answer")

# A store with fewer visits in a month counts while the page is made: it takes no time worth keeping.
LARGE = 20_000
# How old the numbers may be until they are counted anew, by the days they are about; twice that, and the page counts.
FRESH = {30: timedelta(minutes=5), 90: timedelta(minutes=30), 365: timedelta(hours=1)}


@dataclass(frozen=True)
class Kept:
    """Answers for a store and a period, by name; when `is_open`, new ones are put in."""

    store_id: int
    period: Period
    values: dict[str, Any] = field(default_factory=dict)
    is_open: bool = False


_page: ContextVar[Kept | None] = ContextVar("kept numbers of the page", default=None)


def kept(name: str, store: Store, period: Period | None, count: Callable[[], Answer]) -> Answer:
    """The answer kept for the page that is being made, else `count()`. It must be plain JSON.

    `period` is None for what is so now, whatever period the page is about.
    """
    page = _page.get()
    if page is None or page.store_id != store.pk:
        return count()
    key = f"{name} {period.days} {(page.period.end - period.end).days}" if period else name
    if page.is_open and key not in page.values:
        page.values[key] = count()
    return page.values[key] if key in page.values else count()


@contextmanager
def reading(page: Kept | None) -> Iterator[None]:
    """Until the end of the block, numbers are taken from `page` where it has them."""
    token = _page.set(page)
    try:
        yield
    finally:
        _page.reset(token)


def find(store: Store, days: int, at: datetime) -> Kept | None:
    """What is kept for these days and not too old to be shown at `at`."""
    row = KeptNumbers.objects.for_store(store).filter(days=days, at__gt=at - 2 * FRESH[days], at__lte=at).first()
    return Kept(store.pk, Period(days, row.at), row.values) if row else None


def refresh(store: Store, at: datetime, make_page: Callable[[Period], object]) -> int:
    """Count anew what has grown old, by making the page; returns how many periods. Small stores keep nothing."""
    rows = KeptNumbers.objects.for_store(store)
    if not is_large(store, at):
        rows.delete()
        return 0
    known = dict(rows.values_list("days", "at"))
    stale = [days for days in CHOICES if known.get(days, at - 2 * FRESH[days]) <= at - FRESH[days]]
    for days in stale:
        page = Kept(store.pk, Period(days, at), is_open=True)
        with reading(page):
            make_page(page.period)
        rows.update_or_create(store=store, days=days, defaults={"at": at, "values": page.values})
    return len(stale)


def is_large(store: Store, at: datetime) -> bool:
    """Whether counting takes longer than a page may."""
    lately = Visit.objects.for_store(store).filter(is_bot=False, at__gt=at - timedelta(days=30))
    return bool(lately.order_by("at")[LARGE : LARGE + 1].values("pk"))
