"""Our words for every kind of message, in every language we speak; one module a family.

They are written in the language owners write theirs in (`outreach.language`), as msgids: one text is
what the editor shows, what is translated, and what is sent.
"""

from __future__ import annotations

from functools import lru_cache

from django.utils.translation import gettext, override

from outreach.kinds import Kind
from outreach.words import asks, friends, questions, rewards, touch
from outreach.words.wording import PIECES, Wording

__all__ = ["ENGLISH", "PIECES", "Wording", "our_words"]

ENGLISH: dict[Kind, Wording] = questions.WORDS | asks.WORDS | friends.WORDS | rewards.WORDS | touch.WORDS


@lru_cache(maxsize=256)
def our_words(kind: Kind, language: str) -> Wording:
    """What we say in messages of this kind."""
    with override(language):
        return Wording(**{name: _said(ENGLISH[kind].piece(name)) for name in PIECES})


def _said(msgid: str) -> str:
    return gettext(msgid) if msgid else ""  # the translation of "" is the catalog's header
