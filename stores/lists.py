"""Lists on the dashboard: pages by key, and the same rows as a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import HttpResponse
from django.utils.dateparse import parse_datetime

PAGE = 50
EXPORT_LIMIT = 10_000  # more than this is a job, not a download
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Page:
    """Some rows of a list; `next` is the cursor of the rows after them, '' at the end."""

    rows: list[Any]
    next: str = ""


def keyset_page(rows: QuerySet[Any], column: str, cursor: str, *, size: int = PAGE, oldest_first: bool = False) -> Page:
    """The newest `size` rows before `cursor`, by (`column`, id); a cursor that cannot be read is the start.

    `oldest_first` turns the list around. No row is counted and none is skipped over, so page 100
    costs what page 1 costs.
    """
    beyond, sign = (after, "") if oldest_first else (before, "-")
    found = list(beyond(rows, column, cursor).order_by(f"{sign}{column}", f"{sign}pk")[: size + 1])
    more = len(found) > size
    return Page(found[:size], cursor_of(found[size - 1], column) if more else "")


def before(rows: QuerySet[Any], column: str, cursor: str) -> QuerySet[Any]:
    """The rows that come after `cursor` in a list from new to old."""
    place = _read(cursor)
    if place is None:
        return rows
    moment, pk = place
    # The first condition is what the index is entered by.
    return rows.filter(**{f"{column}__lte": moment}).exclude(Q(**{column: moment}) & Q(pk__gte=pk))


def after(rows: QuerySet[Any], column: str, cursor: str) -> QuerySet[Any]:
    """The rows that come after `cursor` in a list from old to new."""
    place = _read(cursor)
    if place is None:
        return rows
    moment, pk = place
    return rows.filter(**{f"{column}__gte": moment}).exclude(Q(**{column: moment}) & Q(pk__lte=pk))


def cursor_of(row: Model, column: str) -> str:
    """Where `row` stands in a list by `column`."""
    return f"{getattr(row, column).isoformat()}~{row.pk}"


def _read(cursor: str) -> tuple[datetime, int] | None:
    moment, _, pk = cursor.partition("~")
    try:
        read = parse_datetime(moment)
    except ValueError:
        return None
    number = row_number(pk)
    return (read, number) if read and read.tzinfo and number is not None else None


def row_number(typed: str) -> int | None:
    """The number of a row as an address has it, one that a bigint holds; None for anything else."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else None


def csv_response(name: str, header: Sequence[object], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A CSV download that spreadsheets open as it is meant: with a BOM, and without live formulas."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.write("\ufeff")
    writer = csv.writer(response)
    writer.writerow([str(title) for title in header])
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return response


def harmless(cell: object) -> str:
    """The cell as text that no spreadsheet takes for a formula. Source: OWASP, CSV Injection."""
    text = cell.isoformat() if isinstance(cell, datetime) else str("" if cell is None else cell)
    is_number = isinstance(cell, int | float | Decimal)
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not is_number else text
