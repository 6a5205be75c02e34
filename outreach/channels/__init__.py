"""Ways a message leaves the house. Each takes a Letter, and answers or raises as below.

Sorted as RELIABILITY rule 23: a definite no, a definite "not now", and everything else, of which
nobody knows whether it arrived.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True)
class Letter:
    """A rendered message. `reference` is our own id of it, given to providers that keep one."""

    reference: str
    to: str
    subject: str
    text: str
    html: str = ""
    sender_name: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """The provider said no and will say it again."""


class Blocked(Refused):
    """Refused because the person has blocked such messages: never write to this address again."""


class NotNow(Exception):
    """The provider has certainly not taken it; try again, after `wait` if it said so."""

    def __init__(self, message: str, wait: timedelta | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Uncertain(Exception):
    """It may have been taken: time-out, reset, a server error after the data."""
