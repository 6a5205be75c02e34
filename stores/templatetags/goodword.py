"""Numbers, money, dates and codes in templates; built in, so that no template loads it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from typing import Any

from django import template
from django.template.context import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

from stores import l10n

register = template.Library()


def _language() -> str:
    return get_language() or "en"


@register.simple_tag(takes_context=True)
def money(context: Context, minor: int | None, currency: str, *, sign: bool = False) -> str:
    """An amount of minor units with its unit; rials as toman where the store says so."""
    if minor is None:
        return "–"
    store = context.get("store")
    return l10n.format_money(minor, currency, _language(), toman=bool(getattr(store, "toman", False)), sign=sign)


@register.filter
def num(value: float | None, decimals: int = 0) -> str:
    """A number with grouping."""
    return "–" if value is None else l10n.format_number(value, _language(), decimals=decimals)


@register.filter
def pct(share: float | None, decimals: int = 0) -> str:
    """A share of 1 as percent."""
    return "–" if share is None else l10n.format_percent(share, _language(), decimals=decimals)


@register.filter
def digits(text: object) -> str:
    """The digits of a text as the language writes them."""
    return l10n.local_digits(str(text), _language())


@register.filter
def listed(names: Iterable[str]) -> str:
    """Names in a row."""
    return l10n.format_list(names, _language())


def _zone() -> tzinfo:
    return timezone.get_current_timezone()


@register.filter
def day(moment: datetime | date | None) -> str:
    """A day in words, in the active time zone."""
    return "–" if moment is None else l10n.format_date(moment, _language(), _zone())


@register.filter
def when(moment: datetime | None) -> str:
    """Day and time, in the active time zone."""
    return "–" if moment is None else l10n.format_datetime(moment, _language(), _zone())


@register.filter
def clock(moment: datetime | None) -> str:
    """The time of day, in the active time zone."""
    return "–" if moment is None else l10n.format_time(moment, _language(), _zone())


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago, or in how long."""
    return "–" if moment is None else l10n.format_ago(moment, timezone.now(), _language())


@register.filter
def time_left(seconds: int) -> str:
    """How long work will still take, roughly."""
    if seconds < 60:
        return gettext("less than a minute left")
    minutes = round(seconds / 60)
    words = ngettext("about %(count)s minute left", "about %(count)s minutes left", minutes)
    return words % {"count": l10n.format_number(minutes, _language())}


@register.filter
def isolate(text: Any) -> SafeString:
    """A code, phone number or address that reads left to right wherever it stands."""
    return format_html('<bdi dir="ltr">{}</bdi>', text)
