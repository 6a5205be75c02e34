"""A code letter by letter, for whoever says it at the counter or over the phone."""

from __future__ import annotations

from functools import cache

from django.utils.functional import Promise
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _

DIGITS: dict[str, str | Promise] = {
    "2": _("two"),
    "3": _("three"),
    "4": _("four"),
    "5": _("five"),
    "6": _("six"),
    "7": _("seven"),
    "8": _("eight"),
    "9": _("nine"),
}  # codes have neither 0 nor 1


def spelled(code: str) -> list[list[str]]:
    """The groups of a code, each as what one says in the active language: SARA-7K is S, A, R, A and seven, K."""
    language = get_language() or "en"
    return [[said(one, language) for one in group] for group in code.split("-")]


@cache
def said(character: str, language: str) -> str:
    """What one says for a character of a code."""
    with override(language):
        return str(DIGITS.get(character, character))
