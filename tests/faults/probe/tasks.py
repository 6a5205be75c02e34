"""A job with its slots, and the same without: each run is written down in Redis, by its second."""

from __future__ import annotations

from datetime import datetime

import redis
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from stores.ticks import periodic


@periodic(1)
def guarded(at: datetime) -> int:
    return _note("guarded", at)


@shared_task(every=1)
def careless() -> int:
    return _note("careless", timezone.now())


def _note(job: str, at: datetime) -> int:
    return int(redis.Redis.from_url(settings.REDIS_URL).rpush(f"ran:{job}", int(at.timestamp())))
