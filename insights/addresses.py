"""What an address of a report names, read back: a choice, a thing of the store, a moment; Http404 for anything else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404
from django.utils.dateparse import parse_datetime

from stores.models import Store

YEARS = range(2000, 2200)  # beyond them a calendar may break
LONGEST_NUMBER = 18  # digits of a number that a 64-bit column holds


def one_of(kind: Any, typed: str | None) -> Any:
    """The member of `kind` that is named; None where nothing is."""
    if not typed:
        return None
    try:
        return kind(typed)
    except ValueError as error:
        raise Http404("no such filter") from error


def named(model: Any, store: Store, column: str, typed: str) -> Any:
    """The store's row with that `column`; None where nothing is named."""
    if not typed:
        return None
    is_number = typed.isdigit() and len(typed) <= LONGEST_NUMBER
    is_name = typed.isascii() and (is_number if column == "pk" else typed.isalnum())
    found = model.objects.for_store(store).filter(**{column: typed}).first() if is_name else None
    if found is None:
        raise Http404("no such filter")
    return found


def moment(typed: str) -> datetime | None:
    """An aware moment as `isoformat` writes it; None where nothing is typed."""
    if not typed:
        return None
    try:
        read = parse_datetime(typed)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None or read.year not in YEARS:
        raise Http404("no such moment")
    return read
