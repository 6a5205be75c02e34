"""One claimed message on its way out: its words, the mark that it begins, the hand-over, the mark of what came of it.

`started_at` is committed before the hand-over: from there on it may have arrived. What breaks off is asked about where
the provider can be asked, handed over again where the provider takes a second one for the first, and `unknown`
otherwise (RELIABILITY rules 19-23).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Exists, F
from django.db.models.functions import Coalesce

from outreach import accounts, rendering, rules
from outreach.channels import Blocked, Letter, NotNow, Refused, Uncertain
from outreach.models import Message, MessageEvent, OutboxItem, Suppression
from outreach.services import close_address, hash_address
from stores.models import Store
from stores.tenancy import acting_for

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=settings.LEASE_SECONDS)  # longer than twice a channel's time-out
Status = Message.Status
Fate = tuple[Message.Status, dict[str, object]]  # what became of it, and what else is written down


@dataclass
class Turn:
    """A store's turn: what it claimed with one token, and the ways out, each opened once."""

    store: Store
    token: UUID = field(default_factory=uuid4)
    transports: dict[str, accounts.Transport | None] = field(default_factory=dict)

    def transport(self, channel: str) -> accounts.Transport | None:
        """How messages leave by this channel; None: they are kept in the outbox."""
        if channel not in self.transports:
            self.transports[channel] = accounts.transport_for(self.store, channel)
        return self.transports[channel]


def send(turn: Turn, message: Message, now: datetime) -> Message.Status | None:
    """Take a claimed message all the way; what became of it, None when the lease is lost.

    Its words come before the mark that it begins: what dies over them has certainly not been sent.
    """
    if message.started_at and not may_repeat(turn.store, message, now):
        return _mark(turn, message, (Status.UNKNOWN, {"reason": "no answer: given up"}), now)
    try:
        with acting_for(turn.store):
            letter = rendering.letter(turn.store, message)
        deliver = _channel(turn, message, now)
    except DatabaseError:
        raise  # says nothing about the message: its lease ends, and it waits again
    except Exception:
        logger.exception("message %s could not be written", message.public_id)
        return _mark(turn, message, (Status.FAILED, {"reason": rules.Skip.NO_WORDS}), now)
    if not _start(turn, message, now):
        return Status.PENDING if give_back(turn, now, pk=message.pk) else None
    return _mark(turn, message, _hand_over(turn.store, message, letter, deliver, now), now)


def give_back(turn: Turn, now: datetime, *, due_at: datetime | None = None, **which: object) -> int:
    """What was claimed and never begun waits again, at once or until `due_at`; returns how many."""
    changes = {"due_at": due_at} if due_at else {}
    with acting_for(turn.store):
        ours = Message.objects.for_store(turn.store).filter(
            status=Status.SENDING, lease_token=turn.token, lease_until__gt=now, started_at=None, **which
        )
        return ours.update(
            status=Status.PENDING, lease_token=None, lease_until=None, attempts=F("attempts") - 1, **changes
        )


def may_repeat(store: Store, message: Message, now: datetime) -> bool:
    """Whether the provider would take a second hand-over for the first."""
    begun_at = message.started_at or now
    return rules.may_repeat(now, begun_at, accounts.repeats_for(store, message.channel, begun_at))


def _start(turn: Turn, message: Message, now: datetime) -> bool:
    """Commit that the hand-over begins; False when the lease is no longer ours, or the address was closed meanwhile."""
    closed = Suppression.objects.for_store(turn.store).filter(
        channel=message.channel, address_hash=hash_address(turn.store, message.channel, message.to)
    )
    with acting_for(turn.store):
        mine = Message.objects.for_store(turn.store).filter(
            ~Exists(closed), pk=message.pk, status=Status.SENDING, lease_token=turn.token, lease_until__gt=now
        )
        # The first time stays: from there a provider's memory of our key is counted.
        return bool(mine.update(started_at=Coalesce("started_at", now), lease_until=now + LEASE))


def _channel(turn: Turn, message: Message, now: datetime) -> Callable[[Letter], str]:
    """How this message leaves: by the store's account, the server's, or not at all."""
    transport = turn.transport(message.channel)
    return transport or (lambda letter: _keep_in_outbox(turn.store, message, letter, now))


def _keep_in_outbox(store: Store, message: Message, letter: Letter, now: datetime) -> str:
    """The outbox channel: the letter is kept for reading on the dashboard."""
    with acting_for(store):
        item = OutboxItem.objects.create(
            store=store,
            message=message,
            channel=message.channel,
            to=letter.to,
            subject=letter.subject[:250],
            text=letter.text,
            html=letter.html,
            at=now,
        )
    return item.public_id


def _hand_over(store: Store, message: Message, letter: Letter, deliver: Callable[[Letter], str], now: datetime) -> Fate:
    """Deliver, outside any transaction; what came of it."""
    try:
        provider_id = deliver(letter)
    except Refused as error:
        if isinstance(error, Blocked):
            with acting_for(store):
                close_address(store, message, at=now)
        elif message.started_at:  # a refused repeat says nothing about the first
            return Status.UNKNOWN, {"reason": f"no answer: {error}"[:40]}
        return Status.FAILED, {"reason": f"refused: {error}"[:40]}
    except NotNow as error:
        again = rules.retry_at(now, message.attempts, error.wait)
        if again is None:
            return Status.FAILED, {"reason": "gave_up"}
        return Status.PENDING, {"reason": "try_again", "due_at": again, "started_at": message.started_at}
    except Uncertain as error:
        return _broken_off(store, message, now, str(error))
    except Exception as error:  # nobody knows how far it came
        logger.exception("message %s was broken off", message.public_id)
        return _broken_off(store, message, now, type(error).__name__)
    return Status.SENT, {"sent_at": now, "provider_id": provider_id[:120]}


def _broken_off(store: Store, message: Message, now: datetime, error: str) -> Fate:
    """What the provider knows of it; else once more where that cannot double it; else `unknown`."""
    reason = f"no answer: {error}"[:40]
    look_up = accounts.look_up_for(store, message.channel, message.started_at or now)
    known = look_up(message.public_id, message.provider_id) if look_up else None
    if known == "sent":
        return Status.SENT, {"sent_at": now}
    if known == "failed":
        return Status.FAILED, {"reason": "not_delivered"}
    again = rules.retry_at(now, message.attempts)
    if again and may_repeat(store, message, again):
        return Status.PENDING, {"reason": reason, "due_at": again}
    return Status.UNKNOWN, {"reason": reason, "lease_until": rules.ask_again_at(now, now) if look_up else None}


def _mark(turn: Turn, message: Message, fate: Fate, now: datetime) -> Message.Status | None:
    """Write the outcome, only while the lease is ours: a stale worker writes nothing."""
    status, changes = fate
    with acting_for(turn.store):
        moved = (
            Message.objects.for_store(turn.store)
            .filter(pk=message.pk, lease_token=turn.token, status=Status.SENDING)
            .update(**{"status": status, "lease_token": None, "lease_until": None, **changes})
        )
        if moved and status != Status.PENDING:
            MessageEvent.objects.create(
                store=turn.store, message=message, status=status, reason=str(changes.get("reason", "")), at=now
            )
    return status if moved else None
