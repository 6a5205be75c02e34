"""kill -9 in the middle of sending loses none and doubles none (RELIABILITY G9, G11).

Each kill comes when the mail server has taken a letter and the worker has not yet heard of it: the worst moment. The
other processes die wherever they are.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from datetime import timedelta
from threading import Event

import psutil
import pytest
from django.utils import timezone

from outreach.aftermath import settle_expired_leases
from outreach.handover import LEASE
from outreach.models import Message
from tests.stack import missing, repeated, until

MESSAGES = 120
KILLS = 2


@pytest.fixture
def murderer(stack):
    """`murderer(names, kills)`: kill -9 these processes at random letters; `died` counts the processes."""
    return lambda *names, kills: Murderer(stack, names, kills)


class Murderer:
    """Kills at the moment a letter is accepted, as often as asked."""

    def __init__(self, stack, names, kills) -> None:
        self.stack, self.names, self.deaths, self.struck = stack, names, 0, Event()
        self.moments = sorted(random.sample(range(20, MESSAGES - 60), kills))
        stack.mail.after_accepting = self.strike

    def strike(self, number: int) -> None:
        """Called by the mail server before it answers."""
        if self.moments and number >= self.moments[0] and all(name in self.stack.processes for name in self.names):
            self.moments.pop(0)
            self.deaths += sum(self.stack.kill(name) for name in self.names)
            self.struck.set()

    def wait(self) -> None:
        """Until the processes are dead."""
        assert self.struck.wait(120), "no process was killed"
        self.struck.clear()


def settle(stack, store):
    """What the sweep does a minute after a death."""
    later = timezone.now() + LEASE + timedelta(seconds=1)
    stack.inside(store, lambda: settle_expired_leases(store, later))
    make_due(stack, store)


def make_due(stack, store):
    """What went back to the queue is due at once, not a minute later."""
    waiting = Message.objects.for_store(store).filter(status="pending")
    stack.inside(store, lambda: waiting.update(due_at=timezone.now()))


def all_is_over(statuses):
    """Wait until no message is left to send."""
    until(lambda: not {"pending", "sending"} & set(statuses().values()), what="nothing waits", seconds=180)


def report(stack, statuses, deaths, name):
    counts = stack.mail.counts()
    print(
        f"{name}: {deaths} processes killed, {len(counts)} messages in {counts.total()} letters, "
        f"doubled {len(repeated(counts))}, {dict(Counter(statuses().values()))}"
    )


def unknown(statuses):
    """Messages that nobody knows the fate of; they wait for a person."""
    return {reference for reference, status in statuses().items() if status == "unknown"}


def extra_letters(stack):
    """How many letters came on top of the first of each message."""
    counts = stack.mail.counts()
    return counts.total() - len(counts)


def nothing_lost_or_doubled(stack, statuses, references, deaths):
    """Each message was accepted once; the one that a process had in hand when it died may be the exception."""
    counts = stack.mail.counts()
    assert set(statuses().values()) <= {"sent", "unknown"}
    assert missing(counts, references) <= unknown(statuses)
    assert repeated(counts) == {}
    assert len(unknown(statuses)) <= deaths


def test_celery_workers_that_are_killed_lose_and_double_nothing(stack, store, due, statuses):
    """First the pool's processes, whose parent starts others; then all of the worker."""
    references, deaths = due(MESSAGES), []
    struck = {20: Event(), 70: Event()}

    def strike(number: int) -> None:
        if number == 20:
            deaths.append(kill_pool(stack))
        elif number == 70:
            deaths.append(stack.kill("worker"))
        if number in struck:
            struck[number].set()

    stack.mail.after_accepting = strike
    stack.start("worker", "beat")
    for event in struck.values():
        assert event.wait(120), "no process was killed"
        settle(stack, store)
    stack.start("worker")
    all_is_over(statuses)
    report(stack, statuses, sum(deaths), "celery")
    nothing_lost_or_doubled(stack, statuses, references, sum(deaths))
    assert len(unknown(statuses)) >= len(struck)  # of the letter in hand nobody knows


def kill_pool(stack) -> int:
    """kill -9 of the worker's children; how many that were."""
    children = psutil.Process(stack.processes["worker"].pid).children(recursive=True)
    for child in children:
        child.kill()
    return len(children)


# -- Plain processes, so that a control differs from the real thing in the guard alone --


def send_and_kill(stack, store, killer, statuses, *, way, recover):
    """Sending processes, killed and started again until the killer has had enough; then in peace to the end."""
    while killer.moments:
        start_senders(stack, killer.names, way)
        killer.wait()
        recover(stack, store)
    start_senders(stack, killer.names, way)
    all_is_over(statuses)


def start_senders(stack, names, way):
    for name in names:
        stack.run(name, [sys.executable, "-m", "tests.faults.senders", way])


def test_plain_processes_that_are_killed_lose_and_double_nothing(stack, store, due, statuses, murderer):
    references = due(MESSAGES)
    killer = murderer("one", "two", kills=KILLS)
    send_and_kill(stack, store, killer, statuses, way="real", recover=settle)
    report(stack, statuses, killer.deaths, "plain")
    nothing_lost_or_doubled(stack, statuses, references, killer.deaths)
    assert len(unknown(statuses)) >= KILLS


def test_control_trying_again_blindly_doubles(stack, store, due, statuses, murderer):
    """The same run, but all that a dead process left goes back to the queue."""

    def try_again(stack, store):
        left = Message.objects.for_store(store).filter(status="sending")
        stack.inside(store, lambda: left.update(status="pending", lease_token=None, started_at=None))

    due(MESSAGES)
    killer = murderer("one", "two", kills=KILLS)
    send_and_kill(stack, store, killer, statuses, way="real", recover=try_again)
    report(stack, statuses, killer.deaths, "control, blind retry")
    assert extra_letters(stack) >= KILLS


def test_control_marking_afterwards_doubles(stack, store, due, statuses, murderer):
    """The same run without claim and lease; one process, as two would double without any death."""
    due(MESSAGES)
    killer = murderer("one", kills=KILLS)
    send_and_kill(stack, store, killer, statuses, way="naive", recover=lambda *_: None)
    report(stack, statuses, killer.deaths, "control, marked afterwards")
    assert extra_letters(stack) >= KILLS
