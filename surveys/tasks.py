"""When people are asked how it was."""

from datetime import datetime, timedelta

from stores.models import Store
from stores.ticks import for_each_store, periodic
from surveys.services import inviting, occasions, testimonials, themes


@periodic(30)
def plan_invitations(at: datetime) -> int:
    """Plan questions about orders that changed lately."""
    return for_each_store(inviting.plan_invitations, at)


@periodic(86400)
def plan_missed(at: datetime) -> int:
    """The nightly repair: the same without the bounded look-back."""
    return for_each_store(_plan_all, at)


def _plan_all(store: Store, at: datetime) -> int:
    solved, asked = at - timedelta(days=30), at - timedelta(days=7)
    return (
        inviting.plan_invitations(store, at, since=at - timedelta(days=3650))
        + occasions.ask_after_solved(store, at, since=solved)
        + occasions.remind_silent(store, at, since=asked)
    )


@periodic(30)
def invite_due(at: datetime) -> int:
    """Ask about orders whose value has shown."""
    return for_each_store(inviting.invite_due, at)


@periodic(60)
def ask_after_solved(at: datetime) -> int:
    """Ask those whose case was solved whether it was put right."""
    return for_each_store(occasions.ask_after_solved, at)


@periodic(3600)
def ask_periodically(at: datetime) -> int:
    """Ask the people whose day it is."""
    return for_each_store(occasions.ask_periodically, at)


@periodic(300)
def remind_silent(at: datetime) -> int:
    """Plan the one reminder for questions that went out."""
    return for_each_store(occasions.remind_silent, at)


@periodic(60)
def match_themes(at: datetime) -> int:
    """Find out what new comments are about."""
    return for_each_store(themes.match_new, at)


@periodic(15)
def rematch_themes(at: datetime) -> int:
    """Compare themes whose words changed with all comments, batch by batch."""
    return for_each_store(themes.rematch_due, at)


@periodic(86400)
def repair_themes(at: datetime) -> int:
    """The nightly repair: all themes with all comments."""
    return for_each_store(themes.repair, at)


@periodic(300)
def ask_for_testimonials(at: datetime) -> int:
    """Ask happy people whether their words may be shown."""
    return for_each_store(testimonials.ask_due, at)


@periodic(86400)
def ask_for_missed_testimonials(at: datetime) -> int:
    """The nightly repair: the same with a longer look back."""
    return for_each_store(testimonials.ask_missed, at)
