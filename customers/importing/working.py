"""A brought file: looked at, then taken in by a job, piece by piece. What was made is written down with each piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import Count
from django.utils import translation

from customers import tagging
from customers.importing import columns, people, spreadsheets, tables
from customers.importing.orders import ReadOrder, grouped, read_orders
from customers.importing.people import ReadPerson, read_people
from customers.importing.run import with_consent
from customers.models import Channel, Import, ImportRow
from customers.rules import clean_name
from customers.services import OrderData, Outcome, Recorded, record_orders
from customers.services.people import Mention, find_or_create_customers, known_before, mention, was_filled
from stores import jobs
from stores.models import Job, Store, User
from stores.rows import in_halves, insert_rows
from stores.services import note

KIND = "import"
PIECE = 500
MOST_BYTES = 20 * 1024 * 1024
SHOWN = 20  # customers or orders in the preview
REMEMBERED = 5  # mappings of earlier files that are looked at
DRAFT_KEPT, REFUSED_KEPT = timedelta(days=1), timedelta(days=30)
Read = ReadPerson | ReadOrder


class TooLarge(Exception):
    """The file has more bytes than are taken in at once."""


# -- Looking at it --


def bring(store: Store, kind: str, name: str, raw: bytes, *, by: User, at: datetime) -> Import:
    """Keep a file to be looked at, with what probably stands in which column. Raises TooLarge, tables.Unreadable."""
    if len(raw) > MOST_BYTES:
        raise TooLarge
    if spreadsheets.is_spreadsheet(raw):
        raw = spreadsheets.as_csv(raw)
    run = Import(store=store, kind=kind, name=clean_name(name)[:120] or kind, content=raw, by=by, made_at=at)
    run.encoding = tables.likely_encoding(raw, store.country)
    run.language = translation.get_language() or store.locale
    header = tables.parse(raw, encoding=run.encoding)
    run.delimiter = header.delimiter
    run.columns = header.columns
    run.mapping = columns.guess(kind, header.columns, remembered(store, kind))
    run.save()
    return run


def remembered(store: Store, kind: str) -> list[dict[str, str]]:
    """What this store chose for the columns of earlier files, the newest first."""
    before = Import.objects.for_store(store).filter(kind=kind).exclude(begun_at=None)
    return list(before.order_by("-made_at").values_list("mapping", flat=True)[:REMEMBERED])


def table_of(run: Import) -> tables.Table:
    """The rows of the file. Raises tables.Unreadable."""
    return tables.parse(bytes(run.content), encoding=run.encoding, delimiter=run.delimiter)


def units(run: Import, table: tables.Table) -> list[list[tables.Row]]:
    """The rows of each customer or order of the file, in its order."""
    if run.kind == Import.Kind.CUSTOMERS:
        return [[row] for row in table.rows]
    return list(grouped(table.rows, run.mapping["external_id"]))


def read(run: Import, rows: Sequence[Sequence[tables.Row]]) -> list[Any]:
    """The customers or orders of these rows."""
    table = tables.Table(run.columns, [row for unit in rows for row in unit])
    reader = read_people if run.kind == Import.Kind.CUSTOMERS else read_orders
    return list(reader(run.store, table, run.mapping))  # type: ignore[operator]


def preview(run: Import, table: tables.Table) -> list[Read]:
    """The first of them as they will be understood."""
    return read(run, units(run, table)[:SHOWN]) if not columns.missing(run.kind, run.mapping) else []


# -- Taking it in --


def begin(run: Import, *, by: User, at: datetime) -> Job:
    """Begin to take the file in; of two presses the second gets the first one's job."""
    total = len(units(run, table_of(run)))
    job, is_new = jobs.begin(
        run.store,
        kind=KIND,
        key=f"import:{run.pk}",
        subject=subject(run),
        data={"run": run.pk, "after": 0},
        total=total,
        by=by,
        at=at,
    )
    if is_new:
        Import.objects.filter(pk=run.pk, store_id=run.store_id).update(begun_at=at, total=total)
        note(run.store, "import.begun", subject=run.public_id, after={"file": run.name, "rows": total}, by=by, at=at)
    return job


def subject(run: Import) -> str:
    """What its jobs are about: one at a time."""
    return f"import:{run.pk}"


def job_of(run: Import) -> Job | None:
    """The job that takes it in."""
    found: Job | None = Job.objects.for_store(run.store).filter(kind=KIND, key=f"import:{run.pk}").first()
    return found


def continue_all(at: datetime) -> int:
    """The sweep: begin what was asked for, go on with what a dead worker left; returns how many files."""
    return jobs.continue_all(KIND, work, at)


def work(store: Store, job_id: int, *, seconds: float = jobs.TURN) -> Job:
    """Take rows in, from where it is, until the file is done, stopped, or the turn is over."""
    return jobs.work(store, job_id, _Run(store), seconds=seconds)


class _Run:
    """The pieces of a file, which is read once a worker."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.run: Import | None = None
        self.units: list[list[tables.Row]] = []

    def __call__(self, job: Job, at: datetime) -> jobs.Piece:
        """Take the next PIECE in."""
        run, after = self._opened(job), job.data["after"]
        rows = self.units[after : after + PIECE]
        with translation.override(run.language):
            made = _take_in(run, read(run, rows), after, at)
        insert_rows(made)
        refused = sum(row.outcome == ImportRow.Outcome.REFUSED for row in made)
        is_last = after + len(rows) >= len(self.units)
        if is_last:
            forget_content(run)
        return jobs.Piece(len(made) - refused, refused, {"after": after + len(rows)}, is_last=is_last)

    def _opened(self, job: Job) -> Import:
        if self.run is None:
            found: Import = Import.objects.for_store(self.store).select_related("store").get(pk=job.data["run"])
            with translation.override(found.language):  # what is torn is said in it
                self.units = units(found, table_of(found))
            self.run = found
        return self.run


def forget_content(run: Import) -> None:
    """Let the file go: what is still needed of it stands in its rows."""
    Import.objects.filter(pk=run.pk, store_id=run.store_id).update(content=b"")


def _take_in(run: Import, batch: Sequence[Any], after: int, at: datetime) -> list[ImportRow]:
    numbered = [(after + place, one) for place, one in enumerate(batch, start=1)]
    good = [(number, one) for number, one in numbered if not one.problem]
    take = _take_people if run.kind == Import.Kind.CUSTOMERS else _take_orders
    taken = take(run, [one for _, one in good], at)
    rows = [_refused_row(run, number, one, one.problem) for number, one in numbered if one.problem]
    for (number, one), what in zip(good, taken, strict=True):
        rows.append(
            _refused_row(run, number, one, what.problem)
            if what.problem
            else ImportRow(store=run.store, run=run, number=number, outcome=what.outcome, made=what.made)
        )
    return rows


def _refused_row(run: Import, number: int, one: Read, problem: str) -> ImportRow:
    outcome = ImportRow.Outcome.REFUSED
    cells = [row.raw for row in one.rows]
    return ImportRow(store=run.store, run=run, number=number, outcome=outcome, problem=problem[:500], cells=cells)


@dataclass(frozen=True)
class _Taken:
    """What became of a row that could be read."""

    outcome: str
    made: dict[str, Any]
    problem: str = ""


def _refused(_one: object, problem: Exception) -> _Taken:
    return _Taken(ImportRow.Outcome.REFUSED, {}, str(problem)[:500] or type(problem).__name__)


# -- Customers --


def source_of(run: Import) -> str:
    """What stands in the consent records as where it was said."""
    return f"import {run.name}"[:80]


def _take_people(run: Import, batch: Sequence[ReadPerson], at: datetime) -> list[_Taken]:
    return in_halves(batch, partial(_record_people, run, at), refused=_refused)


def _record_people(run: Import, at: datetime, batch: Sequence[ReadPerson]) -> list[_Taken]:
    consent = {Channel(one) for one in run.consent}
    said = [mention(run.store, people.with_consent(one, consent), at=at, source=source_of(run)) for one in batch]
    facts = _facts(run.store, said)
    tagged = _tag(run.store, [(fact["customer"], one.tags) for fact, one in zip(facts, batch, strict=True)])
    return [_taken(fact, _newly(tagged, fact, one)) for fact, one in zip(facts, batch, strict=True)]


def _newly(tagged: dict[int, set[str]], fact: dict[str, Any], one: ReadPerson) -> list[str]:
    """The tags that this row put on, told once."""
    theirs = tagged.get(fact["customer"], set())
    mine = theirs & set(one.tags)
    theirs -= mine
    return sorted(mine)


def _facts(store: Store, said: Sequence[Mention]) -> list[dict[str, Any]]:
    """Who these people are: their customer's id, whether that is new, what was filled in; each told once.

    A second row of the same person in the piece tells nothing of what the first did.
    """
    before = known_before(store, said)
    told: set[int] = set()
    facts = []
    for customer in find_or_create_customers(store, said):
        is_first = customer.pk not in told
        told.add(customer.pk)
        filled = was_filled(before[customer.pk], customer) if customer.pk in before and is_first else {}
        facts.append({"customer": customer.pk, "is_new": is_first and customer.pk not in before, "filled": filled})
    return facts


def _tag(store: Store, wanted: Sequence[tuple[int, Sequence[str]]]) -> dict[int, set[str]]:
    """Put the tags on; by customer which they did not have."""
    found: dict[int, set[str]] = {}
    for tag in sorted({tag for _, tags in wanted for tag in tags}):
        for pk in tagging.tag_new(store, [pk for pk, tags in wanted if tag in tags], tag):
            found.setdefault(pk, set()).add(tag)
    return found


def _taken(fact: dict[str, Any], tags: list[str]) -> _Taken:
    is_updated = fact["filled"] or tags
    outcome = ImportRow.Outcome.UPDATED if is_updated else ImportRow.Outcome.UNCHANGED
    return _Taken(ImportRow.Outcome.CREATED if fact["is_new"] else outcome, {**fact, "tags": tags})


# -- Orders --


OUTCOMES = {
    Outcome.CREATED: ImportRow.Outcome.CREATED,
    Outcome.UPDATED: ImportRow.Outcome.UPDATED,
    Outcome.UNCHANGED: ImportRow.Outcome.UNCHANGED,
}


def _take_orders(run: Import, batch: Sequence[ReadOrder], at: datetime) -> list[_Taken]:
    consent = {Channel(one) for one in run.consent}
    data = [with_consent(one, consent) for one in batch]
    before = known_before(run.store, _mentions(run, data, at))
    seen: set[int] = set()
    return [
        _taken_order(one, before, seen) for one in record_orders(run.store, data, at=at, consent_source=source_of(run))
    ]


def _mentions(run: Import, data: Sequence[OrderData], at: datetime) -> list[Mention]:
    people_of = [one.person for one in data if one.person]
    return [mention(run.store, one, at=at, source=source_of(run)) for one in people_of]


def _taken_order(one: Recorded, before: dict[int, Any], seen: set[int]) -> _Taken:
    if one.order is None or one.outcome == Outcome.REFUSED:
        return _refused(one, one.problem or Exception())
    made: dict[str, Any] = {"order": one.order.pk}
    buyer = one.order.customer_id
    if buyer and buyer not in before and buyer not in seen and one.outcome == Outcome.CREATED:
        seen.add(buyer)
        made |= {"customer": buyer, "is_new": True}
    return _Taken(OUTCOMES[one.outcome], made)


# -- What became of it --

UNDO = "undo-import"  # the kind of the job that undoes one: referrals.services.unimporting


def undo_job_of(run: Import) -> Job | None:
    """The job that undoes it."""
    found: Job | None = Job.objects.for_store(run.store).filter(kind=UNDO, key=f"{UNDO}:{run.pk}").first()
    return found


@dataclass(frozen=True)
class Undone:
    """How many rows are as they were before, and how many stay, by the slug of the reason."""

    count: int
    stays: dict[str, int]


def undone(run: Import) -> Undone:
    """What undoing has brought so far."""
    rows = ImportRow.objects.for_store(run.store).filter(run=run).order_by()
    stays = dict(rows.exclude(stays="").values_list("stays").annotate(count=Count("pk")))
    return Undone(rows.exclude(undone_at=None).count(), dict(sorted(stays.items(), key=lambda one: -one[1])))


def counts(run: Import) -> dict[str, int]:
    """How many rows had which outcome."""
    rows = ImportRow.objects.for_store(run.store).filter(run=run).order_by()
    found = dict(rows.values_list("outcome").annotate(count=Count("pk")))
    return {outcome: found.get(outcome, 0) for outcome in ImportRow.Outcome.values}


def error_lines(run: Import) -> Any:
    """The refused rows as they came, each with what is wrong, ready to mend and bring again."""
    rows = ImportRow.objects.for_store(run.store).filter(run=run, outcome=ImportRow.Outcome.REFUSED)
    width = len(run.columns)
    for problem, cells in rows.order_by("number").values_list("problem", "cells").iterator(chunk_size=2000):
        for raw in cells or [[]]:
            yield [*(raw + [""] * width)[:width], problem]


def forget_old(store: Store, at: datetime) -> int:
    """Drop files that were only looked at, and the words of refused rows after a month; how many."""
    files = Import.objects.for_store(store).exclude(content=b"")
    gone = files.filter(begun_at=None, made_at__lt=at - DRAFT_KEPT).update(content=b"")
    rows = ImportRow.objects.for_store(store).filter(
        outcome=ImportRow.Outcome.REFUSED, run__made_at__lt=at - REFUSED_KEPT
    )
    return int(gone + rows.exclude(cells=[]).update(cells=[], problem=""))


def change(run: Import, **values: Any) -> Import:
    """Write down what was chosen while it is looked at; returns it as it is then."""
    Import.objects.filter(pk=run.pk, store_id=run.store_id, begun_at=None).update(**values)
    for name, value in values.items():
        setattr(run, name, value)
    return run
