"""When the top floor works by itself."""

from __future__ import annotations

from datetime import datetime

from insights import home
from insights.sample import making
from insights.takeout import making as takeouts
from stores.ticks import for_each_store, periodic


@periodic(5)
def make_samples(at: datetime) -> int:
    """Play the sample histories that owners asked for, each in a transaction of its own."""
    return making.continue_all(at)


@periodic(5)
def make_takeouts(at: datetime) -> int:
    """Gather the data that owners asked for, piece by piece, each in a transaction of its own."""
    return takeouts.continue_all(at)


@periodic(300)
def keep_numbers(at: datetime) -> int:
    """Count the numbers of large stores' homes, each when they have grown old."""
    return for_each_store(home.keep_numbers, at)


@periodic(86400)
def forget_takeouts(at: datetime) -> int:
    """Delete files with everybody's data after a week."""
    return for_each_store(takeouts.forget_old, at)
