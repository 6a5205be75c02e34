"""Something done to several customers at once, and undone: each is noted with those whom it changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max

from customers import tagging
from customers.models import Channel, Consent, Customer
from customers.services.people import CONSENTS
from stores import jobs
from stores.models import Job, Store, User
from stores.rows import insert_rows
from stores.services import note as note_done

KIND = "bulk"
OFFERED = timedelta(minutes=10)  # how long a list offers to undo it
TAG, UNTAG, SILENCE, ASK = "tag", "untag", "silence", "ask"


Ways = dict[str, Callable[[Job, User, datetime], None]]  # how an action is undone


class NotUndone(Exception):
    """It was undone before, or longer ago than is undone."""


def tag(store: Store, customers: Sequence[int], typed: str, *, by: User, at: datetime) -> Job:
    """Put a tag on these customers (by id). Raises BadTag."""
    changed = tagging.tag_new(store, customers, typed)
    data = {"tag": tagging.folded_tag(typed), "ids": sorted(changed)}
    return note(store, TAG, data, len(changed), len(customers), by=by, at=at)


def untag(store: Store, customers: Sequence[int], typed: str, *, by: User, at: datetime) -> Job:
    """Take a tag off these customers. Raises BadTag."""
    changed = tagging.untag_known(store, customers, typed)
    data = {"tag": tagging.folded_tag(typed), "ids": sorted(changed)}
    return note(store, UNTAG, data, len(changed), len(customers), by=by, at=at)


def silence(store: Store, customers: Sequence[int], *, by: User, at: datetime) -> Job:
    """Write down that these customers want no messages any more, on any channel."""
    changed = {channel: _agree(store, customers, channel, granted=False, by=by, at=at) for channel in Channel}
    note_done(store, "consent.withdrawn", after={"customers": len(customers)}, by=by, at=at)
    data = {"ids": {str(channel): sorted(ids) for channel, ids in changed.items()}}
    return note(store, SILENCE, data, len(set().union(*changed.values())), len(customers), by=by, at=at)


def _agree(
    store: Store, customers: Sequence[int], channel: Channel, *, granted: bool, by: User, at: datetime
) -> set[int]:
    """Write a yes or no down for those with whom the other stands; their ids."""
    rows = Customer.objects.for_store(store).filter(pk__in=customers, **{CONSENTS[channel]: not granted})
    changed = set(rows.select_for_update().order_by("pk").values_list("pk", flat=True))
    Customer.objects.for_store(store).filter(pk__in=changed).update(**{CONSENTS[channel]: granted})
    facts: dict[str, Any] = {
        "store": store,
        "channel": channel,
        "granted": granted,
        "source": f"staff: {by}"[:80],
        "at": at,
    }
    insert_rows([Consent(customer_id=pk, **facts) for pk in sorted(changed)])
    return changed


def note(store: Store, action: str, data: dict[str, Any], done: int, total: int, *, by: User, at: datetime) -> Job:
    """Write down what was done, so that it can be undone."""
    return jobs.record(store, kind=KIND, data={"action": action, **data}, done=done, total=total, by=by, at=at)


# -- Undoing --


def last_of(store: Store, by: User, at: datetime) -> Job | None:
    """What this person did last, if it can still be undone and changed anybody."""
    rows = Job.objects.for_store(store).filter(kind=KIND, by=by, note="", done__gt=0, started_at__gt=at - OFFERED)
    found: Job | None = rows.order_by("-started_at", "-pk").first()
    return found


def undo(job: Job, *, ways: Ways, by: User, at: datetime) -> None:
    """Put everything back as it was, but for what has changed since; `ways` says how, by action. Raises NotUndone."""
    standing = Job.objects.filter(pk=job.pk, store_id=job.store_id, kind=KIND, note="", started_at__gt=at - OFFERED)
    if not standing.update(note="undone"):
        raise NotUndone
    ways[job.data["action"]](job, by, at)


def _take_off(job: Job, by: User, at: datetime) -> None:
    tagging.untag(job.store, job.data["ids"], job.data["tag"])


def _put_back(job: Job, by: User, at: datetime) -> None:
    tagging.tag(job.store, job.data["ids"], job.data["tag"])


def _let_speak(job: Job, by: User, at: datetime) -> None:
    """Whoever has said something since is left with that."""
    for channel, ids in job.data["ids"].items():
        said = Consent.objects.for_store(job.store).filter(customer__in=ids, channel=channel).values("customer")
        quiet = said.annotate(last=Max("at")).filter(last=job.started_at).values_list("customer", flat=True)
        _agree(job.store, list(quiet), Channel(channel), granted=True, by=by, at=at)


UNDO: Ways = {TAG: _take_off, UNTAG: _put_back, SILENCE: _let_speak}
