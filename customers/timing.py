"""When an order's value shows: the products' own days read from the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from customers.models import Order, OrderLine
from customers.rules import ProductTiming, value_due_at
from stores.models import Store


@dataclass(frozen=True)
class Sold:
    """A line of an order, as far as a question about it goes."""

    product: str
    worth_minor: int
    timing: ProductTiming


def sold_with(store: Store, orders: Iterable[int]) -> dict[int, list[Sold]]:
    """What was sold with these orders (ids), in the order of the lines; one query."""
    rows = OrderLine.objects.for_store(store).filter(order__in=list(orders)).order_by("pk")
    columns = ("order_id", "quantity", "unit_price_minor", "product__name", "product__time_to_value_days")
    found: dict[int, list[Sold]] = {}
    for order, quantity, price, name, days, category_days in rows.values_list(
        *columns, "product__category__time_to_value_days"
    ):
        timing = ProductTiming(product=days, category=category_days, store=store.time_to_value_days)
        found.setdefault(order, []).append(Sold(name, price * quantity, timing))
    return found


def due_at(
    store: Store,
    *,
    placed_at: datetime,
    delivered_at: datetime | None,
    location: int | None,
    sold: Sequence[Sold],
) -> datetime | None:
    """When to ask about an order (aware UTC); None while its delivery is awaited."""
    return value_due_at(
        placed_at=placed_at,
        delivered_at=delivered_at,
        is_delivered=store.delivers and location is None,
        timings=[one.timing for one in sold],
        store=store.time_to_value_days,
    )


def dearest(sold: Sequence[Sold]) -> str:
    """The dearest line's product name, for "how do you like your ..."; '' without lines."""
    return max(sold, key=lambda one: one.worth_minor).product if sold else ""


def main_product(order: Order) -> str:
    """`dearest` of an order that comes with `lines__product` prefetched."""
    lines = sorted(order.lines.all(), key=lambda line: -line.unit_price_minor * line.quantity)
    return lines[0].product.name if lines else ""
