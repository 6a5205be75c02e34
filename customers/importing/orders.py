"""From rows of a file to orders: Shopify's export, our own columns, or a mapping to them.

An order may take several rows, one a line item; its own columns stand on the first of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import jdatetime
from django.utils.dateparse import parse_datetime

from customers.importing.tables import Row, Table, Unreadable
from customers.rules import BadEmail, BadPhone, normal_email, normal_phone
from customers.services import Line, OrderData, Person
from stores.l10n import fold_digits, parse_money
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
YES = {"yes", "true", "1", "y", "بله", "oo"}


class BadRow(Exception):
    """A row that cannot become an order; the text names the column and says how to mend it."""


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
            raise Unreadable(f"The mapping names {sorted(unknown)[0]!r}; known are: {', '.join(sorted(OURS))}.")
        if all(candidate.get(name) in table.columns for name in NEEDED):
            return {name: column for name, column in candidate.items() if column in table.columns}
    raise Unreadable(
        "The file has neither Shopify's columns (Name, Created at, Total, ...) nor ours (external_id, placed_at, "
        'total, ...). Give a mapping file: {"external_id": "Your column", ...}.'
    )


def read_orders(store: Store, table: Table, mapping: dict[str, str]) -> Iterator[ReadOrder]:
    """The orders of the table, in its order; each with its data or its problem."""
    for rows in _grouped(table.rows, mapping["external_id"]):
        try:
            data, accepts = _order(store, rows, mapping)
            yield ReadOrder(rows, data, accepts_marketing=accepts)
        except BadRow as error:
            yield ReadOrder(rows, None, str(error))


def _grouped(rows: list[Row], id_column: str) -> Iterator[list[Row]]:
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
        raise BadRow(f"line {torn.line}: {torn.problem}")
    first = _Cells(rows[0], mapping)
    currency = (first.text("currency") or store.currency).upper()
    total = first.money("total", currency, needed=True)
    refunded = first.money("refunded", currency)
    if first.text("status").lower() == "refunded":
        refunded = total
    if refunded > total:
        raise BadRow(f"{mapping['refunded']}: more was refunded than paid")
    accepts = first.text("accepts_marketing").lower()
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
        person=_person(store, first),
        lines=tuple(line for row in rows if (line := _line(_Cells(row, mapping), currency))),
    )
    return data, accepts in YES if accepts else None


def _person(store: Store, cells: _Cells) -> Person | None:
    """Who bought; None for a guest of whom the file knows nothing to find them by."""
    try:
        email = normal_email(cells.text("email"))
    except BadEmail as error:
        raise BadRow(f"{cells.column('email')}: {cells.text('email')!r} is not an e-mail address") from error
    try:
        phone = normal_phone(cells.text("phone"), store.country)
    except BadPhone as error:
        hint = "write it with + and the country's number, as text (spreadsheets cut long numbers to 9.63E+11)"
        raise BadRow(f"{cells.column('phone')}: {cells.text('phone')!r} is not a phone number: {hint}") from error
    customer_id = cells.text("customer_id")
    if not (email or phone or customer_id):
        return None
    return Person(
        name=cells.text("name"),
        email=cells.text("email"),
        phone=phone,
        external_id=customer_id[:120],
        locale=cells.text("locale")[:5],
        address=cells.text("address"),
    )


def _line(cells: _Cells, currency: str) -> Line | None:
    name, sku = cells.text("item"), cells.text("sku")
    if not (name or sku):
        return None
    quantity = fold_digits(cells.text("quantity") or "1")
    if not quantity.isdigit() or not 0 < int(quantity) < 1_000_000:
        raise BadRow(f"{cells.column('quantity')}: {quantity!r} is not a whole number above zero")
    return Line(
        sku=(sku or name)[:120],
        name=name[:250],
        category=cells.text("category")[:120],
        quantity=int(quantity),
        unit_price_minor=cells.money("price", currency),
    )


class _Cells:
    """A row read through a mapping."""

    def __init__(self, row: Row, mapping: dict[str, str]) -> None:
        self.row, self.mapping = row, mapping

    def column(self, name: str) -> str:
        """The file's own name of a column."""
        return self.mapping.get(name, name)

    def text(self, name: str, *, needed: bool = False) -> str:
        """The cell, without the ' that keeps spreadsheets from reading a formula."""
        cell = self.row.cells.get(self.mapping.get(name, ""), "").strip()
        cell = cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@") else cell
        if needed and not cell:
            raise BadRow(f"{self.column(name)} is empty")
        return cell

    def money(self, name: str, currency: str, *, needed: bool = False) -> int:
        """The amount in minor units; 0 for an empty cell."""
        cell = self.text(name, needed=needed)
        try:
            return parse_money(cell, currency) if cell else 0
        except ValueError as error:
            raise BadRow(f"{self.column(name)}: {cell!r} is not an amount in {currency}") from error

    def needed_time(self, name: str, zone: ZoneInfo) -> datetime:
        """The moment, aware; one without an offset is the store's time."""
        return _moment(self.text(name, needed=True), zone, self.column(name))

    def time(self, name: str, zone: ZoneInfo) -> datetime | None:
        """The same; None for an empty cell."""
        return self.needed_time(name, zone) if self.text(name) else None


def _moment(cell: str, zone: ZoneInfo, column: str) -> datetime:
    """ISO times, with a space or T, with or without offset; Jalali where the year is 1300 to 1499."""
    text = re.sub(r"\s+([+-]\d{2}):?(\d{2})$", r"\1:\2", fold_digits(cell).replace("/", "-").strip())
    text = re.sub(r"\s+UTC$", "+00:00", text)
    if re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}", text):
        text += " 00:00"
    year = re.match(r"(1[34]\d\d)-(\d{1,2})-(\d{1,2})(.*)", text)
    try:
        if year:
            day = jdatetime.date(int(year[1]), int(year[2]), int(year[3])).togregorian()
            text = f"{day.isoformat()}{year[4]}"
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise BadRow(f"{column}: {cell!r} is not a date; write 2026-11-20 10:00 +08:00 (day/month alone is ambiguous)")
    return found if found.tzinfo else found.replace(tzinfo=zone)
