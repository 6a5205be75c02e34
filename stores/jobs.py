"""Long work in pieces: begun once, gone on with after a crash, stopped by a person (see `stores.models.Job`)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from stores import directory
from stores.models import Job, Store, User
from stores.tenancy import acting_for, insert_new

logger = logging.getLogger(__name__)

ABANDONED = timedelta(seconds=60)  # longer than any piece takes
MOST_FAILURES = 5
TURN = 60.0  # seconds a worker stays at one job: the others want theirs, and a task has a time limit


@dataclass(frozen=True)
class Piece:
    """What one piece of the work did; `data` is merged into the job's, `is_last` ends it."""

    done: int = 0
    failed: int = 0
    data: dict[str, Any] | None = None
    is_last: bool = False


@dataclass(frozen=True)
class Progress:
    """How far a job is: rows, and in percent; `seconds_left` is None while nothing can be said."""

    seen: int
    total: int
    percent: int
    seconds_left: int | None


def progress(job: Job, now: datetime) -> Progress:
    """How far the job is at `now` (aware UTC), for the page that shows it."""
    seen, total = job.done + job.failed, job.total
    passed = (now - job.started_at).total_seconds()
    left = round(passed * (total - seen) / seen) if seen and total >= seen else None
    return Progress(seen, total, min(100 * seen // total, 100) if total else 0, left)


def begin(
    store: Store,
    *,
    kind: str,
    key: str,
    subject: str,
    data: dict[str, Any],
    total: int,
    by: User | None,
    at: datetime,
    due_at: datetime | None = None,
) -> tuple[Job, bool]:
    """The job for this wish, and whether this call began it.

    Of two presses (`key`), and of two wishes for the same `subject` while one is at work, the second gets the first's.
    Nobody works on it before `due_at`: until then it can be stopped, and nothing has happened.
    """
    job = Job(store=store, kind=kind, key=key, subject=subject, data=data, total=total, by=by, started_at=at)
    job.touched_at = due_at - ABANDONED if due_at else None
    if insert_new(job):
        return job, True
    jobs = Job.objects.for_store(store)
    return jobs.filter(key=key).first() or jobs.get(subject=subject, state=Job.State.RUNNING), False


def record(store: Store, *, kind: str, data: dict[str, Any], done: int, total: int, by: User, at: datetime) -> Job:
    """Work that was done at once, written down with what it did, so that it can be undone."""
    job = Job(store=store, kind=kind, data=data, done=done, total=total, by=by, started_at=at, ended_at=at)
    job.key, job.state = f"{kind}:{job.public_id}", Job.State.DONE
    job.save()
    return job


def work(store: Store, job_id: int, step: Callable[[Job, datetime], Piece], *, seconds: float = TURN) -> Job:
    """Do the job piece by piece until it ends, is stopped, a piece fails or the turn is over; returns it as it is.

    Each piece is a transaction of its own under the job's row lock: two workers take turns, and a killed one
    leaves no half piece. A piece that fails is tried again by the sweep, a few times.
    """
    ends = time.monotonic() + seconds
    while True:
        try:
            with acting_for(store):
                job: Job = Job.objects.for_store(store).select_for_update().get(pk=job_id)
                if job.state != Job.State.RUNNING:
                    return job
                is_over = time.monotonic() > ends
                _write(job, step(job, timezone.now()), None if is_over else timezone.now())
                if is_over:
                    return job
        except Exception as error:
            logger.exception("job %s: a piece failed", job_id)
            return _count_failure(store, job_id, error)


def waiting(store: Store, kind: str, at: datetime) -> list[int]:
    """Ids of jobs of this kind that nobody works on: new ones, and those whose worker is gone. Takes them."""
    free = Job.objects.for_store(store).filter(
        Q(touched_at=None) | Q(touched_at__lt=at - ABANDONED), kind=kind, state=Job.State.RUNNING
    )
    found = list(free.order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True))
    Job.objects.for_store(store).filter(pk__in=found).update(touched_at=at)
    return found


def continue_all(kind: str, work_on: Callable[[Store, int], Any], at: datetime) -> int:
    """The sweep of every store: begin jobs of this kind, go on with what a dead worker left; returns how many.

    Not inside a transaction: each piece commits its own.
    """
    done = 0
    for store_id in directory.stores_with_jobs(kind):
        with acting_for(store_id):
            store = Store.objects.get(pk=store_id)
            found = waiting(store, kind, at)
        for job_id in found:
            work_on(store, job_id)
        done += len(found)
    return done


def is_held(store: Store, kind: str) -> bool:
    """Whether somebody works on a job of this kind at this moment; else nobody can until the transaction ends."""
    rows = Job.objects.for_store(store).filter(kind=kind, state=Job.State.RUNNING)
    return rows.count() > len(rows.select_for_update(skip_locked=True))


def _write(job: Job, piece: Piece, touched_at: datetime | None) -> None:
    """Note what was done; without `touched_at` the job is free for whoever comes next."""
    job.done += piece.done
    job.failed += piece.failed
    job.data = {**job.data, **(piece.data or {}), "failures": 0}
    job.touched_at = touched_at
    if piece.is_last:
        job.state, job.ended_at = Job.State.DONE, timezone.now()
    job.save(update_fields=["done", "failed", "data", "touched_at", "state", "ended_at"])


def _count_failure(store: Store, job_id: int, error: Exception) -> Job:
    """A piece that fails again and again ends the job; until then a sweep tries once more."""
    with acting_for(store):
        job: Job = Job.objects.for_store(store).select_for_update().get(pk=job_id)
        failures = int(job.data.get("failures", 0)) + 1
        job.data, job.note = {**job.data, "failures": failures}, type(error).__name__
        job.touched_at = timezone.now()
        if failures >= MOST_FAILURES and job.state == Job.State.RUNNING:
            job.state, job.ended_at = Job.State.FAILED, job.touched_at
        job.save(update_fields=["data", "note", "touched_at", "state", "ended_at"])
    return job


def stop(job: Job, *, at: datetime) -> bool:
    """End the work where it is; True if this call did. Waits for the piece that is being done."""
    running = Job.objects.filter(pk=job.pk, store_id=job.store_id, state=Job.State.RUNNING)
    return bool(running.update(state=Job.State.STOPPED, ended_at=at))
