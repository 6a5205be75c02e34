"""Rows from a delimited text file, whatever program wrote it; what cannot be read is refused clearly."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

MAX_BYTES = 200 * 1024 * 1024
MAX_COLUMNS = 500
MAX_FIELD = 100_000
DELIMITERS = ",;\t|"
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
# What spreadsheets write that do not write UTF-8, by country.
OLD_ENCODINGS = dict.fromkeys(("IR", "AF", "IQ", "SA", "AE", "EG", "JO", "KW", "QA", "OM", "BH", "LB"), "windows-1256")


class Unreadable(Exception):
    """The file as a whole cannot be read; the text says what to do."""


@dataclass(frozen=True)
class Row:
    """A record of the file: its line number (1 is the header) and its cells by column; or what is wrong."""

    line: int
    cells: dict[str, str]
    raw: list[str]
    problem: str = ""


@dataclass(frozen=True)
class Table:
    """A file's header and its records."""

    columns: list[str]
    rows: list[Row]
    delimiter: str = ","


def read_table(path: Path, *, encoding: str = "") -> Table:
    """The table in a file; see `parse`. Raises Unreadable."""
    if not path.is_file():
        raise Unreadable(_("There is no file %(path)s.") % {"path": path})
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable(_("The file is larger than 200 MB. Split it and import the parts; rows in both count once."))
    return parse(path.read_bytes(), encoding=encoding)


def parse(raw: bytes, *, encoding: str = "", delimiter: str = "") -> Table:
    """Read CSV: UTF-8 (with or without BOM) or UTF-16, comma, semicolon, tab or bar.

    Another `encoding` must be named: guessing would turn names into rubbish. A record with too few
    or too many cells, an overlong cell or a torn end becomes a Row with a `problem`; the others are
    read all the same. Raises Unreadable.
    """
    text = _decode(raw, encoding)
    header, _mark, _rest = text.partition("\n")
    if not header.strip():
        raise Unreadable(_("The file is empty. Export it again, with its header line."))
    delimiter = delimiter or max(DELIMITERS, key=header.count)
    records = _records(text, delimiter)
    columns = [name.strip() for name in next(records).raw]
    if len(columns) > MAX_COLUMNS:
        words = {"count": len(columns), "most": MAX_COLUMNS}
        raise Unreadable(_("The file has %(count)s columns; at most %(most)s are read.") % words)
    doubled = {name for name in columns if name and columns.count(name) > 1}
    if doubled:
        name = {"name": sorted(doubled)[0]}
        raise Unreadable(_("The column “%(name)s” stands twice in the header. Rename one of them.") % name)
    rows = [_row(record, columns) for record in records if record.problem or any(record.raw)]
    return Table(columns, rows, delimiter)


def likely_encoding(raw: bytes, country: str) -> str:
    """The encoding the bytes are in, as far as they say so; else the one usual where the shop is, to be looked at."""
    marked = "utf-16" if raw[:2] in BYTE_ORDER_MARKS else "utf-8-sig"
    for name in (marked, OLD_ENCODINGS.get(country, "windows-1252")):
        try:
            raw.decode(name)
        except UnicodeDecodeError:
            continue
        return name
    return "latin-1"  # reads anything; the preview shows what it makes of it


def _decode(raw: bytes, encoding: str) -> str:
    if raw[:4] == b"PK\x03\x04":
        raise Unreadable(_("This is a spreadsheet or a zip archive. Save it as CSV (UTF-8) and import that."))
    name = encoding or ("utf-16" if raw[:2] in BYTE_ORDER_MARKS else "utf-8-sig")
    try:
        text = raw.decode(name)
    except (UnicodeDecodeError, LookupError) as error:
        text = _("The file is not UTF-8. Save it as CSV (UTF-8), or name its letters: --encoding windows-1256.")
        raise Unreadable(text) from error
    if "\x00" in text:
        raise Unreadable(_("The file contains NUL characters, so it is no text. Export it again as CSV."))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _records(text: str, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(MAX_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            yield Row(line, {}, next(reader))
        except StopIteration:
            return
        except csv.Error as error:
            end = "end of data" in str(error)
            what = _("the file ends in the middle of this row") if end else _("the row cannot be read (%s)") % error
            yield Row(line, {}, [], what)
            if end:
                return


def _row(record: Row, columns: list[str]) -> Row:
    if record.problem:
        return record
    if len(record.raw) != len(columns):
        counts = {"cells": len(record.raw), "columns": len(columns)}
        problem = _("the row has %(cells)s cells, the header %(columns)s") % counts
        return Row(record.line, dict(zip(columns, record.raw, strict=False)), record.raw, problem)
    return Row(record.line, {name: cell.strip() for name, cell in zip(columns, record.raw, strict=True)}, record.raw)


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula. Source: OWASP, CSV injection."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
