"""The due queue: claim, commit, call, mark (RELIABILITY rules 18-26).

A row is claimed with SKIP LOCKED in a short transaction that commits `sending` with a lease and a
token. Before each hand-over `started_at` is committed. So after a crash: a leased row that was not
started goes back to waiting, a started one is `unknown` and is never sent again by itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection
from django.utils import timezone

from customers.models import Channel
from outreach import channels, rules
from outreach.channels import Letter, NotNow, Refused, email, sms
from outreach.models import Hold, Kind, Message, MessageEvent, OutboxItem, Suppression
from outreach.rendering import letter
from outreach.services import hash_address
from stores.models import Store
from stores.tenancy import acting_for

logger = logging.getLogger(__name__)

BATCH = 50
LEASE = timedelta(seconds=60)  # longer than twice a channel's time-out
Deliver = Callable[[Letter], str]


def dispatch(*, seconds: float) -> int:
    """Send what is due now, store by store in turn, for at most `seconds`; returns how many were sent."""
    ends, sent = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        stores = stores_with_due(timezone.now())
        if not stores:
            break
        for store_id in stores:
            with acting_for(store_id):
                store = Store.objects.get(pk=store_id)
            sent += dispatch_batch(store)
    return sent


def stores_with_due(at: datetime) -> list[int]:
    """Ids of the stores that have a message due: all the dispatcher may see across stores."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM goodword_stores_with_due(%s)", [at])
        return [row[0] for row in cursor.fetchall()]


def dispatch_batch(store: Store) -> int:
    """Claim up to BATCH due messages of the store and send them; returns how many were handed over."""
    token, sent, now = uuid4(), 0, timezone.now()
    for message in claim(store, now, token=token, lease_until=now + LEASE):
        now = timezone.now()
        if not _start(store, message, token, now):
            break  # our lease ran out; another worker may have the rest
        status, changes = _hand_over(store, message, now)
        _mark(store, message, token, status, timezone.now(), changes)
        sent += status == Message.Status.SENT
    return sent


def rehearse(store: Store, at: datetime) -> list[Message]:
    """What `dispatch` would do at `at` (aware UTC), with nothing leaving the house; for replays.

    The same claim and the same checks; what may go out is marked as sent at once, and returned.
    """
    claimed = claim(store, at, token=uuid4(), lease_until=at + LEASE, limit=10_000)
    Message.objects.for_store(store).filter(pk__in=[message.pk for message in claimed]).update(
        status=Message.Status.SENT, sent_at=at, lease_token=None, lease_until=None, provider_id="replay"
    )
    MessageEvent.objects.bulk_create(
        MessageEvent(store=store, message=message, status=Message.Status.SENT, at=at) for message in claimed
    )
    return claimed


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
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("customer")[:limit]
        )
        if not due:
            return []
        verdicts = _judge(store, due, at)
        claimed = [message for message in due if isinstance(verdicts[message.pk], rules.Way)]
        for message in due:
            _apply(message, verdicts[message.pk], at=at, token=token, lease_until=lease_until)
        Message.objects.bulk_update(
            due, ["status", "reason", "due_at", "channel", "to", "lease_until", "lease_token", "started_at", "attempts"]
        )
        MessageEvent.objects.bulk_create(
            MessageEvent(store=store, message=message, status=message.status, reason=message.reason, at=at)
            for message in due
            if message.status == Message.Status.SKIPPED
        )
    return claimed


Verdict = rules.Way | str | datetime


def _judge(store: Store, due: list[Message], at: datetime) -> dict[int, Verdict]:
    """For each message the way to send it, the reason not to, or the time to look again."""
    people = [message.customer for message in due]
    hashes = {
        (channel, address): hash_address(store, channel, address)
        for person in people
        for channel, address in ((Channel.EMAIL, person.email_norm), (Channel.SMS, person.phone_norm))
        if address
    }
    closed = set(
        Suppression.objects.for_store(store)
        .filter(address_hash__in=set(hashes.values()))
        .values_list("address_hash", flat=True)
    )
    holds = dict(
        Hold.objects.for_store(store)
        .filter(customer__in={person.pk for person in people})
        .values_list("customer_id", "reason")
    )
    return {message.pk: _verdict(store, message, hashes, closed, holds, at) for message in due}


def _verdict(
    store: Store,
    message: Message,
    hashes: dict[tuple[Channel, str], str],
    closed: set[str],
    holds: dict[int, str],
    at: datetime,
) -> Verdict:
    person, kind = message.customer, Kind(message.kind)
    if message.not_after and at > message.not_after:
        return rules.Skip.TOO_LATE
    if kind.is_marketing and person.pk in holds:
        return holds[person.pk]
    ways = [
        rules.Way(channel, address, consented, hashes.get((channel, address)) in closed)
        for channel, address, consented in (
            (Channel.EMAIL, person.email_norm, person.email_consent),
            (Channel.SMS, person.phone_norm, person.sms_consent),
        )
    ]
    way = rules.choose_way(ways, is_marketing=kind.is_marketing)
    if isinstance(way, rules.Way) and way.channel == Channel.SMS:
        opening = rules.next_opening(at, store.zone)
        if opening > at:
            return opening
    return way


def _apply(message: Message, verdict: Verdict, *, at: datetime, token: UUID, lease_until: datetime) -> None:
    """Write the verdict on the row (in memory)."""
    if isinstance(verdict, rules.Way):
        message.status, message.reason = Message.Status.SENDING, ""
        message.channel, message.to = verdict.channel, verdict.address
        message.lease_until, message.lease_token, message.started_at = lease_until, token, None
        message.attempts += 1
    elif isinstance(verdict, datetime):
        message.due_at, message.reason = verdict, "quiet_hours"
    else:
        message.status, message.reason = Message.Status.SKIPPED, verdict


def _start(store: Store, message: Message, token: UUID, now: datetime) -> bool:
    """Commit that the hand-over begins; False when the lease is no longer ours."""
    with acting_for(store):
        mine = Message.objects.for_store(store).filter(
            pk=message.pk, status=Message.Status.SENDING, lease_token=token, lease_until__gt=now
        )
        return bool(mine.update(started_at=now, lease_until=now + LEASE))


def _hand_over(store: Store, message: Message, now: datetime) -> tuple[Message.Status, dict[str, object]]:
    """Render and deliver one message, outside any transaction; what came of it."""
    try:
        with acting_for(store):
            rendered = letter(store, message)
        provider_id = _channel(store, message, now)(rendered)
    except Refused as error:
        return Message.Status.FAILED, {"reason": f"refused: {error}"[:40]}
    except NotNow as error:
        again = rules.retry_at(now, message.attempts, error.wait)
        if again is None:
            return Message.Status.FAILED, {"reason": "gave_up"}
        return Message.Status.PENDING, {"reason": "try_again", "due_at": again}
    except channels.Uncertain as error:
        return Message.Status.UNKNOWN, {"reason": f"no answer: {error}"[:40]}
    except Exception:
        logger.exception("message %s could not be written", message.public_id)
        return Message.Status.FAILED, {"reason": "not_rendered"}
    return Message.Status.SENT, {"sent_at": now, "provider_id": provider_id[:120]}


def _channel(store: Store, message: Message, now: datetime) -> Deliver:
    """How this message leaves, by the settings."""
    name = settings.EMAIL_CHANNEL if message.channel == Channel.EMAIL else settings.SMS_CHANNEL
    if name == "outbox":
        return lambda rendered: _keep_in_outbox(store, message, rendered, now)
    return email.deliver if message.channel == Channel.EMAIL else sms.deliver


def _keep_in_outbox(store: Store, message: Message, rendered: Letter, now: datetime) -> str:
    """The outbox channel: the letter is kept for reading on the dashboard."""
    with acting_for(store):
        item = OutboxItem.objects.create(
            store=store,
            message=message,
            channel=message.channel,
            to=rendered.to,
            subject=rendered.subject[:250],
            text=rendered.text,
            html=rendered.html,
            at=now,
        )
    return item.public_id


def _mark(
    store: Store, message: Message, token: UUID, status: Message.Status, now: datetime, changes: dict[str, object]
) -> None:
    """Write the outcome, only while the lease is ours: a stale worker writes nothing."""
    with acting_for(store):
        moved = (
            Message.objects.for_store(store)
            .filter(pk=message.pk, lease_token=token, status=Message.Status.SENDING)
            .update(status=status, lease_token=None, lease_until=None, **changes)
        )
        if moved and status != Message.Status.PENDING:
            MessageEvent.objects.create(
                store=store, message=message, status=status, reason=str(changes.get("reason", "")), at=now
            )


def settle_expired_leases(store: Store, at: datetime) -> int:
    """After a crash: what was not started waits again, what was started is `unknown`. Returns how many.

    The outbox can be asked: an item that is there was sent.
    """
    dead = Message.objects.for_store(store).filter(status=Message.Status.SENDING, lease_until__lt=at)
    waiting = dead.filter(started_at=None).update(
        status=Message.Status.PENDING, lease_token=None, lease_until=None, due_at=at
    )
    kept = dead.filter(outbox_items__isnull=False).values_list("pk", flat=True)
    sent = (
        Message.objects.for_store(store)
        .filter(pk__in=list(kept))
        .update(status=Message.Status.SENT, sent_at=at, lease_token=None, lease_until=None)
    )
    return waiting + sent + _park(store, dead.exclude(started_at=None), at)


def _park(store: Store, dead: Iterable[Message], at: datetime) -> int:
    parked = 0
    for message in dead:
        parked += (
            Message.objects.for_store(store)
            .filter(pk=message.pk, status=Message.Status.SENDING, lease_token=message.lease_token, lease_until__lt=at)
            .update(status=Message.Status.UNKNOWN, reason="worker_died", lease_token=None, lease_until=None)
        )
        MessageEvent.objects.create(
            store=store, message=message, status=Message.Status.UNKNOWN, reason="worker_died", at=at
        )
    return parked
