"""The real orders and what their buyers said, as the replay reads them; a slice of the people where that is enough."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from customers.importing import orders, tables
from customers.services import OrderData
from insights.replay import history
from insights.replay.history import Answer
from stores.models import Store

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "orders"
ORDERS, FEEDBACK = DATA / "orders_export.csv", DATA / "feedback.csv"

needs_data = pytest.mark.skipif(
    not ORDERS.exists(), reason="the real orders (shared/data/orders/) are not beside this checkout"
)


def read_orders(store: Store, wanted: Callable[[str], bool]) -> list[OrderData]:
    """The orders of the people whose e-mail is wanted."""
    table = tables.read_table(ORDERS, encoding="")
    read = orders.read_orders(store, table, orders.choose_mapping(table))
    return [order for order in history.good(read) if order.person and wanted(order.person.email.lower())]


def read_answers() -> dict[str, Answer]:
    """What every buyer said."""
    return history.read_feedback(FEEDBACK)
