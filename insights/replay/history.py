"""What happened: orders as a series of facts in time, and what buyers answered."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.utils.dateparse import parse_datetime

from customers.importing.orders import ReadOrder
from customers.services import OrderData

# A shop's stars as a score of 0 to 10 (API.md).
SCORES = {1: 1, 2: 4, 3: 6, 4: 8, 5: 10}


@dataclass(frozen=True)
class Fact:
    """What the shop knew of an order from `at` on (aware UTC)."""

    at: datetime
    order: OrderData


@dataclass(frozen=True)
class Answer:
    """What a buyer says once asked: so long after the invitation."""

    delay: timedelta
    score: int
    comment: str


def facts_of(orders: Iterable[OrderData]) -> list[Fact]:
    """Each order as placed, then delivered, then cancelled or refunded; in order of time.

    An export holds the last state only. A refund without a time of its own is known from the
    cancellation, or from the start.
    """
    facts = []
    for order in orders:
        fresh = replace(order, delivered_at=None, cancelled_at=None, refunded_minor=0)
        states = {order.placed_at: fresh}
        if order.delivered_at:
            states[order.delivered_at] = replace(states[order.placed_at], delivered_at=order.delivered_at)
        end = order.cancelled_at or (order.placed_at if order.refunded_minor else None)
        if end:
            delivered = order.delivered_at if order.delivered_at and order.delivered_at <= end else None
            states[end] = replace(order, delivered_at=delivered)
            if order.delivered_at and order.delivered_at > end:
                states[order.delivered_at] = order
        facts += [Fact(at.astimezone(UTC), state) for at, state in states.items()]
    return sorted(facts, key=lambda fact: (fact.at, fact.order.external_id))


def read_feedback(path: Path) -> dict[str, Answer]:
    """The last answer to each order, from a file with order, score 1..5, title, comment, asked_at, answered_at."""
    latest: dict[str, tuple[datetime, Answer]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            asked, answered = _time(row["asked_at"]), _time(row["answered_at"])
            comment = "\n".join(part.strip() for part in (row["title"], row["comment"]) if part.strip())
            answer = Answer(max(answered - asked, timedelta(0)), SCORES[int(row["score"])], comment)
            if row["order"] not in latest or answered >= latest[row["order"]][0]:
                latest[row["order"]] = (answered, answer)
    return {order: answer for order, (_, answer) in latest.items()}


def _time(text: str) -> datetime:
    date, clock, offset = text.split(" ")
    found = parse_datetime(f"{date}T{clock}{offset[:3]}:{offset[3:]}")
    assert found is not None
    return found


def good(orders: Iterable[ReadOrder]) -> list[OrderData]:
    """The orders that could be read."""
    return [order.data for order in orders if order.data]
