"""A spreadsheet (xlsx) as CSV: its first sheet that is not empty, each cell as it would be typed."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import ParseError

from django.utils.translation import gettext as _
from openpyxl import load_workbook

from customers.importing.tables import MAX_COLUMNS, Unreadable

MOST_UNPACKED = 200 * 1024 * 1024  # a small archive can hold a very large one
MOST_ROWS = 100_000
SHEETS = "xl/worksheets/"


def is_spreadsheet(raw: bytes) -> bool:
    """Whether the bytes are an archive with sheets in it."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return any(name.startswith(SHEETS) for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def as_csv(raw: bytes) -> bytes:
    """The first sheet with rows, as CSV in UTF-8. Raises Unreadable."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        if sum(one.file_size for one in archive.infolist()) > MOST_UNPACKED:
            raise Unreadable(_("This spreadsheet is too large. Save it as CSV (UTF-8) and import that."))
    out = io.StringIO()
    writer = csv.writer(out)
    try:
        for number, row in enumerate(_rows(raw)):
            if number > MOST_ROWS:
                raise Unreadable(_("This spreadsheet is too large. Save it as CSV (UTF-8) and import that."))
            writer.writerow(row)
    except (KeyError, ValueError, TypeError, ParseError, zipfile.BadZipFile) as error:
        raise Unreadable(_("This spreadsheet cannot be read. Save it as CSV (UTF-8) and import that.")) from error
    return out.getvalue().encode("utf-8-sig")


def _rows(raw: bytes) -> Iterator[list[str]]:
    book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)
    try:
        for sheet in book.worksheets:
            width = 0
            sheet.reset_dimensions()  # what the file says of its size is not believed
            for row in sheet.iter_rows(values_only=True):
                if len(row) > MAX_COLUMNS:
                    raise Unreadable(_("This spreadsheet is too large. Save it as CSV (UTF-8) and import that."))
                cells = [_text(value) for value in row]
                width = width or _width(cells)  # as wide as the header
                if any(cells):
                    yield cells[:width] + [""] * (width - len(cells))
            if width:
                return
    finally:
        book.close()


def _width(cells: list[str]) -> int:
    """How many cells there are up to the last one that says something."""
    return max((place for place, cell in enumerate(cells, start=1) if cell), default=0)


def _text(value: Any) -> str:
    """A cell as it would be typed: whole numbers without a point, days as 2026-11-20."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}".removesuffix(".0")
    return str(value).strip()
