"""A file that was taken in is taken back: what is new goes, what was filled in is blank again.

Only where nothing else has happened to a row since; else it stays, and the page says why. It stands on this floor
because it must know every table that points to a customer or an order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import F, Q

from customers.importing import working
from customers.models import (
    Consent,
    Customer,
    CustomerTag,
    Import,
    ImportRow,
    Order,
    OrderLine,
    SearchTerm,
    SegmentMember,
)
from customers.services.people import BLANKS
from referrals.services.erasing import BLANK
from stores import jobs
from stores.models import Job, Store, User
from stores.services import note
from surveys.models import Invitation

KIND = working.UNDO
PIECE = 200
Outcome = ImportRow.Outcome
# Rows that say nothing of their own: they go with whom they belong to.
ALONG_WITH_CUSTOMER = (SearchTerm, SegmentMember, CustomerTag, Consent)
ALONG_WITH_ORDER = (OrderLine, Invitation)
# Why a row stays: which app's rows point to it -> a slug (words: customers.import_wording).
WHY = {
    "customers": "orders",
    "outreach": "messages",
    "surveys": "answers",
    "referrals": "friends",
    "rewards": "rewards",
}


class NotOver(Exception):
    """The file is still being taken in."""


def begin(run: Import, *, by: User, at: datetime) -> Job:
    """Begin to take it back; a second press gets the first one's job. Raises NotOver."""
    taken = working.job_of(run)
    if taken is None or taken.state == Job.State.RUNNING:
        raise NotOver
    job, is_new = jobs.begin(
        run.store,
        kind=KIND,
        key=f"{KIND}:{run.pk}",
        subject=working.subject(run),
        data={"run": run.pk},
        total=_left(run).count(),
        by=by,
        at=at,
    )
    if is_new:
        note(run.store, "import.undone", subject=run.public_id, after={"file": run.name}, by=by, at=at)
    return job


def _left(run: Import) -> Any:
    """The rows that did something and are neither undone nor found to stay."""
    rows = ImportRow.objects.for_store(run.store).filter(run=run, undone_at=None, stays="")
    return rows.filter(outcome__in=(Outcome.CREATED, Outcome.UPDATED))


def continue_all(at: datetime) -> int:
    """The sweep: begin what was asked for, go on with what a dead worker left; returns how many files."""
    return jobs.continue_all(KIND, work, at)


def work(store: Store, job_id: int, *, seconds: float = jobs.TURN) -> Job:
    """Take rows back, the last first, until none is left, or the turn is over."""
    return jobs.work(store, job_id, _piece, seconds=seconds)


def _piece(job: Job, at: datetime) -> jobs.Piece:
    run = Import.objects.for_store(job.store).select_related("store").defer("content").get(pk=job.data["run"])
    batch = list(_left(run).order_by("-number")[:PIECE])
    stays = _take_back_orders(run, batch) if run.kind == Import.Kind.ORDERS else _take_back_people(run, batch, at)
    for row in batch:
        row.stays = stays.get(row.pk, "")
        row.undone_at = None if row.stays else at
    ImportRow.objects.bulk_update(batch, ["stays", "undone_at"])
    return jobs.Piece(len(batch) - len(stays), len(stays), is_last=len(batch) < PIECE)


# -- Orders --


def _take_back_orders(run: Import, batch: Sequence[ImportRow]) -> dict[int, str]:
    """Delete the orders that came by the file, and buyers who came with them; which rows stay (by id), and why."""
    stays = {row.pk: "before" for row in batch if row.outcome == Outcome.UPDATED}
    made = {row.made["order"]: row.pk for row in batch if row.outcome == Outcome.CREATED}
    held = _held(Order, run.store, made)
    touched = _pointed_at(Order, run.store, made, besides=ALONG_WITH_ORDER)
    touched |= _asked(run.store, made)
    touched |= {one.pk: "changed" for one in held if one.updated_at != one.recorded_at}
    free = [one.pk for one in held if one.pk not in touched]
    for model in ALONG_WITH_ORDER:
        _drop(model, run.store, Q(order__in=free))
    _drop(Order, run.store, Q(pk__in=free))
    buyers = {row.made["customer"] for row in batch if row.made.get("is_new")}
    _drop_people(run, dict.fromkeys(buyers, ()))
    return stays | {made[pk]: why for pk, why in touched.items()}


def _asked(store: Store, orders: Iterable[int]) -> dict[int, str]:
    """Those whose buyer was asked how it was; a question that is only planned goes along."""
    quiet = (Invitation.Status.PLANNED, Invitation.Status.SKIPPED)
    rows = Invitation.objects.for_store(store).filter(order__in=list(orders))
    asked = rows.exclude(status__in=quiet, message=None, response=None)
    return dict.fromkeys(asked.values_list("order_id", flat=True), "answers")


# -- Customers --


def _take_back_people(run: Import, batch: Sequence[ImportRow], at: datetime) -> dict[int, str]:
    """Delete who came by the file, blank what it filled in; which rows stay (by id), and why."""
    made = {row.made["customer"]: row for row in batch if row.outcome == Outcome.CREATED}
    touched = _drop_people(run, {pk: tuple(row.made["tags"]) for pk, row in made.items()})
    for row in batch:
        if row.outcome == Outcome.UPDATED:
            _take_back_filled(run.store, row)
    return {made[pk].pk: why for pk, why in touched.items()}


def _take_back_filled(store: Store, row: ImportRow) -> None:
    """Blank what the file filled in, where it still stands as it was written, and take its tags off."""
    pk, filled = row.made["customer"], row.made["filled"]
    for names in BLANKS.values():
        mine = {name: filled[name] for name in names if name in filled}
        if mine:
            Customer.objects.for_store(store).filter(pk=pk, **mine).update(**dict.fromkeys(mine, ""))
    CustomerTag.objects.for_store(store).filter(customer=pk, tag__in=row.made["tags"]).delete()


def _drop_people(run: Import, tags: dict[int, tuple[str, ...]]) -> dict[int, str]:
    """Delete these customers (id -> tags the file gave them); who stays, and why.

    What they agreed to is history: whoever has some keeps a row without a name.
    """
    held = _held(Customer, run.store, tags)
    touched = _pointed_at(Customer, run.store, tags, besides=ALONG_WITH_CUSTOMER)
    touched |= {one.pk: "changed" for one in held if _was_changed(one)}
    rows = CustomerTag.objects.for_store(run.store).filter(customer__in=list(tags))
    touched |= {pk: "changed" for pk, tag in rows.values_list("customer_id", "tag") if tag not in tags[pk]}
    consents = Consent.objects.for_store(run.store).filter(customer__in=list(tags))
    said = dict(consents.values_list("customer_id", "source"))
    source = working.source_of(run)
    touched |= dict.fromkeys(consents.exclude(source=source).values_list("customer_id", flat=True), "changed")
    free = [one.pk for one in held if one.pk not in touched]
    for model in (SegmentMember, CustomerTag):
        _drop(model, run.store, Q(customer__in=free))
    nameless = [pk for pk in free if pk in said]
    Customer.objects.for_store(run.store).filter(pk__in=nameless).update(erased_at=F("recorded_at"), **BLANK)
    _drop(Customer, run.store, Q(pk__in=set(free) - set(nameless)))
    return touched


def _was_changed(one: Customer) -> bool:
    by_hand = one.birth_month or one.time_zone or one.found_by_name or one.on_leaderboard
    return bool(by_hand or one.merged_into_id or one.erased_at)


# -- Both --


def _held(model: type[models.Model], store: Store, ids: Iterable[int]) -> list[Any]:
    """The rows, locked: who wants to point to one waits, and finds it gone."""
    rows: Any = model._base_manager.filter(store_id=store.pk, pk__in=list(ids))
    return list(rows.select_for_update().order_by("pk"))


def _pointed_at(
    model: type[models.Model], store: Store, ids: Iterable[int], *, besides: Sequence[type[models.Model]]
) -> dict[int, str]:
    """Those to which a row of another table points, with a slug of what it is; a query for each such column."""
    found: dict[int, str] = {}
    wanted = list(ids)
    for field in _links_to(model):
        if field.model in besides:
            continue
        rows = field.model._base_manager.filter(store_id=store.pk, **{f"{field.name}__in": wanted})
        for pk in rows.order_by().values_list(field.attname, flat=True).distinct():
            found.setdefault(pk, WHY[field.model._meta.app_label])
    return found


def _links_to(model: type[models.Model]) -> list[Any]:
    """Every column of every table that points to rows of this model."""
    return [
        field
        for other in apps.get_models()
        for field in other._meta.concrete_fields
        if field.is_relation and field.related_model is model
    ]


def _drop(model: type[models.Model], store: Store, condition: Q) -> None:
    """Delete the rows without Django's own look at every table: that nothing points to them was seen."""
    rows: Any = model._base_manager.filter(condition, store_id=store.pk)
    rows._raw_delete(rows.db)
