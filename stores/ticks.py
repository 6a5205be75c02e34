"""Periodic jobs that run once a slot, however many beats tick (RELIABILITY rule 28)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from celery import shared_task
from django.db import IntegrityError, transaction
from django.utils import timezone

from stores import directory, runs
from stores.models import Store, Tick
from stores.tenancy import acting_for

logger = logging.getLogger(__name__)

SKEW = timedelta(
    minutes=1
)  # between the clocks of two machines; a tick further ahead was written before ours went back


def take_slot(job: str, *, seconds: float, at: datetime) -> bool:
    """Whether this call is the first for `job` in the slot of `seconds` that holds `at`.

    After a clock was set back, the slots of the time that comes twice would all be taken: ticks that lie ahead are
    forgotten, so that work rests for a minute and not for the hour.
    """
    slot = int(at.timestamp() // seconds)
    try:
        with transaction.atomic():
            Tick.objects.create(job=job, slot=slot, at=at)
    except IntegrityError:
        Tick.objects.filter(at__gt=at + SKEW).delete()
        return False
    return True


def periodic(every: float) -> Callable[[Callable[..., int]], Any]:
    """A task that beat starts each `every` seconds (config.beat) and that runs once in each such slot."""

    def decorate(job: Callable[..., int]) -> Any:
        @wraps(job)
        def guarded() -> int:
            now = timezone.now()
            if not take_slot(job.__name__, seconds=every, at=now):
                return 0
            with runs.noted(job.__name__, every=every):
                return job(now)

        guarded.__module__ = job.__module__
        return shared_task(every=every)(guarded)

    return decorate


def for_each_store(step: Callable[[Store, datetime], int], at: datetime) -> int:
    """Run `step` for every store, each in a transaction of its own; one failing store stops no other."""
    total = 0
    for store in stores():
        try:
            with acting_for(store):
                total += step(store, at)
        except Exception:
            logger.exception("%s failed for store %s", step.__name__, store.pk)
    return total


def stores() -> Iterator[Store]:
    """Every store, read inside its own wall."""
    return directory.each_store()
