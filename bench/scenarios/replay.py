"""`manage.py replay` of the real orders and what their buyers said: 21 months of the engine's days."""

from __future__ import annotations

import json
import statistics
import time
from datetime import UTC, datetime
from io import StringIO

from django.core.management import call_command

from bench.measuring import Figure, spread
from bench.serving import ROOT
from bench.world import World
from referrals.services.programs import open_store

DATA = ROOT.parent / "shared" / "data" / "orders"
ORDERS, FEEDBACK = DATA / "orders_export.csv", DATA / "feedback.csv"
MOST_ROUNDS = 3  # a replay is long enough to average over the machine's moods
WAYS = {"replay": (["--consent", "email,sms"], 500), "replay-friends": (["--consent", "email,sms", "--friends"], None)}


def measure(world: World, rounds: int) -> list[Figure]:
    """Orders a second, each round into a new store; with friends on top for comparison."""
    if not ORDERS.exists():
        return [Figure("replay", "orders/s", 0, note="not measured: the real orders are not beside this checkout")]
    return [_figure(name, options, reach, min(rounds, MOST_ROUNDS)) for name, (options, reach) in WAYS.items()]


def _figure(name: str, options: list[str], reach: float | None, rounds: int) -> Figure:
    rates = [_round(name, options) for _ in range(rounds)]
    return Figure(name, "orders/s", statistics.median(rates), reach=reach, spread=spread(rates))


def _round(name: str, options: list[str]) -> float:
    slug = f"{name}-{datetime.now(UTC):%m%d%H%M%S}"
    open_store(slug=slug, name="Replay", currency="BRL", country="BR", at=datetime.now(UTC))
    out, begun = StringIO(), time.monotonic()
    call_command("replay", slug, str(ORDERS), "--feedback", str(FEEDBACK), *options, stdout=out, stderr=StringIO())
    seconds = time.monotonic() - begun
    return int(json.loads(out.getvalue().splitlines()[-1])["orders"]) / seconds
