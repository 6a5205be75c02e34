"""The owner's home with every query, in a store of ten times the size; and the slowest of its statements."""

from __future__ import annotations

import statistics
import sys

from django.utils import timezone

from bench.measuring import Figure, compare
from bench.pages import milliseconds, owner, statements
from bench.world import World
from insights.home import keep_numbers
from stores.models import Store
from stores.tenancy import acting_for

PAGES, SLOWEST, MOST_MS = 5, 5, 10.0


def measure(world: World, rounds: int) -> list[Figure]:
    """Milliseconds a page; milliseconds of the slowest statement of a page."""

    def address(store: Store) -> str:
        return f"/d/{store.slug}/"

    def page(store: Store) -> float:
        return statistics.median(milliseconds(client, address(store)) for _page in range(PAGES))

    for store in (world.store, world.tenth):
        with acting_for(store):
            keep_numbers(store, timezone.now())  # as the beat does every five minutes
    with owner(world) as client:
        whole = compare(
            "home",
            lambda: page(world.store),
            lambda: page(world.tenth),
            unit="ms",
            limit_name="a tenth of the store",
            reach=1.3,
            at_most=True,
            rounds=rounds,
        )
        seen = [statements(client, address(world.store)) for _round in range(rounds)]
    slowest = statistics.median(one[0][0] for one in seen)
    for took, sql in seen[-1][:SLOWEST]:
        print(f"  home: {took:.1f} ms {sql[:200]}", file=sys.stderr)
    return [whole, Figure("home-statement", "ms", slowest, reach=MOST_MS, at_most=True, note="the slowest of a page")]
