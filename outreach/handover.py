"""Claimed messages on their way out: their words, the mark that they begin, the hand-over, the mark of what came of it.

`started_at` is committed before the hand-over: from there on it may have arrived. What breaks off is asked about where
the provider can be asked, handed over again where the provider takes a second one for the first, and `unknown`
otherwise (RELIABILITY rules 19-23). Where handing over takes hardly any time, several begin and are marked in one
commit each (docs/decisions/0023-sending-in-groups.md).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import F

from outreach import accounts, rendering, rules
from outreach.channels import Blocked, Letter, NotNow, Refused, Uncertain
from outreach.models import Message, MessageEvent, OutboxItem
from outreach.services import close_address, hash_address
from stores.models import Store
from stores.rows import as_json
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


@dataclass
class Outcome:
    """What became of a group: the status of each message by its id, those not reached in time, whether to go on.

    Who was not reached is still claimed and not begun.
    """

    statuses: dict[int, Message.Status] = field(default_factory=dict)
    unreached: list[Message] = field(default_factory=list)
    is_lost: bool = False  # the lease ran out: another worker may have the rest
    seconds: float = 0.0  # that handing over took


def send(turn: Turn, message: Message, now: datetime) -> Message.Status | None:
    """Take one claimed message all the way; what became of it, None when the lease is lost."""
    return send_group(turn, [message], now).statuses.get(message.pk)


def send_group(turn: Turn, messages: Sequence[Message], now: datetime, *, seconds: float = 0.0) -> Outcome:
    """Take claimed messages all the way; none is begun to be handed over when `seconds` have gone by, but the first.

    It equals this, for one after the other, with a commit for all where this has one for each:

        letter = rendering.letter(store, message)     # what dies over its words has certainly not been sent
        began = _begin(turn, [message], now)          # commits; not when its address was closed, or the lease is lost
        fate = _hand_over(turn, message, letter, now) # outside of any transaction
        _mark(turn, message, fate, now)               # commits, while the lease is ours
    """
    outcome, fates = Outcome(), dict[int, Fate]()
    letters = _written(turn, messages, now, fates)
    ready = [message for message in messages if message.pk in letters]
    begun = _begin(turn, ready, now) if ready else set()
    _give_back_unbegun(turn, [message for message in ready if message.pk not in begun], now, outcome)
    started = time.monotonic()
    for place, message in enumerate(message for message in ready if message.pk in begun):
        if place and time.monotonic() - started > seconds:
            outcome.unreached.append(message)
        else:
            letter, deliver = letters[message.pk]
            fates[message.pk] = _hand_over(turn.store, message, letter, deliver, now)
    outcome.seconds = time.monotonic() - started
    if outcome.unreached and not _unbegin(turn, outcome.unreached):
        outcome.is_lost, outcome.unreached = True, []
    _mark_all(turn, [message for message in messages if message.pk in fates], fates, now, outcome)
    return outcome


Written = tuple[Letter, Callable[[Letter], str]]


def _written(turn: Turn, messages: Sequence[Message], now: datetime, fates: dict[int, Fate]) -> dict[int, Written]:
    """The letters and how they leave, by the message's id; what may not be begun, or has no words, has its fate."""
    letters = {}
    with acting_for(turn.store):
        for message in messages:
            if message.started_at and not may_repeat(turn.store, message, now):
                fates[message.pk] = Status.UNKNOWN, {"reason": "no answer: given up"}
                continue
            try:
                letters[message.pk] = rendering.letter(turn.store, message), _channel(turn, message, now)
            except DatabaseError:
                raise  # says nothing about the message: its lease ends, and it waits again
            except Exception:
                logger.exception("message %s could not be written", message.public_id)
                fates[message.pk] = Status.FAILED, {"reason": rules.Skip.NO_WORDS}
    return letters


def _give_back_unbegun(turn: Turn, messages: Sequence[Message], now: datetime, outcome: Outcome) -> None:
    """What could not begin waits again; what cannot even be given back is no longer ours."""
    if messages:
        outcome.is_lost = give_back(turn, now, pk__in=[message.pk for message in messages]) < len(messages)
        if not outcome.is_lost:
            outcome.statuses |= {message.pk: Status.PENDING for message in messages}


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


# The first time stays: from there a provider's memory of our key is counted.
_BEGIN = """
    UPDATE outreach_message AS kept
    SET started_at = coalesce(kept.started_at, %s), lease_until = %s
    FROM jsonb_to_recordset(%s::jsonb) AS ready (id bigint, channel text, address_hash text)
    WHERE kept.id = ready.id AND kept.store_id = %s AND kept.id = ANY(%s)
      AND kept.status = 'sending' AND kept.lease_token = %s AND kept.lease_until > %s
      AND NOT EXISTS (
          SELECT FROM outreach_suppression AS closed
          WHERE closed.store_id = kept.store_id AND closed.channel = ready.channel
            AND closed.address_hash = ready.address_hash
      )
    RETURNING kept.id
"""


def _begin(turn: Turn, messages: Sequence[Message], now: datetime) -> set[int]:
    """Commit that the hand-over of these begins; the ids of those whose lease is ours and whose address is open."""
    ready = [
        {
            "id": message.pk,
            "channel": message.channel,
            "address_hash": hash_address(turn.store, message.channel, message.to),
        }
        for message in messages
    ]
    ids = [message.pk for message in messages]
    with acting_for(turn.store), connection.cursor() as cursor:
        cursor.execute(_BEGIN, [now, now + LEASE, as_json(ready), turn.store.pk, ids, turn.token, now])
        return {pk for (pk,) in cursor.fetchall()}


def _unbegin(turn: Turn, messages: Sequence[Message]) -> bool:
    """They were begun and certainly not handed over: as if they had not; False when one is no longer ours."""
    undone = 0
    with acting_for(turn.store):
        mine = Message.objects.for_store(turn.store).filter(status=Status.SENDING, lease_token=turn.token)
        for before in {message.started_at for message in messages}:
            which = [message.pk for message in messages if message.started_at == before]
            undone += mine.filter(pk__in=which).update(started_at=before)
    return undone == len(messages)


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


_MARK_SENT = """
    WITH moved AS (
        UPDATE outreach_message AS kept
        SET status = 'sent', sent_at = taken.sent_at, provider_id = taken.provider_id,
            lease_token = NULL, lease_until = NULL
        FROM jsonb_to_recordset(%s::jsonb) AS taken (id bigint, sent_at timestamptz, provider_id text)
        WHERE kept.id = taken.id AND kept.store_id = %s AND kept.id = ANY(%s)
          AND kept.status = 'sending' AND kept.lease_token = %s
        RETURNING kept.store_id, kept.id
    )
    INSERT INTO outreach_messageevent (store_id, message_id, status, reason, at)
    SELECT store_id, id, 'sent', '', %s FROM moved RETURNING message_id
"""


def _mark_all(turn: Turn, messages: Sequence[Message], fates: dict[int, Fate], now: datetime, outcome: Outcome) -> None:
    """Write the outcomes: those that providers took at once in one statement, any other by itself."""
    taken = [message for message in messages if set(fates[message.pk][1]) == {"sent_at", "provider_id"}]
    marked, quick = _mark_sent(turn, taken, fates, now) if taken else set(), {message.pk for message in taken}
    outcome.statuses |= dict.fromkeys(marked, Status.SENT)
    outcome.is_lost |= len(marked) < len(taken)
    for message in messages:
        if message.pk in quick:
            continue
        status = _mark(turn, message, fates[message.pk], now)
        if status is None:
            outcome.is_lost = True
        else:
            outcome.statuses[message.pk] = status


def _mark_sent(turn: Turn, messages: Sequence[Message], fates: dict[int, Fate], now: datetime) -> set[int]:
    """`_mark` for messages that a provider has taken; the ids of those that were still ours."""
    rows = [{"id": message.pk, **fates[message.pk][1]} for message in messages]
    ids = [message.pk for message in messages]
    with acting_for(turn.store), connection.cursor() as cursor:
        cursor.execute(_MARK_SENT, [as_json(rows), turn.store.pk, ids, turn.token, now])
        return {pk for (pk,) in cursor.fetchall()}
