"""Fields that read numbers, money and moments as people write them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import jdatetime
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from stores.l10n import fold_digits, local_digits, parse_money
from stores.models import Store

NUMERIC = {"inputmode": "numeric", "autocomplete": "off"}  # type=number refuses Persian digits
MONEY = {"inputmode": "decimal", "autocomplete": "off"}
MOMENT = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::\d{2})?)?")
FIRST_GREGORIAN = 1700  # an earlier year is Jalali


def whole(label: Any, lowest: int, highest: int, **kwargs: Any) -> forms.IntegerField:
    """A field for whole numbers in any digits, refused with the range it takes."""
    words = gettext_lazy("Write a whole number from {lowest} to {highest}.")
    message = format_lazy(words, lowest=lowest, highest=highest)
    return forms.IntegerField(
        label=label,
        min_value=lowest,
        max_value=highest,
        widget=forms.TextInput(attrs=NUMERIC),
        error_messages=dict.fromkeys(["required", "invalid", "min_value", "max_value"], message),
        **kwargs,
    )


def money(label: Any, **kwargs: Any) -> forms.CharField:
    """A field for an optional amount; `minor` reads it."""
    return forms.CharField(label=label, max_length=40, required=False, widget=forms.TextInput(attrs=MONEY), **kwargs)


def minor(typed: str, store: Store) -> int:
    """An amount as it was typed, in minor units of the store's currency. Raises ValidationError."""
    try:
        return parse_money(typed, store.currency, toman=store.toman)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def above_zero(typed: str, store: Store) -> int | None:
    """An optional amount above zero; None when nothing was typed. Raises ValidationError."""
    if not typed.strip():
        return None
    amount = minor(typed, store)
    if amount <= 0:
        raise ValidationError(_("Write an amount above zero."))
    return amount


class MomentField(forms.CharField):
    """A day and a time on the clock of the page's time zone; Jalali where the language counts so."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=30, required=kwargs.pop("required", False), **kwargs)

    def clean(self, value: Any) -> datetime | None:
        """The moment as aware datetime; None when nothing was typed."""
        typed = fold_digits(str(super().clean(value) or "")).strip()
        return _moment(typed) if typed else None


def _moment(typed: str) -> datetime:
    found = MOMENT.fullmatch(typed)
    if not found:
        raise ValidationError(_("Write the day and the time, for example %(example)s."), params=_example())
    year, month, day, hour, minute = (int(part or 0) for part in found.groups())
    try:
        if year < FIRST_GREGORIAN:
            date = jdatetime.date(year, month, day).togregorian()
            year, month, day = date.year, date.month, date.day
        return datetime(year, month, day, hour, minute, tzinfo=timezone.get_current_timezone())
    except ValueError as error:
        raise ValidationError(_("There is no such day or time.")) from error


def _example() -> dict[str, str]:
    return {"example": local_digits("1405-09-01 18:00", "fa") if is_jalali() else "2026-11-27 18:00"}


def is_jalali() -> bool:
    """Whether the active language counts the days of the Persian calendar."""
    return (get_language() or "en").startswith("fa")


def moment_input(value: datetime | None) -> str:
    """A moment as a MomentField holds it, in the page's time zone."""
    if value is None:
        return ""
    there = value.astimezone(timezone.get_current_timezone())
    if is_jalali():
        day = jdatetime.date.fromgregorian(date=there.date())
        return local_digits(f"{day.year:04}-{day.month:02}-{day.day:02} {there:%H:%M}", "fa")
    return f"{there:%Y-%m-%dT%H:%M}"


def moment_widget() -> forms.TextInput:
    """The browser's own picker; it knows no Jalali days, so those are typed."""
    if is_jalali():
        return forms.TextInput(attrs={"dir": "ltr", "placeholder": _example()["example"], "autocomplete": "off"})
    return forms.TextInput(attrs={"type": "datetime-local"})
