"""A test of a message to the person who writes its words, through the channel it will take."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from secrets import token_hex

from django.utils.translation import gettext as _

from customers.models import Channel
from outreach.accounts import transport_for
from outreach.channels import Letter, NotNow, Refused, Uncertain
from outreach.kinds import Kind
from outreach.preview import preview
from outreach.words import Wording
from stores import limits
from stores.models import Store, User

AN_HOUR = 3600
MOST_AN_HOUR = 10  # of one person; a text costs money


class NoTrial(Exception):
    """It cannot be sent; the sentence says why."""


def allow(store: Store, user: User) -> None:
    """Count one more try; raises NoTrial when there were many."""
    if limits.count(f"trial:{store.pk}:{user.pk}", per_seconds=AN_HOUR) > MOST_AN_HOUR:
        raise NoTrial(_("That were many tests in an hour. Try again later."))


def letter_for(
    store: Store, kind: Kind, words: Wording, language: str, channel: Channel, to: str, *, at: datetime
) -> Letter:
    """The letter or text with made-up values, marked as a test; raises NoTrial with what is wrong."""
    shown = preview(store, kind, words, language, "text" if channel == Channel.SMS else "mail", at=at)
    if shown.letter is None:
        raise NoTrial(" ".join(shown.problems))
    subject = _("[Test] %(subject)s") % {"subject": shown.letter.subject}
    # Each test its own: a provider that knows the reference would take the second for the first.
    return replace(shown.letter, to=to, reference=f"test-{token_hex(8)}", subject=subject, headers={})


def deliver(store: Store, letter: Letter, channel: Channel) -> None:
    """Hand it over, outside any transaction; raises NoTrial with a sentence for people."""
    transport = transport_for(store, channel)
    if transport is None:
        raise NoTrial(
            _("Nothing leaves this server yet: messages are kept in the outbox. Look at the preview instead.")
        )
    try:
        transport(letter)
    except (Refused, NotNow, Uncertain) as error:
        words = _("The test did not go out: the other side said “%(answer)s”.")
        raise NoTrial(words % {"answer": str(error)[:80]}) from error
