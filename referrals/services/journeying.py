"""The messages that start by themselves, and what stops them: every kind that begins with a fact of rewards, answers,
orders, events, friends or the calendar. Each is found by a sweep with a bounded look-back and a nightly repair,
and keyed by its fact, so that a sweep that is lost, late or doubled costs delay, nothing else.

| module | says when |
|---|---|
| `friends` | a friend took the gift, bought, counts; a step was reached or is near; a gift ends; a friend brought you |
| `reminding` | those who were asked have not shared; after a long rest, again |
| `purchases` | somebody bought, for the how-manieth time; an event, a score, a solved case |
| `yearly` | birthdays, anniversaries, and who stayed away |
| `rewards.services.telling` | a reward ends, or was taken back |
| `stopping` | what has become pointless is taken back |
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from outreach.sweeping import Sweep, run
from referrals.services import friends, purchases, reminding, yearly
from referrals.services.programs import running
from referrals.services.stopping import AHEAD, stop_pointless
from rewards.services import telling
from stores.models import Store

LOOK_BACK = timedelta(hours=1)
SWEEPS = (*friends.STEPS, *purchases.SWEEPS, *friends.ENDINGS, *reminding.SWEEPS, *yearly.SWEEPS)


def sweep(store: Store, since: datetime | None, at: datetime) -> int:
    """All of it, for what happened after `since`; returns how many messages it started.

    None: whatever is still news, and all that waits is looked at; the nightly repair.
    """
    stop_pointless(store, at, ahead=AHEAD if since else None)
    return start(store, (*telling.SWEEPS, *SWEEPS), since, at)


def start(store: Store, sweeps: Iterable[Sweep], since: datetime | None, at: datetime) -> int:
    """Start the messages of these sweeps; no asks, which nobody can follow, while the program is paused."""
    return run(store, sweeps, since=since, at=at, may_ask=lambda: bool(running(store, at)))


def tell_steps(store: Store, at: datetime) -> int:
    """News of friends, lately."""
    return start(store, friends.STEPS, at - LOOK_BACK, at)


def answer_purchases(store: Store, at: datetime) -> int:
    """Purchases, events, answers and solved cases, lately."""
    return start(store, purchases.SWEEPS, at - LOOK_BACK, at)


def keep_days(store: Store, at: datetime) -> int:
    """Whatever the calendar brings: reminders, ends, birthdays, long absences."""
    return start(store, (*friends.ENDINGS, *reminding.SWEEPS, *yearly.SWEEPS), at - LOOK_BACK, at)


def repair(store: Store, at: datetime) -> int:
    """What the others missed."""
    return sweep(store, None, at)
