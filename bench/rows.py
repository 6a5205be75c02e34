"""Many rows at once: COPY of what a generator makes, as the application's role inside a store's wall."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection, models

BATCH = 20_000  # rows a COPY: what is in memory at once


def copy(model: type[models.Model], rows: Iterable[dict[str, Any]]) -> int:
    """Insert `rows` (columns by their attnames; what one leaves out has the model's default); how many they were."""
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    names = [field.attname for field in fields]
    total, first = 0, True
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        if first and "id" in names and "id" not in batch[0]:
            fields = [field for field in fields if field.attname != "id"]
            names.remove("id")
        first = False
        _send(model._meta.db_table, [field.column for field in fields], _lines(fields, batch))
        total += len(batch)
    return total


def lines_of(model: type[models.Model], rows: Iterable[dict[str, Any]], *, without: str) -> Iterator[str]:
    """Rows as COPY reads them: every column but `without`, in the model's order."""
    fields = [field for field in model._meta.concrete_fields if not field.generated and field.attname != without]
    return _lines(fields, list(rows))


def reserve(model: type[models.Model], number: int) -> int:
    """Set `number` ids aside; the first of them. Nobody else may be at work."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(nextval(pg_get_serial_sequence(%s, 'id'))) FROM generate_series(1, %s)",
            [model._meta.db_table, number],
        )
        return int(cursor.fetchone()[0])


def _send(table: str, columns: list[str], lines: Iterator[str]) -> None:
    """COPY refuses a table with row-level security, so the rows come by way of one without."""
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE stage ON COMMIT DROP AS SELECT {names} FROM {table} WITH NO DATA")
        cursor.copy_expert("COPY stage FROM STDIN", _Pipe(lines))
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM stage")
        cursor.execute("DROP TABLE stage")


def _lines(fields: list[models.Field[Any, Any]], batch: list[dict[str, Any]]) -> Iterator[str]:
    for row in batch:
        cells = (_cell(row[field.attname] if field.attname in row else field.get_default()) for field in fields)
        yield "\t".join(cells) + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime):
        return value.isoformat()
    text = json.dumps(value) if isinstance(value, (dict, list)) else str(value)
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


class _Pipe:
    """What COPY reads from: lines as they are made."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines

    def read(self, _size: int = -1) -> str:
        return "".join(islice(self.lines, 500))
