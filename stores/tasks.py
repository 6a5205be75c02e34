"""Housekeeping."""

from datetime import datetime, timedelta

from stores.models import IdempotentCall, JobRun, Store, Tick
from stores.ticks import for_each_store, periodic


@periodic(86400)
def forget_old_rows(at: datetime) -> int:
    """Delete ticks older than a week, jobs that are no more, and answers to money POSTs older than two days."""
    gone, _ = Tick.objects.filter(at__lt=at - timedelta(days=7)).delete()
    JobRun.objects.filter(at__lt=at - timedelta(days=7)).delete()
    return gone + for_each_store(_forget_calls, at)


def _forget_calls(store: Store, at: datetime) -> int:
    return IdempotentCall.objects.for_store(store).filter(at__lt=at - timedelta(days=2)).delete()[0]
