"""Writes of outreach: plan, cancel, hold, suppress. Sending itself is in `outreach.dispatch`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db.models import QuerySet

from customers.models import Channel, Consent, Customer
from customers.services import record_consent
from outreach.kinds import Way
from outreach.models import Hold, Kind, Message, MessageEvent, Suppression, Task
from outreach.rules import Skip
from stores.models import Store
from stores.rows import insert_rows
from stores.tenancy import insert_new

WAITING = [Message.Status.PENDING, Message.Status.TASK]  # in the queue, or with the staff


def plan_messages(store: Store, planned: Sequence[Message]) -> list[Message]:
    """Put new messages in the queue, each once for its key; returns their rows either way, in their order."""
    if len(insert_rows(planned)) == len(planned):
        return list(planned)
    keys = [message.key for message in planned if message.pk is None]
    known = {message.key: message for message in Message.objects.for_store(store).filter(key__in=keys)}
    return [known.get(message.key, message) for message in planned]


def note_all_skipped(skipped: Sequence[Message], *, at: datetime) -> None:
    """Write down that these new messages were not even planned; `reason` says why; each once for its key."""
    for message in skipped:
        message.status, message.due_at, message.created_at = Message.Status.SKIPPED, at, at
    insert_rows(
        [
            MessageEvent(store_id=one.store_id, message=one, status=one.status, reason=one.reason, at=at)
            for one in insert_rows(skipped)
        ]
    )


def cancel_pending(customer: Customer, *, kinds: list[Kind], reason: str, at: datetime) -> int:
    """Skip what waits for this person; what is already being sent cannot be called back."""
    return _cancel(customer.store_id, reason, at, customer=customer, kind__in=kinds)


def cancel_about(store: Store, about: str, *, reason: str, at: datetime) -> int:
    """Skip what waits about something that has ended: an answered question, a used voucher."""
    return _cancel(store.pk, reason, at, about=about)


def cancel_all_about(store: Store, abouts: Iterable[str], *, reason: str, at: datetime) -> int:
    """`cancel_about` for many things that have ended, in as many statements as for one."""
    return _cancel(store.pk, reason, at, about__in=list(abouts))


def cancel_waiting(store: Store, messages: Iterable[int], *, reason: str, at: datetime) -> int:
    """Skip these messages (ids), as far as they still wait."""
    return _cancel(store.pk, reason, at, pk__in=list(messages))


def _cancel(store_id: int, reason: str, at: datetime, **which: object) -> int:
    """Skip what waits in the queue or lies with the staff; a task whose message is skipped is on no list."""
    rows = Message.objects.filter(store_id=store_id, **which)
    # Each of the two has an index of its own. The outer status is looked at again once the row is locked.
    queued = rows.filter(status=Message.Status.PENDING).values("pk")
    laid_out = rows.filter(status=Message.Status.TASK, task__status=Task.Status.OPEN).values("pk")
    waiting = Message.objects.filter(store_id=store_id, pk__in=queued.union(laid_out), status__in=WAITING)
    cancelled = list(waiting.select_for_update().order_by("pk"))
    if not cancelled:
        return 0
    mine = Message.objects.filter(store_id=store_id, pk__in=[message.pk for message in cancelled])
    mine.update(status=Message.Status.SKIPPED, reason=reason)
    MessageEvent.objects.bulk_create(
        MessageEvent(store_id=one.store_id, message=one, status=Message.Status.SKIPPED, reason=reason, at=at)
        for one in cancelled
    )
    return len(cancelled)


def hold(customer: Customer, *, key: str, reason: str, at: datetime) -> None:
    """From now on ask this person for nothing, until `release(key)`; waiting asks and questions are cancelled."""
    insert_new(Hold(store_id=customer.store_id, key=key, customer=customer, reason=reason, at=at))
    cancel_pending(customer, kinds=[kind for kind in Kind if kind.obeys_holds], reason=reason, at=at)


def release(store: Store, *, key: str) -> None:
    """Take a hold away."""
    Hold.objects.for_store(store).filter(key=key).delete()


def hash_address(store: Store, channel: str, address: str) -> str:
    """What is kept of an address that must not be written to: salted by the store."""
    return sha256(f"{store.public_id}:{channel}:{address}".encode()).hexdigest()


def suppress(
    store: Store, channel: Channel, address: str, *, reason: Suppression.Reason, source: str, at: datetime
) -> None:
    """Never write to this (normalised) address again; idempotent."""
    if address:
        Suppression.objects.get_or_create(
            store=store,
            channel=channel,
            address_hash=hash_address(store, channel, address),
            defaults={"reason": reason, "source": source[:80], "at": at},
        )


def unsubscribe(store: Store, customer: Customer, *, source: str, at: datetime) -> None:
    """Stop everything to this person, on every channel, at once; nor do staff call or write to win them back."""
    for channel, address in ((Channel.EMAIL, customer.email_norm), (Channel.SMS, customer.phone_norm)):
        if address:
            record_consent(customer, channel, granted=False, source=source, at=at)
            suppress(store, channel, address, reason=Suppression.Reason.UNSUBSCRIBED, source=source, at=at)
    asks, by_hand = [kind for kind in Kind if kind.is_marketing], [Way.CALL, Way.NOTE]
    _cancel(store.pk, Skip.SUPPRESSED, at, customer=customer, kind__in=asks, channel__in=by_hand)


def resubscribe(store: Store, customer: Customer, *, source: str, at: datetime) -> None:
    """Undo `unsubscribe`: lifts what the person closed themselves, not a bounce or complaint.

    Consent comes back only where it stood before: a taken-back "stop" is no new "yes" to advertising.
    """
    for channel, address in ((Channel.EMAIL, customer.email_norm), (Channel.SMS, customer.phone_norm)):
        if address:
            if _had_consented(customer, channel, withdrawn_by=source):
                record_consent(customer, channel, granted=True, source=source, at=at)
            Suppression.objects.for_store(store).filter(
                channel=channel,
                address_hash=hash_address(store, channel, address),
                reason=Suppression.Reason.UNSUBSCRIBED,
            ).delete()


def _had_consented(customer: Customer, channel: Channel, *, withdrawn_by: str) -> bool:
    """What the person had said on this channel before they withdrew it there."""
    said = Consent.objects.filter(store_id=customer.store_id, customer=customer, channel=channel).order_by("-pk")
    before = said.exclude(source=withdrawn_by, granted=False).first()
    return before is not None and before.granted


def is_suppressed(store: Store, customer: Customer) -> bool:
    """Whether any of the person's addresses is closed to us."""
    hashes = [
        hash_address(store, channel, address)
        for channel, address in ((Channel.EMAIL, customer.email_norm), (Channel.SMS, customer.phone_norm))
        if address
    ]
    return Suppression.objects.for_store(store).filter(address_hash__in=hashes).exists()


def close_address(store: Store, message: Message, *, at: datetime) -> None:
    """The provider says that the person has blocked such messages: never write to where this one went."""
    reason = Suppression.Reason.UNSUBSCRIBED
    suppress(store, Channel(message.channel), message.to, reason=reason, source="provider", at=at)


def settle_unknown(message: Message, *, was_sent: bool, at: datetime) -> bool:
    """A person decides about a message nobody knows the fate of: sent, or to be sent again."""
    to = Message.Status.SENT if was_sent else Message.Status.PENDING
    changes: dict[str, Any] = {"sent_at": at} if was_sent else {"due_at": at, "started_at": None}
    return _settle(message, to, "settled_by_staff", at, changes)


def settle_by_report(message: Message, *, was_sent: bool, at: datetime, provider_id: str = "") -> bool:
    """The provider says what became of a message nobody knew the fate of; True when this call settled it.

    By its report or because it was asked. One that is known already, or still being sent, is left as it is.
    """
    to = Message.Status.SENT if was_sent else Message.Status.FAILED
    changes: dict[str, Any] = {"sent_at": message.started_at or at} if was_sent else {}
    if provider_id:
        changes["provider_id"] = provider_id[:120]
    return _settle(message, to, "" if was_sent else "not_delivered", at, changes)


def send_again(message: Message, *, at: datetime) -> bool:
    """The provider says that it never got a message nobody knew the fate of: it waits again."""
    changes = {"due_at": at, "started_at": None}
    return _settle(message, Message.Status.PENDING, "not_taken", at, changes)


def _settle(message: Message, to: Message.Status, reason: str, at: datetime, changes: dict[str, Any]) -> bool:
    """From `unknown` to where it belongs; of two that decide one sees the row."""
    unknown = Message.objects.filter(store_id=message.store_id, pk=message.pk, status=Message.Status.UNKNOWN)
    moved = unknown.update(status=to, reason=reason, lease_until=None, **changes)
    if moved:
        _note(message, to, reason, at)
    return bool(moved)


def _note(message: Message, status: Message.Status, reason: str, at: datetime) -> None:
    MessageEvent.objects.create(store_id=message.store_id, message=message, status=status, reason=reason, at=at)


def customers_written_since(
    store: Store, customers: set[int], since: datetime, *, except_keys: tuple[str, ...] = ()
) -> set[int]:
    """Of these customers, those whom a question was sent, or is about to be, after `since` (the cool-down)."""
    asked = questions_since(store, since).filter(customer__in=customers).exclude(key__in=except_keys)
    return set(asked.values_list("customer_id", flat=True))


def questions_since(store: Store, since: datetime) -> QuerySet[Message]:
    """Questions that keep others away, sent or about to be, where `since` is one cool-down ago.

    One that waits for a day of its own (three weeks after a delivery, or next month's campaign) keeps nobody away
    yet; one that was due and held up (`reason` says by what) does.
    """
    at = since + timedelta(days=store.cooldown_days)
    kinds = [kind for kind in Kind if kind.counts_for_cooldown]
    recent: QuerySet[Message] = Message.objects.for_store(store).filter(kind__in=kinds, due_at__gt=since)
    asked = recent.exclude(status=Message.Status.SKIPPED)
    return asked.exclude(status=Message.Status.PENDING, reason="", due_at__gt=at)
