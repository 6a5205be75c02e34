"""After a break: messages whose worker died, and messages of which nobody knows whether they arrived.

A message that was begun and not marked is `unknown`. It is never sent again by itself: the provider is
asked where it can be, its reports are listened to (`services.settle_by_report`), and a person may decide.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import F, Q

from outreach import accounts, rules
from outreach.handover import may_repeat
from outreach.models import Message, MessageEvent
from outreach.services import send_again, settle_by_report
from stores.directory import each_store
from stores.models import Store
from stores.tenancy import StoreQuerySet, acting_for

AT_ONCE = 20  # asked in one go for one store; each may take as long as a time-out
Status = Message.Status


def settle_expired_leases(store: Store, at: datetime) -> int:
    """After a crash: what was not begun waits again, what was begun is `unknown`. Returns how many.

    Unless it is known to have gone (it lies in the outbox, or its provider has reported it already), or
    may be handed over again, because the provider would know it for the same.
    """
    dead = Message.objects.for_store(store).filter(status=Status.SENDING, lease_until__lt=at)
    waiting = dead.filter(started_at=None).update(
        status=Status.PENDING, lease_token=None, lease_until=None, due_at=at, attempts=F("attempts") - 1
    )
    begun = dead.exclude(started_at=None)
    gone = begun.filter(Q(outbox_items__isnull=False) | ~Q(delivered_at=None) | ~Q(bounced_at=None)).distinct()
    sent = _end(dead, gone, at, status=Status.SENT, sent_at=F("started_at"), lease_until=None)
    again = [message for message in begun if may_repeat(store, message, at)]
    repeated = _end(dead, again, at, status=Status.PENDING, due_at=at, lease_until=None)
    # The provider is asked about what is left, at once and then again (`ask_about_unknown`).
    return waiting + sent + repeated + _end(dead, begun, at, status=Status.UNKNOWN, lease_until=at)


def _end(dead: StoreQuerySet, messages: Iterable[Message], at: datetime, *, status: Status, **changes: Any) -> int:
    """Write down what becomes of them; one that its worker marks meanwhile after all is left alone."""
    ended, reason = 0, "" if status == Status.SENT else "worker_died"
    for message in messages:
        mine = dead.filter(pk=message.pk, lease_token=message.lease_token)
        if mine.update(status=status, reason=reason, lease_token=None, **changes):
            ended += 1
            if status != Status.PENDING:
                MessageEvent.objects.create(
                    store_id=message.store_id, message=message, status=status, reason=reason, at=at
                )
    return ended


def ask_about_unknown(at: datetime) -> int:
    """Ask the providers after what they may have taken, for a day, less and less often; how many were settled."""
    return sum(_settle(store, message, at) for store in each_store() for message in _to_ask(store, at))


def _to_ask(store: Store, at: datetime) -> list[Message]:
    """Those whose time has come; committed with the next time, so that no second worker asks meanwhile."""
    unknown = Message.objects.for_store(store).filter(status=Status.UNKNOWN, lease_until__lte=at)
    with acting_for(store):
        ours = list(unknown.order_by("due_at").select_for_update(skip_locked=True, no_key=True)[:AT_ONCE])
        for message in ours:
            message.lease_until = rules.ask_again_at(at, message.started_at or at)
        Message.objects.bulk_update(ours, ["lease_until"])
    return ours


def _settle(store: Store, message: Message, at: datetime) -> bool:
    """Ask, outside any transaction, and write the answer down if there is one."""
    look_up = accounts.look_up_for(store, message.channel, message.started_at or at)
    known = look_up(message.public_id, message.provider_id) if look_up else None
    with acting_for(store):
        if look_up is None:  # nobody can be asked: not by us again
            Message.objects.for_store(store).filter(pk=message.pk, status=Status.UNKNOWN).update(lease_until=None)
        if known == "missing":
            return rules.is_missing(at, message.started_at or at) and send_again(message, at=at)
        return known is not None and settle_by_report(message, was_sent=known == "sent", at=at)
