"""What people choose from in forms: currencies, countries, time zones, named in the active language."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from django import forms
from django.conf import settings
from django.utils.translation import get_language

Choices = list[tuple[str, str]]
AREAS = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")


def _locale() -> Locale:
    try:
        return Locale.parse(get_language() or "en")
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")


def fill(form: forms.BaseForm, **options: Choices) -> None:
    """Give each named ChoiceField of the form its options."""
    for name, listed in options.items():
        field = form.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = listed


def languages() -> Choices:
    """The languages we speak."""
    return [(code, str(name)) for code, name in settings.LANGUAGES]


def currencies() -> Choices:
    """Money in use today, by code: "PHP · Philippine Peso"."""
    return _currencies(str(_locale()))


@lru_cache(maxsize=8)
def _currencies(locale: str) -> Choices:
    names = Locale.parse(locale).currencies
    return [(code, f"{code} · {names.get(code, code)}") for code in sorted(_in_use())]


def _in_use() -> set[str]:
    """CLDR's list of each territory's money: (code, from, until, is it tender)."""
    today, used = date.today(), set()
    for rows in get_global("territory_currencies").values():
        for code, _start, end, tender in rows:
            if tender and (end is None or date(*end) > today):
                used.add(code)
    return used


def countries() -> Choices:
    """Countries by name, after an empty choice."""
    return _countries(str(_locale()))


@lru_cache(maxsize=8)
def _countries(locale: str) -> Choices:
    names = Locale.parse(locale).territories
    known = [
        (code, name) for code, name in names.items() if len(code) == 2 and code.isalpha() and code not in NO_COUNTRY
    ]
    return [("", "—"), *sorted(known, key=lambda pair: pair[1])]


NO_COUNTRY = {"EU", "EZ", "UN", "ZZ", "QO", "XA", "XB"}


@lru_cache(maxsize=1)
def time_zones() -> Choices:
    """Zones of the IANA database as people know them: "Asia / Manila"."""
    names = sorted(name for name in available_timezones() if name.startswith(AREAS))
    return [("UTC", "UTC"), *((name, name.replace("/", " / ").replace("_", " ")) for name in names)]
