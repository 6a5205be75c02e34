"""kill -9 in the middle of 500 sends loses none and doubles none (RELIABILITY G9, G11).

Each kill comes when the mail server has taken a letter and the worker has not yet heard of it: the worst moment. The
other processes die wherever they are.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from datetime import timedelta

import psutil
import pytest
from django.utils import timezone

from outreach.dispatch import LEASE, settle_expired_leases
from outreach.models import Message
from tests.stack import missing, repeated, until

MESSAGES = 500


@pytest.fixture
def murderer(stack):
    """`murderer(names, kills)`: kill -9 these processes at random letters; `died` counts the processes."""
    return lambda *names, kills: Murderer(stack, names, kills)


class Murderer:
    """Kills at the moment a letter is accepted, as often as asked."""

    def __init__(self, stack, names, kills) -> None:
        self.stack, self.names, self.deaths = stack, names, 0
        self.moments = sorted(random.sample(range(20, MESSAGES - 100), kills))
        stack.mail.after_accepting = self.strike

    def strike(self, number: int) -> None:
        """Called by the mail server before it answers."""
        if self.moments and number >= self.moments[0] and all(name in self.stack.processes for name in self.names):
            self.moments.pop(0)
            self.deaths += sum(self.stack.kill(name) for name in self.names)

    def has_struck(self) -> bool:
        """Whether the processes are dead now."""
        return not any(name in self.stack.processes for name in self.names)


def in_the_end(stack, store, statuses, *, bring_back):
    """Settle what the dead have left, as the sweep does a minute later, and let the living send the rest."""
    settled = stack.inside(store, lambda: settle_expired_leases(store, timezone.now() + LEASE + timedelta(seconds=1)))
    stack.inside(store, lambda: Message.objects.for_store(store).filter(status="pending").update(due_at=timezone.now()))
    bring_back()
    until(lambda: not {"pending", "sending"} & set(statuses().values()), what="nothing waits", seconds=180)
    return settled


def test_celery_workers_that_are_killed_lose_and_double_nothing(stack, store, due, statuses, murderer):
    references = due(MESSAGES)
    killer = murderer("worker", kills=3)
    stack.start("beat")
    while killer.moments:
        stack.start("worker")
        until(killer.has_struck, what="the worker is killed", seconds=120)
    in_the_end(stack, store, statuses, bring_back=lambda: stack.start("worker"))
    report(stack, statuses, killer.deaths, "celery")
    assert missing(stack.mail.counts(), references) == set()
    assert repeated(stack.mail.counts()) == {}
    # In the pool two children send; the parent does not.
    assert 3 <= Counter(statuses().values())["unknown"] <= killer.deaths


def test_a_pool_process_that_is_killed_leaves_one_message_unknown(stack, store, due, statuses):
    """The parent lives on and starts another child; nobody has to come and help."""
    references = due(100)
    killed = []

    def strike(number: int) -> None:
        if number == 20:
            for child in psutil.Process(stack.processes["worker"].pid).children(recursive=True):
                killed.append(child.pid)
                child.kill()

    stack.mail.after_accepting = strike
    stack.start("worker", "beat")
    until(lambda: killed, what="the children are killed")
    in_the_end(stack, store, statuses, bring_back=lambda: None)
    report(stack, statuses, len(killed), "pool")
    assert missing(stack.mail.counts(), references) == set()
    assert repeated(stack.mail.counts()) == {}
    assert 1 <= Counter(statuses().values())["unknown"] <= len(killed)


# -- Plain processes, so that the control differs from the real thing in the guard alone --


def send_and_kill(stack, killer, way):
    """Two sending processes, killed and started again until the killer has had enough."""
    while killer.moments:
        start_senders(stack, way)
        until(killer.has_struck, what="the senders are killed", seconds=120)


def start_senders(stack, way):
    for name in ("one", "two") if way == "real" else ("one",):
        stack.run(name, [sys.executable, "-m", "tests.faults.senders", way])


def report(stack, statuses, deaths, name):
    counts = stack.mail.counts()
    print(
        f"{name}: {deaths} processes killed, {len(counts)} messages in {counts.total()} letters, "
        f"doubled {len(repeated(counts))}, {dict(Counter(statuses().values()))}"
    )


def test_plain_processes_that_are_killed_lose_and_double_nothing(stack, store, due, statuses, murderer):
    references = due(MESSAGES)
    killer = murderer("one", "two", kills=5)
    send_and_kill(stack, killer, "real")
    in_the_end(stack, store, statuses, bring_back=lambda: start_senders(stack, "real"))
    report(stack, statuses, killer.deaths, "plain")
    assert missing(stack.mail.counts(), references) <= unknown(statuses)
    assert repeated(stack.mail.counts()) == {}
    assert 5 <= len(unknown(statuses)) <= killer.deaths


def unknown(statuses):
    return {reference for reference, status in statuses().items() if status == "unknown"}


def test_control_trying_again_blindly_doubles(stack, store, due, statuses, murderer):
    """The same run, but what a dead worker left goes back to the queue."""
    due(MESSAGES)
    killer = murderer("one", "two", kills=5)
    send_and_kill(stack, killer, "real")
    left = Message.objects.for_store(store).filter(status="sending")
    stack.inside(store, lambda: left.update(status="pending", lease_token=None, lease_until=None))
    in_the_end(stack, store, statuses, bring_back=lambda: start_senders(stack, "real"))
    report(stack, statuses, killer.deaths, "control, blind retry")
    assert len(repeated(stack.mail.counts())) >= 5


def test_control_marking_afterwards_doubles(stack, store, due, statuses, murderer):
    """The same run without claim and lease."""
    due(MESSAGES)
    killer = murderer("one", kills=5)
    send_and_kill(stack, killer, "naive")
    in_the_end(stack, store, statuses, bring_back=lambda: start_senders(stack, "naive"))
    report(stack, statuses, killer.deaths, "control, marked afterwards")
    assert len(repeated(stack.mail.counts())) >= 5
