"""The five pieces of a message's words."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Wording:
    """Words in the language of `outreach.language`; '' where a message has no such piece.

    `body` has paragraphs between empty lines. What the message offers to do stands under it, and the
    link or code at the end of `sms`: neither is part of the words. `script` is what somebody of the
    store says on the phone or at the counter, or writes by hand.
    """

    subject: str
    body: str
    button: str = ""
    sms: str = ""
    script: str = ""

    def piece(self, name: str) -> str:
        """The piece of that name."""
        return str(getattr(self, name))


PIECES = tuple(one.name for one in fields(Wording))
