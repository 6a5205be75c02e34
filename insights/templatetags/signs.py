"""Numbers with a sign, for changes and scores."""

from __future__ import annotations

from django import template
from django.utils.translation import get_language

from stores.l10n import format_number, format_percent

register = template.Library()


def _language() -> str:
    return get_language() or "en"


@register.filter
def signed(value: float) -> str:
    """A whole number with its sign: +46, −3, 0."""
    return format_number(value, _language(), sign=True)


@register.filter
def signed_pct(value: float) -> str:
    """A part as a percentage with its sign: 0.18 -> +18%."""
    return format_percent(value, _language(), sign=True)


@register.filter
def signed_points(value: float) -> str:
    """The difference of two parts in points: 0.03 -> +3."""
    return format_number(value * 100, _language(), sign=True)


@register.filter
def percent(value: float) -> str:
    """A whole percentage of a number of percent: 81.4 -> 81%."""
    return format_percent(value / 100, _language())
