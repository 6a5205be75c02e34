"""Periodic jobs that run once a slot, however many beats tick (RELIABILITY rule 28)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import wraps
from typing import Any

from celery import shared_task
from django.db import IntegrityError, transaction
from django.utils import timezone

from stores import directory, runs
from stores.models import Store, Tick
from stores.tenancy import acting_for

logger = logging.getLogger(__name__)


def take_slot(job: str, *, seconds: float, at: datetime) -> bool:
    """Whether this call is the first for `job` in the slot of `seconds` that holds `at`."""
    slot = int(at.timestamp() // seconds)
    try:
        with transaction.atomic():
            Tick.objects.create(job=job, slot=slot, at=at)
    except IntegrityError:
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
