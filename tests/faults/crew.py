"""Four senders, one of whom is killed each second, and what the sweeps do about it."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import psutil
from django.utils import timezone

from outreach import aftermath
from outreach.models import Message
from tests.stack import repeated

# Shorter than in earnest, so that the tests need not wait for what they break.
SHORT = {"EMAIL_TIMEOUT": "1", "LEASE_SECONDS": "6"}


class Killer:
    """A crew of four, and who kills them."""

    def __init__(self, stack, store) -> None:
        self.stack, self.store, self.kills = stack, store, 0
        self.parent = stack.run("crew", [sys.executable, "-m", "tests.faults.senders", "crew"]).pid

    def kill_one(self) -> None:
        children = psutil.Process(self.parent).children()
        if len(children) == 4:
            with suppress(ProcessLookupError):
                os.kill(random.choice(children).pid, signal.SIGKILL)
                self.kills += 1

    def sweep(self, ahead=timedelta()) -> None:
        """What beat would start; what waits for a minute after a failure need not."""
        now = timezone.now()
        waiting = Message.objects.for_store(self.store).filter(status="pending", due_at__gt=now)
        self.stack.inside(self.store, lambda: aftermath.settle_expired_leases(self.store, now))
        self.stack.call(aftermath.ask_about_unknown, now + ahead)
        self.stack.inside(self.store, lambda: waiting.update(due_at=now))

    def left(self, over) -> list[dict[str, object]]:
        """What stands in the rows that are not over."""
        rows = Message.objects.for_store(self.store).exclude(status__in=over).values()
        return self.stack.inside(self.store, lambda: list(rows[:20]))

    def run(self, statuses, over, *, kills=10_000, ahead=timedelta(), seconds=240) -> Counter[str]:
        """A kill a second, so many, and then until all messages are over; how many ended in which status."""
        begin = time.monotonic()
        while not set(statuses().values()) <= over:
            assert time.monotonic() < begin + seconds, self.left(over)
            time.sleep(1)
            if self.kills < kills:
                self.kill_one()
            self.sweep(ahead)
        return Counter(statuses().values())


def report(name, killer, accepted, silences, fates):
    print(
        f"{name}: {killer.kills} kills, {silences} time-outs after acceptance, {len(accepted)} messages accepted, "
        f"{len(repeated(accepted))} of them twice or more, {dict(fates)}"
    )
