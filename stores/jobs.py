"""Long work in pieces: begun once, gone on with after a crash, stopped by a person (see `stores.models.Job`)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from stores.models import Job, Store, User
from stores.tenancy import acting_for, insert_new

logger = logging.getLogger(__name__)

ABANDONED = timedelta(seconds=60)  # longer than any piece takes
MOST_FAILURES = 5


@dataclass(frozen=True)
class Piece:
    """What one piece of the work did; `data` is merged into the job's, `is_last` ends it."""

    done: int = 0
    failed: int = 0
    data: dict[str, Any] | None = None
    is_last: bool = False


def begin(
    store: Store, *, kind: str, key: str, subject: str, data: dict[str, Any], total: int, by: User | None, at: datetime
) -> tuple[Job, bool]:
    """The job for this wish, and whether this call began it.

    Of two presses (`key`), and of two wishes for the same `subject` while one is at work, the second gets the first's.
    """
    job = Job(store=store, kind=kind, key=key, subject=subject, data=data, total=total, by=by, started_at=at)
    if insert_new(job):
        return job, True
    jobs = Job.objects.for_store(store)
    return jobs.filter(key=key).first() or jobs.get(subject=subject, state=Job.State.RUNNING), False


def work(store: Store, job_id: int, step: Callable[[Job, datetime], Piece]) -> Job:
    """Do the job piece by piece until it ends, is stopped, or a piece fails; returns it as it then is.

    Each piece is a transaction of its own under the job's row lock: two workers take turns, and a killed one
    leaves no half piece. A piece that fails is tried again by the sweep, a few times.
    """
    while True:
        try:
            with acting_for(store):
                job: Job = Job.objects.for_store(store).select_for_update().get(pk=job_id)
                if job.state != Job.State.RUNNING:
                    return job
                _write(job, step(job, timezone.now()), timezone.now())
        except Exception:
            logger.exception("job %s: a piece failed", job_id)
            return _count_failure(store, job_id)


def waiting(store: Store, kind: str, at: datetime) -> list[int]:
    """Ids of jobs of this kind that nobody works on: new ones, and those whose worker is gone. Takes them."""
    free = Job.objects.for_store(store).filter(
        Q(touched_at=None) | Q(touched_at__lt=at - ABANDONED), kind=kind, state=Job.State.RUNNING
    )
    found = list(free.order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True))
    Job.objects.for_store(store).filter(pk__in=found).update(touched_at=at)
    return found


def _write(job: Job, piece: Piece, at: datetime) -> None:
    job.done += piece.done
    job.failed += piece.failed
    job.data = {**job.data, **(piece.data or {}), "failures": 0}
    job.touched_at = at
    if piece.is_last:
        job.state, job.ended_at = Job.State.DONE, at
    job.save(update_fields=["done", "failed", "data", "touched_at", "state", "ended_at"])


def _count_failure(store: Store, job_id: int) -> Job:
    """A piece that fails again and again ends the job; until then a sweep tries once more."""
    with acting_for(store):
        job: Job = Job.objects.for_store(store).select_for_update().get(pk=job_id)
        failures = int(job.data.get("failures", 0)) + 1
        job.data = {**job.data, "failures": failures}
        job.touched_at = timezone.now()
        if failures >= MOST_FAILURES and job.state == Job.State.RUNNING:
            job.state, job.ended_at = Job.State.FAILED, job.touched_at
        job.save(update_fields=["data", "touched_at", "state", "ended_at"])
    return job


def stop(job: Job, *, at: datetime) -> bool:
    """End the work where it is; True if this call did. Waits for the piece that is being done."""
    running = Job.objects.filter(pk=job.pk, store_id=job.store_id, state=Job.State.RUNNING)
    return bool(running.update(state=Job.State.STOPPED, ended_at=at))
