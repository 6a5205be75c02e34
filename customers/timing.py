"""When an order's value shows: the products' own days read from the database."""

from __future__ import annotations

from datetime import datetime

from customers.models import Order
from customers.rules import ProductTiming, value_due_at
from stores.models import Store


def due_at(store: Store, order: Order) -> datetime | None:
    """When to ask about this order (aware UTC); None while its delivery is awaited.

    Expects `lines__product__category` prefetched.
    """
    timings = [
        ProductTiming(
            product=line.product.time_to_value_days,
            category=line.product.category.time_to_value_days if line.product.category else None,
            store=store.time_to_value_days,
        )
        for line in order.lines.all()
    ]
    return value_due_at(
        placed_at=order.placed_at,
        delivered_at=order.delivered_at,
        is_delivered=store.delivers and order.location_id is None,
        timings=timings,
        store=store.time_to_value_days,
    )


def main_product(order: Order) -> str:
    """The dearest line's product name, for "how do you like your ..."; '' without lines."""
    lines = sorted(order.lines.all(), key=lambda line: -line.unit_price_minor * line.quantity)
    return lines[0].product.name if lines else ""
