"""From rows of a file to orders: Shopify's export, our own columns, or a mapping to them.

An order may take several rows, one a line item; its own columns stand on the first of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from customers.importing.cells import BadRow, Cells, person_of, said_yes
from customers.importing.tables import Row, Table, Unreadable
from customers.services import Line, OrderData
from stores.l10n import fold_digits
from stores.models import Store

SOURCE = "import"
# Our name of a column -> Shopify's.
SHOPIFY = {
    "external_id": "Name",
    "email": "Email",
    "phone": "Phone",
    "name": "Billing Name",
    "currency": "Currency",
    "total": "Total",
    "refunded": "Refunded Amount",
    "status": "Financial Status",
    "placed_at": "Created at",
    "delivered_at": "Delivered at",
    "cancelled_at": "Cancelled at",
    "code": "Discount Code",
    "accepts_marketing": "Accepts Marketing",
    "sku": "Lineitem sku",
    "item": "Lineitem name",
    "quantity": "Lineitem quantity",
    "price": "Lineitem price",
}
OURS = {
    name: name
    for name in (
        *SHOPIFY, "category", "location", "locale", "customer_id", "visit", "advocate_name", "card_hash", "address",
    )
}  # fmt: skip
NEEDED = ("external_id", "placed_at", "total")


@dataclass(frozen=True)
class ReadOrder:
    """An order of the file with the rows it came from, or what is wrong with it."""

    rows: list[Row]
    data: OrderData | None
    problem: str = ""
    accepts_marketing: bool | None = None  # the file's own word, where it has one


def choose_mapping(table: Table, mapping: dict[str, str] | None = None) -> dict[str, str]:
    """Which column of the file holds what. Raises Unreadable when a needed one is missing."""
    candidates = [mapping] if mapping else [SHOPIFY, OURS]
    for candidate in candidates:
        unknown = set(candidate) - set(OURS)
        if unknown:
            names = {"name": sorted(unknown)[0], "known": ", ".join(sorted(OURS))}
            raise Unreadable(_("The mapping names “%(name)s”; known are: %(known)s.") % names)
        if all(candidate.get(name) in table.columns for name in NEEDED):
            return {name: column for name, column in candidate.items() if column in table.columns}
    raise Unreadable(
        _(
            "The file has neither Shopify's columns (Name, Created at, Total, ...) nor ours (external_id, placed_at, "
            'total, ...). Give a mapping file: {"external_id": "Your column", ...}.'
        )
    )


def read_orders(store: Store, table: Table, mapping: dict[str, str]) -> Iterator[ReadOrder]:
    """The orders of the table, in its order; each with its data or its problem."""
    for rows in grouped(table.rows, mapping["external_id"]):
        try:
            data, accepts = _order(store, rows, mapping)
            yield ReadOrder(rows, data, accepts_marketing=accepts)
        except BadRow as error:
            yield ReadOrder(rows, None, str(error))


def grouped(rows: list[Row], id_column: str) -> Iterator[list[Row]]:
    """Rows of one order; a torn row stands alone, or spoils the order it names."""
    group: list[Row] = []
    for row in rows:
        if group and row.cells.get(id_column) and row.cells.get(id_column) == group[0].cells.get(id_column):
            group.append(row)
            continue
        if group:
            yield group
        group = [row]
    if group:
        yield group


def _order(store: Store, rows: list[Row], mapping: dict[str, str]) -> tuple[OrderData, bool | None]:
    torn = next((row for row in rows if row.problem), None)
    if torn:
        raise BadRow(_("line %(number)s: %(problem)s") % {"number": torn.line, "problem": torn.problem})
    first = Cells(rows[0], mapping)
    currency = (first.text("currency") or store.currency).upper()
    total = first.money("total", currency, needed=True)
    refunded = first.money("refunded", currency)
    if first.text("status").lower() == "refunded":
        refunded = total
    if refunded > total:
        raise BadRow(_("%(column)s: more was refunded than paid") % {"column": first.column("refunded")})
    accepts = first.text("accepts_marketing")
    data = OrderData(
        source=SOURCE,
        external_id=first.text("external_id", needed=True)[:120],
        currency=currency,
        total_minor=total,
        refunded_minor=refunded,
        placed_at=first.needed_time("placed_at", store.zone),
        delivered_at=first.time("delivered_at", store.zone),
        cancelled_at=first.time("cancelled_at", store.zone),
        code=first.text("code"),
        visit=first.text("visit"),
        named=first.text("advocate_name"),
        card_hash=first.text("card_hash"),
        location=re.sub(r"[^\w-]+", "-", first.text("location").lower())[:50],
        person=person_of(store, first),
        lines=tuple(line for row in rows if (line := _line(Cells(row, mapping), currency))),
    )
    return data, said_yes(accepts)


def _line(cells: Cells, currency: str) -> Line | None:
    name, sku = cells.text("item"), cells.text("sku")
    if not (name or sku):
        return None
    quantity = fold_digits(cells.text("quantity") or "1")
    if not quantity.isdigit() or not 0 < int(quantity) < 1_000_000:
        words = {"column": cells.column("quantity"), "value": quantity}
        raise BadRow(_("%(column)s: “%(value)s” is not a whole number above zero") % words)
    return Line(
        sku=(sku or name)[:120],
        name=name[:250],
        category=cells.text("category")[:120],
        quantity=int(quantity),
        unit_price_minor=cells.money("price", currency),
    )
