"""Birthdays: day and month, kept by the Gregorian calendar, said and typed in the language's own.

No year is asked for: nobody needs it, and what is not kept cannot leak.

A Persian birthday has no fixed Gregorian day: 1 Farvardin is 20 or 21 March. Days are turned into each other by
the fixed year 1401 (21 March 2022 to 20 March 2023; neither calendar has a leap day in it). So what was typed is
what is shown again, in every year, and a greeting comes at most one day early or late. 30 Esfand, a day that most
years do not have, is kept as 29 Esfand; 29 February is shown as 10 Esfand, the day of 1 March.
"""

from __future__ import annotations

from datetime import date

import jdatetime
from babel.dates import get_month_names
from django.utils.translation import get_language

from stores.l10n import JALALI_MONTHS, local_digits

JALALI_YEAR = 1401
LEAP_YEAR = 2024  # in which 29 February exists
Birthday = tuple[int, int]  # month, day


def from_jalali(month: int, day: int) -> Birthday:
    """The Gregorian month and day of a Persian one. Raises ValueError for a day that no year has."""
    if (month, day) == (12, 30):
        day = 29
    found = jdatetime.date(JALALI_YEAR, month, day).togregorian()
    return found.month, found.day


def to_jalali(month: int, day: int) -> Birthday:
    """The Persian month and day of a Gregorian one."""
    if (month, day) == (2, 29):
        month, day = 3, 1
    year = 2022 if (month, day) >= (3, 21) else 2023
    found = jdatetime.date.fromgregorian(date=date(year, month, day))
    return found.month, found.day


def checked(month: int, day: int) -> Birthday:
    """The Gregorian month and day, 29 February too. Raises ValueError for a day that no year has."""
    found = date(LEAP_YEAR, month, day)
    return found.month, found.day


def is_jalali() -> bool:
    """Whether the active language counts days by the Persian calendar."""
    return (get_language() or "").startswith("fa")


def typed(month: int, day: int) -> Birthday:
    """What somebody chose in the active language's calendar, as it is kept. Raises ValueError."""
    return from_jalali(month, day) if is_jalali() else checked(month, day)


def shown(month: int, day: int) -> Birthday:
    """What is kept, in the active language's calendar."""
    return to_jalali(month, day) if is_jalali() else (month, day)


def month_names() -> list[str]:
    """The twelve months of the active language's calendar."""
    if is_jalali():
        return list(JALALI_MONTHS)
    names = get_month_names("wide", locale=(get_language() or "en").replace("-", "_"))
    return [names[month] for month in range(1, 13)]


def in_words(month: int | None, day: int | None) -> str:
    """3 March, ۱۲ اسفند; '' when it is not known."""
    if not month or not day:
        return ""
    shown_month, shown_day = shown(month, day)
    language = get_language() or "en"
    return local_digits(f"{shown_day} {month_names()[shown_month - 1]}", language)
