"""A beat that does the work itself while Redis is away: what is due stands in Postgres and needs no nudge."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

from celery.beat import PersistentScheduler, ScheduleEntry
from django.db import Error, close_old_connections
from django.utils import timezone

from stores import logs, runs

logger = logging.getLogger(__name__)

REST = 30.0  # seconds until Redis is tried again; each try may take as long as its time-outs
A_LITTLE = timedelta(seconds=10)  # clocks are set right by so much all the time


class SelfReliant(PersistentScheduler):
    """Sends each job to the workers, or does it when it cannot be sent (Redis gone, silent, or out of memory).

    A job runs once in its slot, so it does no harm if the nudge has arrived after all (`stores.ticks`).
    """

    away_until = 0.0
    note_at = 0.0

    def setup_schedule(self) -> None:
        """A tick for each job that says how often (`stores.ticks.periodic`).

        One that has waited longer than until the next is dropped: the next does its work.
        """
        self.app.loader.import_default_modules()
        self.app.conf.beat_schedule = {
            name: {"task": name, "schedule": float(task.every), "options": {"expires": min(task.every, 600)}}
            for name, task in self.app.tasks.items()
            if hasattr(task, "every")
        }
        super().setup_schedule()

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Seconds until the next job is due. Jobs last done at a time that is yet to come count as done now.

        Else a clock that is set back by an hour would stop them all for an hour.
        """
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at > self.app.now() + A_LITTLE]
        for entry in ahead:
            entry.last_run_at = self.app.now()
        if ahead:
            self._heap = None  # is made anew, in the order of today's clock
        return super().tick(*args, **kwargs)

    def _ensure_connected(self) -> Any:
        """As Celery's, which tries for ever before the first job; here the first job finds out."""
        return self.connection

    def apply_async(self, entry: ScheduleEntry, producer: Any = None, advance: bool = True, **options: Any) -> Any:
        """The task that was sent; None when it was done here."""
        self._note()
        if time.monotonic() >= self.away_until:
            try:
                return super().apply_async(entry, producer=producer, advance=advance, **options)
            except Exception as error:
                logger.warning("beat does the jobs itself: %s", error)
                self.away_until = time.monotonic() + REST
        self._do(entry)
        return None

    def _note(self) -> None:
        """Say in Postgres that beat lives: so a silent beat can be told from silent workers."""
        if time.monotonic() < self.note_at:
            return
        self.note_at = time.monotonic() + runs.BEAT_EVERY
        close_old_connections()
        with suppress(Error):  # without Postgres there is nothing to do, and beat goes on
            runs.note(runs.BEAT, every=runs.BEAT_EVERY, seconds=0, at=timezone.now())
        close_old_connections()

    def _do(self, entry: ScheduleEntry) -> None:
        close_old_connections()
        with logs.stamped(entry.task, str(uuid4())):
            try:
                self.app.tasks[entry.task]()
            except Exception:  # as in a worker, one failing job stops no other
                logger.exception("%s failed", entry.task)
            finally:
                close_old_connections()
                if self.should_sync():
                    self._do_sync()
