"""Help for the unhappy: cases, their notes and their end."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from customers.models import Customer
from outreach import services as outreach
from stores.models import User
from stores.tenancy import insert_new
from surveys import rules
from surveys.models import CaseEvent, RecoveryCase, Response

ASSIGNED = "→ "  # a note that begins so says whose case it is now


def open_case(response: Response, *, at: datetime) -> RecoveryCase:
    """An unhappy person is to be helped; until the case ends they are asked for nothing."""
    case = RecoveryCase(
        store_id=response.store_id,
        response=response,
        customer=response.customer,
        opened_at=at,
        promise_at=at + rules.PROMISE,
    )
    if insert_new(case):
        _note(case, at=at)
    else:
        case = RecoveryCase.objects.get(store_id=response.store_id, response=response)
    if case.status == RecoveryCase.Status.OPEN:
        outreach.hold(response.customer, key=_hold_key(case), reason="open_case", at=at)
    return case


def add_note(case: RecoveryCase, note: str, *, at: datetime, by: User | None) -> None:
    """Write a note on a case."""
    _note(case, note=note, at=at, by=by)


def assign(case: RecoveryCase, assignee: User | None, *, at: datetime, by: User | None) -> None:
    """Make somebody responsible for the case."""
    RecoveryCase.objects.filter(pk=case.pk, store_id=case.store_id).update(assignee=assignee)
    _note(case, note=f"{ASSIGNED}{assignee or ''}", at=at, by=by)


def end_case(case: RecoveryCase, *, solved: bool, note: str, at: datetime, by: User | None) -> bool:
    """Solved, or closed without a solution; the person may be asked again later. False if it had ended."""
    to = RecoveryCase.Status.SOLVED if solved else RecoveryCase.Status.CLOSED
    with transaction.atomic():
        moved = _step(case, to, at=at, ended_at=at)
        if moved:
            _note(case, note=note, at=at, by=by)
            outreach.release(case.store, key=_hold_key(case))
    return moved


def reopen_case(case: RecoveryCase, *, at: datetime, by: User | None) -> bool:
    """Undo an ending."""
    with transaction.atomic():
        moved = _step(case, RecoveryCase.Status.OPEN, at=at, ended_at=None)
        if moved:
            _note(case, at=at, by=by)
            outreach.hold(case.customer, key=_hold_key(case), reason="open_case", at=at)
    return moved


def _step(case: RecoveryCase, to: RecoveryCase.Status, *, at: datetime, ended_at: datetime | None) -> bool:
    sources = [source for source, targets in RecoveryCase.MOVES.items() if to in targets]
    moved = RecoveryCase.objects.filter(pk=case.pk, store_id=case.store_id, status__in=sources).update(
        status=to, ended_at=ended_at
    )
    if moved:
        case.status = to
    return bool(moved)


def _note(case: RecoveryCase, *, at: datetime, note: str = "", by: User | None = None) -> None:
    CaseEvent.objects.create(store_id=case.store_id, case=case, status=case.status, note=note, at=at, by=by)


def _hold_key(case: RecoveryCase) -> str:
    return f"case:{case.pk}"


def has_open_case(customer: Customer) -> bool:
    """Whether the person waits for help."""
    return RecoveryCase.objects.filter(
        store_id=customer.store_id, customer=customer, status=RecoveryCase.Status.OPEN
    ).exists()
