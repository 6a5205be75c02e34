"""A row read through a mapping; what is wrong with a cell is said in words, with the column's own name."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import jdatetime
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from customers.importing.tables import Row
from customers.rules import BadEmail, BadPhone, normal_email, normal_phone
from customers.services import Person
from stores.l10n import fold_digits, parse_money
from stores.models import Store

YES = {"yes", "true", "1", "y", "بله", "oo"}


class BadRow(Exception):
    """A row that cannot be taken in; the text names the column and says how to mend it, in the active language."""


def said_yes(cell: str) -> bool | None:
    """What a cell of yes or no says; None for nothing."""
    return cell.lower() in YES if cell else None


def person_of(store: Store, cells: Cells) -> Person | None:
    """Whom the row is about; None where it knows nothing to find them by. Raises BadRow."""
    email, customer_id = cells.text("email"), cells.text("customer_id")
    try:
        known = normal_email(email)
    except BadEmail as error:
        words = {"column": cells.column("email"), "value": email}
        raise BadRow(_("%(column)s: “%(value)s” is not an e-mail address") % words) from error
    try:
        phone = normal_phone(cells.text("phone"), store.country)
    except BadPhone as error:
        raise BadRow(_bad_phone(cells)) from error
    if not (known or phone or customer_id):
        return None
    return Person(
        name=cells.text("name"),
        email=email,
        phone=phone,
        external_id=customer_id[:120],
        locale=cells.text("locale")[:5],
        address=cells.text("address"),
    )


def _bad_phone(cells: Cells) -> str:
    words = {"column": cells.column("phone"), "value": cells.text("phone")}
    return (
        _(
            "%(column)s: “%(value)s” is not a phone number: write it with + and the country's number, as text "
            "(spreadsheets cut long numbers to 9.63E+11)"
        )
        % words
    )


class Cells:
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
            raise BadRow(_("%(column)s is empty") % {"column": self.column(name)})
        return cell

    def money(self, name: str, currency: str, *, needed: bool = False) -> int:
        """The amount in minor units; 0 for an empty cell."""
        cell = self.text(name, needed=needed)
        try:
            return parse_money(cell, currency) if cell else 0
        except ValueError as error:
            words = {"column": self.column(name), "value": cell, "currency": currency}
            raise BadRow(_("%(column)s: “%(value)s” is not an amount in %(currency)s") % words) from error

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
        words = {"column": column, "value": cell}
        text = _("%(column)s: “%(value)s” is not a date; write 2026-11-20 10:00 +08:00 (day/month alone is ambiguous)")
        raise BadRow(text % words)
    return found if found.tzinfo else found.replace(tzinfo=zone)
