"""The due queue: claim, commit, call, mark (RELIABILITY rules 18-26).

A row is claimed with SKIP LOCKED in a short transaction that commits `sending` with a lease and a token; what happens
to it then is in `outreach.handover`, and what becomes of it if the worker dies in `outreach.aftermath`.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection
from django.utils import timezone

from outreach import judging, kinds, rendering, rules
from outreach.handover import LEASE, Outcome, Turn, give_back, send_group
from outreach.models import Message, MessageEvent, Task
from stores import limits
from stores.models import Store
from stores.rows import insert_rows, update_rows
from stores.tenancy import acting_for

logger = logging.getLogger(__name__)

BATCH, LARGE_BATCH = 50, 500  # messages a claim
TURN = 10.0  # seconds: a store whose provider is slow lets the next one go on
# Seconds. Messages begin together where handing over one takes less than AT_HAND, which nothing does that leaves the
# machine, and for so long: they are what a killed process leaves `unknown`.
AT_HAND, TOGETHER, FASTER = 0.001, 0.25, 4
# What a claim decides about a message.
DECIDED = ("status", "reason", "due_at", "channel", "to", "lease_until", "lease_token", "started_at", "attempts")


@dataclass
class Pace:
    """How many messages of a store go together: one, and more while handing them over takes no time."""

    group: int = 1

    @property
    def batch(self) -> int:
        """How many to claim."""
        return BATCH if self.group < BATCH else LARGE_BATCH

    def learn(self, tried: int, outcome: Outcome) -> None:
        """From how long the last group took."""
        if outcome.seconds > tried * AT_HAND or outcome.unreached:
            self.group = 1
        elif tried >= self.group:
            self.group = min(self.group * FASTER, LARGE_BATCH)


def dispatch(*, seconds: float) -> int:
    """Send what is due now, store by store in turn, for at most `seconds`; returns how many were sent."""
    ends, sent, paces = time.monotonic() + seconds, 0, defaultdict[int, Pace](Pace)
    while time.monotonic() < ends:
        stores = stores_with_due(timezone.now())
        if not stores:
            break
        before = sent
        SystemRandom().shuffle(stores)  # several workers at several stores; the time runs out on others each time
        for store_id in stores:
            if time.monotonic() > ends:
                break
            with acting_for(store_id):
                store = Store.objects.get(pk=store_id)
            sent += dispatch_batch(store, paces[store_id])
        if sent == before:
            time.sleep(0.05)  # all was in other hands, or not to be sent
    return sent


def stores_with_due(at: datetime) -> list[int]:
    """Ids of the stores that have a message due: all the dispatcher may see across stores."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM goodword_stores_with_due(%s)", [at])
        return [row[0] for row in cursor.fetchall()]


def dispatch_batch(store: Store, pace: Pace | None = None) -> int:
    """Claim a batch of due messages of the store and send them, group by group; returns how many were handed over.

    What is left when the store's turn is over, or its minute is full, goes back to the queue.
    """
    turn, pace, sent, ends = Turn(store), pace or Pace(), 0, time.monotonic() + TURN
    full: set[str] = set()
    now = timezone.now()
    left = deque(claim(store, now, token=turn.token, lease_until=now + LEASE, limit=pace.batch))
    while left:
        now = timezone.now()
        if time.monotonic() > ends:
            give_back(turn, now)
            break
        group = _next_group(turn, left, pace.group, full, now)
        if not group:
            continue
        outcome = send_group(turn, group, now, seconds=TOGETHER)
        sent += sum(status == Message.Status.SENT for status in outcome.statuses.values())
        pace.learn(len(group), outcome)
        left.extendleft(reversed(outcome.unreached))
        if outcome.is_lost:
            break  # our lease ran out; another worker may have the rest
    return sent


def _next_group(turn: Turn, left: deque[Message], size: int, full: set[str], now: datetime) -> list[Message]:
    """The next messages, taken from `left`; a channel whose minute is full gives all of its own back."""
    group: list[Message] = []
    while left and len(group) < size:
        message = left.popleft()
        if message.channel not in full and _is_full(turn.store, message.channel, now):
            full.add(message.channel)
            others = [one.pk for one in (message, *left) if one.channel == message.channel]
            give_back(turn, now, due_at=_next_minute(now), pk__in=others)
        if message.channel not in full:
            group.append(message)
    return group


def _is_full(store: Store, channel: str, now: datetime) -> bool:
    """Whether the store has sent what it may on this channel in this minute; counts one more."""
    most = settings.SENDS_PER_MINUTE
    return bool(most) and limits.count(f"sent:{store.pk}:{channel}:{now:%d%H%M}", per_seconds=120) > most


def _next_minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)


def rehearse(store: Store, at: datetime) -> list[Message]:
    """What `dispatch` would do at `at` (aware UTC), with nothing leaving the house; for replays.

    The same claim and the same checks; what may go out is marked as sent at once, and returned.
    """
    claimed = claim(store, at, token=uuid4(), lease_until=at + LEASE, limit=10_000)
    for message in claimed:
        message.status, message.sent_at, message.provider_id = Message.Status.SENT, at, "replay"
        message.lease_token = message.lease_until = None
    update_rows(claimed, ("status", "sent_at", "provider_id", "lease_token", "lease_until"))
    insert_rows([_event(message, at) for message in claimed])
    return claimed


def _event(message: Message, at: datetime) -> MessageEvent:
    """What became of the message, for its history."""
    return MessageEvent(store_id=message.store_id, message=message, status=message.status, reason=message.reason, at=at)


def claim(store: Store, at: datetime, *, token: UUID, lease_until: datetime, limit: int = BATCH) -> list[Message]:
    """Take due messages for sending; commits. Rows that must not go out now are settled here.

    Consent, suppression, holds and quiet hours are read in this transaction, because what was true
    when the message was planned is stale by days.
    """
    with acting_for(store):
        due = list(
            Message.objects.for_store(store)
            .filter(status=Message.Status.PENDING, due_at__lte=at)
            .order_by("due_at")
            # With its person: of two claims one counts what they had, the other looks again later.
            .select_for_update(skip_locked=True, no_key=True, of=("self", "customer"))
            .select_related("customer")[:limit]
        )
        if not due:
            return []
        verdicts = _judge(store, due, at)
        tasks = _errands(store, due, verdicts, at)
        for message in due:
            _apply(message, verdicts[message.pk], at=at, token=token, lease_until=lease_until)
        update_rows(due, DECIDED)
        settled = (Message.Status.SKIPPED, Message.Status.TASK)
        insert_rows([_event(message, at) for message in due if message.status in settled])
        insert_rows(tasks)
    return [message for message in due if message.status == Message.Status.SENDING]


def _judge(store: Store, due: list[Message], at: datetime) -> dict[int, judging.Verdict]:
    """For each message the way to send it, the reason not to, or the time to look again."""
    return judging.judge(store, due, at)


def _apply(message: Message, verdict: judging.Verdict, *, at: datetime, token: UUID, lease_until: datetime) -> None:
    """Write the verdict on the row (in memory)."""
    if isinstance(verdict, str):
        message.status, message.reason = Message.Status.SKIPPED, verdict
    elif isinstance(verdict, rules.Later):
        message.due_at, message.reason = verdict.at, verdict.reason
    elif verdict.is_task:
        message.status, message.reason = Message.Status.TASK, ""
        message.channel, message.started_at = verdict.channel, at  # the week's cap counts from here
    else:
        message.status, message.reason = Message.Status.SENDING, ""
        message.channel, message.to = verdict.channel, verdict.address
        message.lease_until, message.lease_token = lease_until, token
        message.attempts += 1


def _errands(store: Store, due: list[Message], verdicts: dict[int, judging.Verdict], at: datetime) -> list[Task]:
    """The tasks for those whom a person of the store will see, call or write to; not yet saved.

    One whose words cannot be put together gets a skip as its verdict: it must not hold up the others.
    """
    tasks = []
    for message in due:
        verdict = verdicts[message.pk]
        if not (isinstance(verdict, rules.Way) and verdict.is_task):
            continue
        try:
            words = rendering.script_of(store, message, kinds.Way(verdict.channel))
        except Exception:
            logger.exception("message %s could not be written", message.public_id)
            verdicts[message.pk] = rules.Skip.NO_WORDS
            continue
        tasks.append(
            Task(
                store=store,
                message=message,
                customer_id=message.customer_id,
                way=verdict.channel,
                words=words,
                due_at=at,
            )
        )
    return tasks
