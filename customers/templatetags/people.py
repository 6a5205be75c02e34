"""People in templates."""

from __future__ import annotations

from django import template

from customers.models import Customer

register = template.Library()
JOINER = "\u200c"  # keeps Persian letters apart: م‌ح, not مح


@register.filter
def initials(customer: Customer) -> str:
    """Up to two first letters of the name, for the round sign beside it."""
    letters = [word[0].upper() for word in customer.name.split() if word[0].isalpha()]
    return JOINER.join([letters[0], letters[-1]] if len(letters) > 1 else letters) or "?"
