"""People in templates."""

from __future__ import annotations

from django import template

from customers import birthdays, import_wording, tagging
from customers.models import Customer

register = template.Library()
JOINER = "\u200c"  # keeps Persian letters apart: م‌ح, not مح


@register.filter
def initials(customer: Customer) -> str:
    """Up to two first letters of the name, for the round sign beside it."""
    letters = [word[0].upper() for word in customer.name.split() if word[0].isalpha()]
    return JOINER.join([letters[0], letters[-1]] if len(letters) > 1 else letters) or "?"


@register.filter
def birthday(customer: Customer) -> str:
    """The birthday in the calendar of the language; '' when it is not known."""
    return birthdays.in_words(customer.birth_month, customer.birth_day)


@register.filter
def tags(customer: Customer) -> list[str]:
    """The tags on a customer."""
    return tagging.tags_of(customer)


@register.filter
def why_stays(reason: str) -> str:
    """Why a row of a file was not taken back."""
    return import_wording.why_stays(reason)
