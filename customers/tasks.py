"""When files are taken in, and forgotten."""

from __future__ import annotations

from datetime import datetime

from customers.importing import working
from stores.ticks import for_each_store, periodic


@periodic(5)
def take_in_files(at: datetime) -> int:
    """Take in the files that somebody brought, piece by piece, each in a transaction of its own."""
    return working.continue_all(at)


@periodic(86400)
def forget_files(at: datetime) -> int:
    """Forget files that were only looked at, and what was wrong with rows of old ones."""
    return for_each_store(working.forget_old, at)
