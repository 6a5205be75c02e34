"""The operator's page: each number with what it means and what to do about it, then stores, then jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from insights.operation import checks
from insights.operation.checks import Check
from insights.operation.figures import Figures, StoreFigures
from insights.rows import Cell
from rewards.services.recounting import Problem
from stores.health import NotReady

MOST = 50  # stores on the page, those in trouble first


@dataclass(frozen=True)
class Line:
    """One number. `value` is a moment, a count, or a share between 0 and 1 (`is_share`); None: there is nothing."""

    label: str | Promise
    value: datetime | int | float | None
    todo: str | Promise
    is_bad: bool
    is_share: bool = False


@dataclass(frozen=True)
class Standing:
    """What the page shows."""

    lines: list[Line]
    store_header: list[str]
    stores: list[list[Cell]]
    job_header: list[str]
    jobs: list[list[Cell]]


def of(found: Figures) -> Standing:
    """The page for these figures."""
    return Standing(
        lines=_lines(found),
        store_header=[  # a phone shows the first four
            _("Store"), _("Oldest due"), _("In doubt"), _("Books"), _("Due"), _("Sent within the hour"),
            _("Refused within the hour"), _("Long work left alone since"),
        ],
        stores=[_store(one) for one in sorted(found.stores, key=_trouble, reverse=True)[:MOST]],
        job_header=[_("Job"), _("Last ended"), _("Took (s)"), _("Every (s)"), _("Runs"), _("Failed")],
        jobs=[
            [
                Cell(run.job, "code"), Cell(run.at, "when"), Cell(run.seconds, "decimal"), Cell(run.every, "number"),
                Cell(run.runs, "number"), Cell(run.failures, "number"),
            ]
            for run in sorted(found.runs, key=lambda run: (run not in found.late_runs, run.job))
        ],
    )  # fmt: skip


def _lines(found: Figures) -> list[Line]:
    return [
        Line(
            gettext_lazy("Oldest message due"), found.since(found.oldest_due),
            gettext_lazy(
                "More than ten minutes ago: start more workers, or see what the mail and text providers say."
            ),
            _fails(checks.queue, found),
        ),
        Line(
            gettext_lazy("Messages in doubt"), found.unknown,
            gettext_lazy("The people of the store decide about them under Messages. Many at once: a provider hangs."),
            is_bad=False,
        ),
        Line(
            gettext_lazy("Long work left alone since"), found.since(found.inbox_age),
            gettext_lazy("More than ten minutes ago: restart the workers; files and large sendings go on from there."),
            _fails(checks.inbox, found),
        ),
        Line(
            gettext_lazy("Last job"), found.last_run,
            gettext_lazy("More than two minutes ago: start beat and a worker, or see what the log of the worker says."),
            _fails(checks.workers, found) or _fails(checks.jobs, found),
        ),
        Line(
            gettext_lazy("Stores whose books do not add up"), len(found.drifting),
            gettext_lazy("Their payouts are stopped. Run manage.py doctor; docs/operate.md says how to go on."),
            _fails(checks.books, found),
        ),
        Line(
            gettext_lazy("Room on the disk"), found.disk.share_free,
            gettext_lazy("Less than a tenth: make room, or Postgres stops."),
            _fails(checks.disk, found),
            is_share=True,
        ),
    ]  # fmt: skip


def _fails(check: Check, found: Figures) -> bool:
    try:
        check(found)
    except NotReady:
        return True
    return False


def _trouble(one: StoreFigures) -> tuple[bool, bool, int, int]:
    return bool(one.problems), one.oldest_due is not None, one.unknown, one.due


def _store(one: StoreFigures) -> list[Cell]:
    wrong = ", ".join(str(Problem(problem).label) for problem in one.problems)
    books = Cell(wrong, "status", tone="bad") if wrong else Cell(one.counted_at, "when")
    return [
        Cell(one.slug, "code"), Cell(one.oldest_due, "when"), Cell(one.unknown, "number"), books,
        Cell(one.due, "number"), Cell(one.sent, "number"), Cell(one.failed, "number"), Cell(one.oldest_job, "when"),
    ]  # fmt: skip
