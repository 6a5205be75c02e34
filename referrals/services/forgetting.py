"""Forgetting a customer after an hour in which it can be undone: a job, done once, that survives a crash."""

from __future__ import annotations

from datetime import datetime, timedelta

from customers.models import Customer
from referrals.services import erasing
from rewards.models import Payout
from stores import jobs
from stores.models import Job, User

KIND = "erase"
WAITS = timedelta(hours=1)


def begin(customer: Customer, *, by: User, at: datetime) -> Job:
    """Forget them in an hour; a second press gets the first one's job. Raises erasing.CannotErase."""
    store = customer.store
    if Payout.objects.for_store(store).filter(customer=customer, status=Payout.Status.LISTED).exists():
        raise erasing.CannotErase(customer.public_id)
    job, _is_new = jobs.begin(
        store,
        kind=KIND,
        key=f"{KIND}:{customer.pk}:{at.isoformat()}",
        subject=_subject(customer),
        data={"customer": customer.pk},
        total=1,
        by=by,
        at=at,
        due_at=at + WAITS,
    )
    return job


def _subject(customer: Customer) -> str:
    return f"{KIND}:{customer.pk}"


def job_of(customer: Customer) -> Job | None:
    """The last wish to forget them: one that waits, or was given up after failing."""
    rows = Job.objects.for_store(customer.store).filter(kind=KIND, subject=_subject(customer))
    found: Job | None = rows.exclude(state=Job.State.STOPPED).order_by("-pk").first()
    return found


def due_at(job: Job) -> datetime:
    """When it is done."""
    return job.started_at + WAITS


def stop(job: Job, *, at: datetime) -> bool:
    """Leave them as they are; True if that came in time."""
    return jobs.stop(job, at=at)


def continue_all(at: datetime) -> int:
    """The sweep: forget whose hour is over; returns how many."""
    return jobs.continue_all(KIND, lambda store, job_id: jobs.work(store, job_id, _piece), at)


def _piece(job: Job, at: datetime) -> jobs.Piece:
    customer = Customer.objects.for_store(job.store).select_related("store").get(pk=job.data["customer"])
    erasing.erase(customer, by=job.by, at=at)
    return jobs.Piece(1, is_last=True)
