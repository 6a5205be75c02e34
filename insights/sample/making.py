"""Make a store's sample, and remove it with everything in it (docs/decisions/0014-sample-data.md)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from insights.demo.build import play, stock
from insights.sample import past
from referrals.services.programs import open_store
from stores import directory, jobs, limits
from stores.codes import random_characters
from stores.models import Job, Membership, Role, Store, User
from stores.services import note
from stores.tenancy import acting_for

KIND = "sample"
COPIED = ("brand_color", "website", "phone", "postal_address", "delivers", "time_to_value_days")
COUNTED_FOR = 600  # seconds for which the days that passed are remembered


class AtWork(Exception):
    """The sample is being made at this moment."""


def sample_of(store: Store) -> Store | None:
    """The store's sample, read inside its own wall."""
    number = directory.sample_of(store)
    if number is None:
        return None
    with acting_for(number):
        return Store.objects.get(pk=number)


def job_of(sample: Store) -> Job | None:
    """The work of making it; None once it is removed."""
    with acting_for(sample):
        found: Job | None = Job.objects.for_store(sample).filter(kind=KIND).first()
    return found


def days_done(job: Job) -> int:
    """How many days have passed in it: from Redis while it is made, because until the end nobody sees its rows."""
    return min(limits.seen(_days(job)), past.DAYS) if job.state == Job.State.RUNNING else job.done


def _days(job: Job) -> str:
    return f"sample:{job.pk}"


# -- Making it --


def begin(store: Store, *, by: User, at: datetime) -> Store:
    """The store's sample, empty; a job fills it. A second press finds the first one's."""
    known = sample_of(store)
    if known:
        return known
    try:
        with transaction.atomic():
            sample = _open(store, by, at)
            note(store, "sample.made", subject=sample.slug, by=by, at=at)
    except IntegrityError:
        twin = sample_of(store)
        if twin is None:
            raise
        return twin
    return sample


def _open(store: Store, by: User, at: datetime) -> Store:
    with translation.override(store.locale):
        name = _("Sample of %(store)s") % {"store": store.name}
    sample = open_store(
        slug=_free_slug(store),
        name=name[:120],
        currency=store.currency,
        timezone=store.timezone,
        locale=store.locale,
        country=store.country,
        toman=store.toman,
        terms=past.terms_for(store),
        sample_of=store,
        setup={"average_minor": past.typical(store)},
        at=at - timedelta(days=past.DAYS + 1),
    )
    people = list(Membership.objects.for_store(store).exclude(role=Role.STAFF).values_list("user_id", "role"))
    with acting_for(sample):
        Store.objects.filter(pk=sample.pk).update(**{field: getattr(store, field) for field in COPIED})
        sample.refresh_from_db()
        Membership.objects.bulk_create(Membership(store=sample, user_id=user, role=role) for user, role in people)
        stock(sample, past.shop_of(sample))
        jobs.begin(sample, kind=KIND, key=KIND, subject="", data={}, total=past.DAYS, by=by, at=at)
    return sample


def _free_slug(store: Store) -> str:
    slug = f"{store.slug[:38]}-sample"
    while directory.store_id_by_slug(slug):
        slug = f"{store.slug[:36]}-sample-{random_characters(4).lower()}"
    return slug


def continue_all(at: datetime) -> int:
    """The sweep: make the samples that were asked for; returns how many."""
    return jobs.continue_all(KIND, lambda sample, job_id: jobs.work(sample, job_id, lambda job, at: _play(job)), at)


def _play(job: Job) -> jobs.Piece:
    """All its weeks in one transaction: no sweep meets them half-way and takes a day in June for today."""
    sample, day = job.store, _counter(job)
    play(sample, past.shop_of(sample), days=past.DAYS, rates=past.RATES, at=job.started_at, progress=day)
    return jobs.Piece(done=past.DAYS, is_last=True)


def _counter(job: Job) -> Callable[[datetime], None]:
    limits.forget(_days(job))

    def passed(day: datetime) -> None:
        limits.count(_days(job), per_seconds=COUNTED_FOR)

    return passed


# -- Removing it --


def remove(sample: Store, *, by: User, at: datetime) -> Store:
    """Remove the sample with every row in it; returns the store it was of. Raises AtWork."""
    assert sample.sample_of_id is not None
    with acting_for(sample):
        if jobs.is_held(sample, KIND):
            raise AtWork(sample.slug)
        with connection.cursor() as cursor:
            cursor.execute("SELECT goodword_remove_sample()")
            rows = cursor.fetchone()[0]
    with acting_for(sample.sample_of_id):
        store = Store.objects.get(pk=sample.sample_of_id)
        note(store, "sample.removed", subject=sample.slug, after={"rows": rows}, by=by, at=at)
    return store
