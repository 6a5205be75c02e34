"""Rows of a form that grows and shrinks without script: how they are sent, and read whatever was sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_ROWS = 12
Typed = dict[str, str]


def plain(values: Mapping[str, Any]) -> Typed:
    """Values as a browser sends them: a tick as "on", what is empty as ''."""
    words = {True: "on", False: "", None: ""}
    return {
        name: words[value] if value is None or isinstance(value, bool) else str(value) for name, value in values.items()
    }


def sent(names: tuple[str, str], rows: list[Typed]) -> Typed:
    """Rows under the names the page sends."""
    row, rows_name = names
    flat = {f"{row}-{place}-{name}": value for place, one in enumerate(rows) for name, value in one.items()}
    return flat | {rows_name: str(len(rows))}


def rows_sent(data: Mapping[str, str], names: tuple[str, str]) -> list[Typed]:
    """The rows that were sent, whatever stands in them."""
    row, rows_name = names
    rows: list[Typed] = [{} for _place in range(count_sent(data, rows_name))]
    for key in data:
        start, _dash, rest = key.partition("-")
        place, _dash, field = rest.partition("-")
        if start == row and field and is_place(place, len(rows)):
            rows[int(place)][field] = data[key]
    return rows


def is_place(text: str, below: int) -> bool:
    """Whether `text` names a row before `below`."""
    return text.isascii() and text.isdigit() and len(text) < 4 and int(text) < below


def count_sent(data: Mapping[str, str], name: str) -> int:
    """How many rows were sent, by the number that came with them; never more than we show."""
    typed = data.get(name, "0")
    return min(int(typed), MOST_ROWS) if typed.isascii() and typed.isdigit() and len(typed) < 4 else 0
