"""What the operator of the server wants to know: of each store, of each periodic job, of the whole."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.conf import settings
from django.db import connection

from referrals.services import visits
from stores import holding, runs
from stores.models import JobRun


@dataclass(frozen=True)
class StoreFigures:
    """One store, not a sample. `sent` and `failed` are of what was due within the last hour."""

    store_id: int
    slug: str
    due: int
    oldest_due: datetime | None
    unknown: int
    sent: int
    failed: int
    jobs: int  # files taken in, messages sent by hand, print runs ... at work
    oldest_job: datetime | None  # when the one that was touched longest ago was touched
    counted_at: datetime | None
    problems: list[str]  # what the last recount of the books found


@dataclass(frozen=True)
class Disk:
    """The disk that DATA_DIR is on, in bytes."""

    total: int
    free: int

    @property
    def share_free(self) -> float:
        """Between 0 and 1."""
        return self.free / self.total if self.total else 1.0


@dataclass(frozen=True)
class Figures:
    """Everything as it is at `at` (aware UTC)."""

    at: datetime
    stores: list[StoreFigures]
    runs: list[JobRun]
    held_since: datetime | None
    visits_since: datetime | None  # the oldest of this machine's visits that are not in the database
    disk: Disk

    @cached_property
    def oldest_due(self) -> timedelta:
        """For how long the oldest due message has waited."""
        return self._age([one.oldest_due for one in self.stores])

    @cached_property
    def inbox_age(self) -> timedelta:
        """For how long the job that was touched longest ago, or the oldest visit, has been left alone."""
        return self._age([self.visits_since, *(one.oldest_job for one in self.stores)])

    @cached_property
    def due(self) -> int:
        """Messages past their time."""
        return sum(one.due for one in self.stores)

    @cached_property
    def unknown(self) -> int:
        """Messages of which nobody knows whether they arrived."""
        return sum(one.unknown for one in self.stores)

    @cached_property
    def drifting(self) -> list[StoreFigures]:
        """Stores whose books did not add up when they were last counted."""
        return [one for one in self.stores if one.problems]

    @cached_property
    def last_run(self) -> datetime | None:
        """When any job last ended, beat's own notes aside; None on a fresh installation."""
        return max((run.at for run in self.runs if run.job != runs.BEAT), default=None)

    @cached_property
    def last_beat(self) -> datetime | None:
        """When beat last said that it lives."""
        return next((run.at for run in self.runs if run.job == runs.BEAT), None)

    def late(self, run: JobRun) -> bool:
        """Whether the job has not ended well for more than three of its turns, and ten minutes."""
        return self.at - (run.good_at or run.at) > timedelta(seconds=3 * run.every) + timedelta(minutes=10)

    @cached_property
    def late_runs(self) -> list[JobRun]:
        """Jobs that are late, or fail each time."""
        return [run for run in self.runs if run.job != runs.BEAT and (self.late(run) or not run.good_at)]

    def since(self, age: timedelta) -> datetime | None:
        """When that began; None when there is nothing."""
        return self.at - age if age else None

    def _age(self, times: list[datetime | None]) -> timedelta:
        return max((self.at - one for one in times if one), default=timedelta(0))


def read(at: datetime) -> Figures:
    """The figures at `at`; the books as the last recount found them."""
    total, _used, free = shutil.disk_usage(settings.DATA_DIR if settings.DATA_DIR.exists() else settings.BASE_DIR)
    return Figures(
        at=at,
        stores=_stores(at),
        runs=list(JobRun.objects.order_by("job")),
        held_since=holding.held_since(at),
        visits_since=visits.waiting_since(settings.DATA_DIR / "visits"),
        disk=Disk(total, free),
    )


def _stores(at: datetime) -> list[StoreFigures]:
    """By a function of the database that shows numbers of every store, and nobody's rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM goodword_figures(%s)", [at])
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [StoreFigures(**row | {"problems": json.loads(row["problems"] or "[]")}) for row in rows]
