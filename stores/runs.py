"""What became of the periodic jobs: for the operator, wherever the workers are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from django.db import Error, transaction
from django.db.models import F
from django.utils import timezone

from stores.models import JobRun

BEAT = "beat"  # beat's own line: it ticks, whether or not a worker does anything
BEAT_EVERY = 30.0


@contextmanager
def noted(job: str, *, every: float) -> Iterator[None]:
    """Write down how long the job took, and whether it failed; a note that cannot be written stops nothing."""
    began, error = time.monotonic(), ""
    try:
        yield
    except Exception as raised:
        error = type(raised).__name__
        raise
    finally:
        with suppress(Error), transaction.atomic():
            note(job, every=every, seconds=time.monotonic() - began, at=timezone.now(), error=error)


def note(job: str, *, every: float, seconds: float, at: datetime, error: str = "") -> None:
    """One run more; of two first ones at once, one is not counted."""
    last = {"every": every, "at": at, "seconds": seconds, "error": error[:80]}
    if not error:
        last["good_at"] = at
    sums = {
        "runs": F("runs") + 1,
        "failures": F("failures") + int(bool(error)),
        "total_seconds": F("total_seconds") + seconds,
    }
    if not JobRun.objects.filter(job=job).update(**last, **sums):
        first = JobRun(job=job, **last, failures=int(bool(error)), total_seconds=seconds)
        JobRun.objects.bulk_create([first], ignore_conflicts=True)
