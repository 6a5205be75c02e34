"""Months and tax years by the calendar people keep their books by: ours, or the Jalali one. Pure.

A month is written in an address by a day it holds, as 2026-11-22; a day may be typed in either calendar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import jdatetime
from babel import Locale, dates

from stores.l10n import JALALI_MONTHS, fold_digits, local_digits

DAY = timedelta(days=1)
JALALI_COUNTRIES = {"IR", "AF"}  # their tax years are Jalali
LAST_JALALI = 1700  # a year below this is a Jalali one
YEARS = (1970, 2200)


@dataclass(frozen=True)
class Month:
    """A calendar month: its first day, and the first of the next."""

    first: date
    after: date

    @property
    def before(self) -> date:
        """The last day of the month before, which names it in an address."""
        return self.first - DAY

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """When it begins and ends on the clock of a zone (aware UTC)."""
        return starts_at(self.first, zone), starts_at(self.after, zone)

    def label(self, language: str) -> str:
        """As "November 2026" or "آبان ۱۴۰۵"."""
        if is_jalali(language):
            local = jdatetime.date.fromgregorian(date=self.first)
            return local_digits(f"{JALALI_MONTHS[local.month - 1]} {local.year}", language)
        return str(dates.format_date(self.first, "MMMM y", locale=Locale.parse(language.replace("-", "_"))))


def is_jalali(language: str) -> bool:
    """Whether pages in this language show Jalali dates."""
    return language.startswith("fa")


def starts_at(on: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day in a zone (aware UTC)."""
    return datetime.combine(on, time()).replace(tzinfo=zone).astimezone(UTC)


def ends_at(on: date, zone: ZoneInfo) -> datetime:
    """The last moment of a day in a zone (aware UTC)."""
    return starts_at(on + DAY, zone) - timedelta(microseconds=1)


def month_of(on: date, *, jalali: bool = False) -> Month:
    """The month that holds a day."""
    if not jalali:
        first = on.replace(day=1)
        return Month(first, (first + 31 * DAY).replace(day=1))
    local = jdatetime.date.fromgregorian(date=on).replace(day=1)
    after = jdatetime.date(local.year + local.month // 12, local.month % 12 + 1, 1)
    return Month(local.togregorian(), after.togregorian())


def year_start(on: date, month: int, *, jalali: bool = False) -> date:
    """When the tax year that holds a day began: the first day of `month` (1 to 12 of that calendar)."""
    if not jalali:
        return date(on.year - (on.month < month), month, 1)
    local = jdatetime.date.fromgregorian(date=on)
    first: date = jdatetime.date(local.year - (local.month < month), month, 1).togregorian()
    return first


def month_names(language: str, *, jalali: bool) -> list[tuple[int, str]]:
    """The twelve months by number, named in a language."""
    if jalali:
        names = JALALI_MONTHS if is_jalali(language) else LATIN_JALALI
        return list(enumerate(names, start=1))
    named = Locale.parse(language.replace("-", "_")).months["stand-alone"]["wide"]
    return [(number, str(named[number])) for number in range(1, 13)]


LATIN_JALALI = (
    "Farvardin", "Ordibehesht", "Khordad", "Tir", "Mordad", "Shahrivar",
    "Mehr", "Aban", "Azar", "Dey", "Bahman", "Esfand",
)  # fmt: skip


def read_day(typed: str) -> date | None:
    """A day as somebody typed it, in any digits, year first; None where it is none."""
    found = re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", fold_digits(typed).strip())
    if not found:
        return None
    year, month, day = (int(part) for part in found.groups())
    try:
        read: date = jdatetime.date(year, month, day).togregorian() if year < LAST_JALALI else date(year, month, day)
    except ValueError:
        return None
    return read if YEARS[0] <= read.year <= YEARS[1] else None
