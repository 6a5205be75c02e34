"""Files with the data: of one customer in one go; of the store by a job, in pieces that are joined when fetched."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import IO, Any

from customers.models import Customer
from insights.takeout.sheets import SHEETS, Sheet, plain
from stores import jobs
from stores.lists import harmless
from stores.models import Job, JobFile, Store, User
from stores.services import note
from stores.tenancy import insert_new

KIND = "takeout"
PIECE = 5_000  # rows a transaction
KEPT = timedelta(days=7)
BOM = "\ufeff"  # so that spreadsheets read it as UTF-8


def _lines(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([harmless(cell) for cell in plain(row)] for row in rows)
    return out.getvalue()


# -- One customer --


def of_customer(store: Store, customer: Customer, *, by: User, at: datetime) -> bytes:
    """A zip with everything about one customer: a CSV a table, and all of it once more as data.json."""
    out, everything = io.BytesIO(), {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for sheet in SHEETS:
            rows = sheet.of(store, customer)
            archive.writestr(f"{sheet.name}.csv", BOM + _lines([sheet.header(), *rows]))
            everything[sheet.name] = [dict(zip(sheet.header(), plain(row), strict=True)) for row in rows]
        archive.writestr("data.json", json.dumps(everything, ensure_ascii=False, indent=1))
    note(store, "customer.exported", subject=customer.public_id, by=by, at=at)
    return out.getvalue()


# -- The store --


def begin(store: Store, *, by: User, at: datetime) -> Job:
    """Begin to gather everything; while that goes on, a second press gets the first one's job."""
    job, is_new = jobs.begin(
        store,
        kind=KIND,
        key=f"{KIND}:{at.isoformat()}",
        subject=KIND,
        data={"sheet": 0, "after": 0, "number": 0},
        total=0,
        by=by,
        at=at,
    )
    if is_new:
        note(store, "store.exported", subject=job.public_id, by=by, at=at)
    return job


def lately(store: Store) -> list[Job]:
    """The last of them, the newest first."""
    return list(Job.objects.for_store(store).filter(kind=KIND).select_related("by").order_by("-started_at")[:5])


def continue_all(at: datetime) -> int:
    """The sweep: begin what was asked for, go on with what a dead worker left; returns how many jobs."""
    return jobs.continue_all(KIND, work, at)


def work(store: Store, job_id: int, *, seconds: float = jobs.TURN) -> Job:
    """Gather rows, from where it is, until all are there, it is stopped, or the turn is over."""
    return jobs.work(store, job_id, _piece, seconds=seconds)


def _piece(job: Job, at: datetime) -> jobs.Piece:
    if not job.total:
        _count(job)
    sheet, number = SHEETS[job.data["sheet"]], job.data["number"]
    rows = list(sheet.rows(job.store, after=job.data["after"])[:PIECE])
    values = [row[1:] for row in rows]
    text = BOM + _lines([sheet.header(), *values]) if number == 0 else _lines(values)
    file = JobFile(store=job.store, job=job, name=sheet.name, number=number, made_at=at)
    file.content = zlib.compress(text.encode())
    insert_new(file)
    if len(rows) == PIECE:
        return jobs.Piece(len(rows), data={"after": rows[-1][0], "number": number + 1})
    data = {"sheet": job.data["sheet"] + 1, "after": 0, "number": 0}
    return jobs.Piece(len(rows), data=data, is_last=data["sheet"] == len(SHEETS))


def _count(job: Job) -> None:
    """Write down how many rows there are, for the page that shows how far it is."""
    counts = (sheet.model._base_manager.filter(store_id=job.store_id).count() for sheet in SHEETS)
    job.total = max(sum(counts), 1)
    Job.objects.filter(pk=job.pk, store_id=job.store_id).update(total=job.total)


def is_there(job: Job) -> bool:
    """Whether the file can be fetched: it is whole, and not yet forgotten."""
    return job.state == Job.State.DONE and JobFile.objects.for_store(job.store).filter(job=job).exists()


def archive_of(job: Job) -> IO[bytes]:
    """The zip, written to a temporary file piece by piece."""
    out = tempfile.TemporaryFile()  # noqa: SIM115  # the response closes it
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for sheet in SHEETS:
            _write(archive, job, sheet)
    out.seek(0)
    return out


def _write(archive: zipfile.ZipFile, job: Job, sheet: Sheet) -> None:
    pieces = JobFile.objects.for_store(job.store).filter(job=job, name=sheet.name).order_by("number")
    with archive.open(f"{sheet.name}.csv", "w") as file:
        for content in pieces.values_list("content", flat=True).iterator(chunk_size=8):
            file.write(zlib.decompress(bytes(content)))


def forget_old(store: Store, at: datetime) -> int:
    """Delete files after a week: they hold everybody's data, and can be made again."""
    return int(JobFile.objects.for_store(store).filter(made_at__lt=at - KEPT).delete()[0])
