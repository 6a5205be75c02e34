"""What people of the store do for a message: a call, a note by hand, a question at the next visit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from customers.models import Customer
from outreach.kinds import Way
from outreach.models import Message, MessageEvent, Task, TaskEvent
from stores.models import Store, User
from stores.tenancy import StoreQuerySet

# What becomes of the message when its task ends so, and the reason on its row.
FATES = {
    Task.Status.DONE: (Message.Status.SENT, "done_by_staff"),
    Task.Status.NOT_REACHED: (Message.Status.SKIPPED, "not_reached"),
    Task.Status.DECLINED: (Message.Status.SKIPPED, "declined"),
}
NEXT_VISIT = Way.VISIT


def open_tasks(store: Store, way: Way | None = None) -> StoreQuerySet:
    """What is to do, the oldest first; `way` None: all. Not what was taken back meanwhile (`services.cancel_...`)."""
    rows: Any = Task.objects.for_store(store).filter(status=Task.Status.OPEN, message__status=Message.Status.TASK)
    rows = rows.filter(way=way) if way else rows
    return rows.select_related("customer", "message").order_by("due_at", "pk")  # type: ignore[no-any-return]


def to_ask(store: Store, customer: Customer, at: datetime) -> list[Task]:
    """What to say to this customer now that they stand at the counter."""
    return list(open_tasks(store, NEXT_VISIT).filter(customer=customer, due_at__lte=at)[:3])


def end(task: Task, status: Task.Status, *, note: str = "", at: datetime, by: User | None) -> bool:
    """Done, not reached, or declined; the message follows. False when it was ended before, or taken back."""
    fate, reason = FATES[status]
    sent_at = at if fate == Message.Status.SENT else None
    with transaction.atomic():
        if not _follow(task, Message.Status.TASK, fate, reason=reason, at=at, sent_at=sent_at):
            return False
        _move(task, status, ended_at=at)
        _note(task, note=note, at=at, by=by)
    return True


def reopen(task: Task, *, at: datetime, by: User | None) -> bool:
    """Undo an ending; the message waits with the staff again. False when it is open already."""
    with transaction.atomic():
        before = Task.Status(task.status)
        if before == Task.Status.OPEN or not _move(task, Task.Status.OPEN, ended_at=None):
            return False
        _note(task, note="", at=at, by=by)
        _follow(task, FATES[before][0], Message.Status.TASK, reason="", at=at, sent_at=None)
    return True


def _move(task: Task, to: Task.Status, *, ended_at: datetime | None) -> bool:
    """The guarded step of the task."""
    sources = [source for source, targets in Task.MOVES.items() if to in targets]
    mine = Task.objects.filter(store_id=task.store_id, pk=task.pk, status__in=sources)
    moved = mine.update(status=to, ended_at=ended_at)
    if moved:
        task.status, task.ended_at = to, ended_at
    return bool(moved)


def _note(task: Task, *, note: str, at: datetime, by: User | None) -> None:
    TaskEvent.objects.create(store_id=task.store_id, task=task, status=task.status, note=note, at=at, by=by)


def _follow(
    task: Task, source: Message.Status, to: Message.Status, *, reason: str, at: datetime, sent_at: datetime | None
) -> bool:
    """The message takes the step of its task; its row decides which of two wins. False when it stands elsewhere."""
    mine = Message.objects.filter(store_id=task.store_id, pk=task.message_id, status=source)
    if not mine.update(status=to, reason=reason, sent_at=sent_at):
        return False
    MessageEvent.objects.create(store_id=task.store_id, message_id=task.message_id, status=to, reason=reason, at=at)
    return True
