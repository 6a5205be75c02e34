"""Writes of surveys: plan, invite, answer, help. The only writer of these states."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from customers import rules as customer_rules
from customers.models import Customer, Order
from customers.timing import due_at, main_product
from outreach import services as outreach
from outreach.models import Hold, Kind, Message
from outreach.rendering import unsubscribe_url
from stores import tokens
from stores.models import Store, User
from stores.tenancy import insert_new
from surveys import rules
from surveys.models import CaseEvent, Invitation, RecoveryCase, Response, ResponseEvent

logger = logging.getLogger(__name__)

LOOK_BACK = timedelta(hours=1)
ASSIGNED = "→ "  # a note that begins so says whose case it is now


class TooLate(Exception):
    """The time to answer, or to change an answer, is over."""


def plan_invitations(store: Store, at: datetime, *, since: datetime | None = None) -> int:
    """Plan the question about every order changed after `since` (None: the last hour); returns how many.

    One invitation an order, due when its value has shown; a planned one follows a changed delivery.
    """
    orders = (
        Order.objects.for_store(store)
        .filter(updated_at__gte=since or at - LOOK_BACK)
        .exclude(customer=None)
        .exclude(invitation__status__in=[Invitation.Status.INVITED, Invitation.Status.SKIPPED])
        .select_related("invitation")
        .prefetch_related("lines__product__category")
    )
    return sum(_plan(store, order) for order in orders)


def _plan(store: Store, order: Order) -> bool:
    due = due_at(store, order)
    known = getattr(order, "invitation", None)
    if due is None or (known and known.due_at == due):
        return False
    late = customer_rules.is_late(
        placed_at=order.placed_at, delivered_at=order.delivered_at, late_after_days=store.late_after_days
    )
    facts = {"due_at": due, "late": late, "product_name": main_product(order), "customer_id": order.customer_id}
    if known:
        return bool(
            Invitation.objects.for_store(store).filter(pk=known.pk, status=Invitation.Status.PLANNED).update(**facts)
        )
    return insert_new(Invitation(store=store, order=order, **facts))


def invite_due(store: Store, at: datetime, *, limit: int = 1000) -> int:
    """Decide every invitation that is due at `at`: ask, or write down why not. Returns how many were asked."""
    due = list(
        Invitation.objects.for_store(store)
        .filter(status=Invitation.Status.PLANNED, due_at__lte=at)
        .order_by("due_at", "pk")
        .select_related("order", "customer")
        .select_for_update(skip_locked=True, of=("self",))[:limit]
    )
    if not due:
        return 0
    people = _People(store, due, at)
    invited = 0
    for invitation in due:
        try:
            with transaction.atomic():
                invited += _decide(store, invitation, people, at)
        except Exception:  # one bad row must not stop the others
            logger.exception("invitation %s not decided", invitation.public_id)
    return invited


class _People:
    """What stands against asking the people of a batch, read at once."""

    def __init__(self, store: Store, due: list[Invitation], at: datetime) -> None:
        customers = {invitation.customer_id for invitation in due}
        holds = Hold.objects.for_store(store).filter(customer__in=customers)
        self.held: dict[int, str] = dict(holds.values_list("customer_id", "reason"))
        since = at - timedelta(days=store.cooldown_days)
        self.resting = outreach.customers_written_since(store, customers, since)


def _decide(store: Store, invitation: Invitation, people: _People, at: datetime) -> bool:
    order, customer = invitation.order, invitation.customer
    reason = rules.skip_reason(
        refunded=order.refunded_at is not None,
        cancelled=order.cancelled_at is not None,
        reachable=bool(customer.email_norm or customer.phone_norm),
        held=people.held.get(customer.pk, ""),
        in_cooldown=customer.pk in people.resting,
        due_at=invitation.due_at,
        recorded_at=order.recorded_at,
        imported=order.source == "import",
        at=at,
    )
    if reason:
        _move(invitation, Invitation.Status.SKIPPED, at=at, reason=reason)
        return False
    people.resting.add(customer.pk)
    message = outreach.plan_message(
        customer,
        Kind.SURVEY,
        key=f"survey:{order.pk}",
        due_at=at,
        not_after=at + rules.STALE,
        context={
            "product": invitation.product_name,
            "links": {
                "survey": survey_url(store, invitation),
                "unsubscribe": unsubscribe_url(store, customer),
            },
        },
        at=at,
    )
    silent = None if invitation.late else at + timedelta(days=store.silent_ask_days)
    return _move(invitation, Invitation.Status.INVITED, at=at, message=message, silent_ask_at=silent)


def _move(
    invitation: Invitation,
    to: Invitation.Status,
    *,
    at: datetime,
    reason: str = "",
    message: Message | None = None,
    silent_ask_at: datetime | None = None,
) -> bool:
    moved = Invitation.objects.filter(
        pk=invitation.pk, store_id=invitation.store_id, status=Invitation.Status.PLANNED
    ).update(status=to, reason=reason, decided_at=at, message=message, silent_ask_at=silent_ask_at)
    return bool(moved)


def survey_url(store: Store, invitation: Invitation) -> str:
    """The page with the question about one order."""
    return f"{settings.SITE_URL}/s/{tokens.make(tokens.Purpose.SURVEY, store.pk, invitation)}"


def may_answer(invitation: Invitation, at: datetime) -> bool:
    """Whether an answer, or a change of the one given, is still taken at `at`."""
    return _may_answer(invitation, response_to(invitation), at)


def _may_answer(invitation: Invitation, response: Response | None, at: datetime) -> bool:
    if response:
        return at <= response.at + rules.CHANGE_WINDOW
    start = invitation.decided_at or invitation.due_at
    return at <= start + rules.ANSWER_WINDOW and invitation.customer.erased_at is None


def response_to(invitation: Invitation) -> Response | None:
    """The answer that was given, if any."""
    return Response.objects.filter(store_id=invitation.store_id, invitation=invitation).first()


def respond(invitation: Invitation, *, score: int, comment: str, at: datetime) -> Response:
    """Record an answer, or change it within 14 days; the last write wins and the history stays.

    A detractor's answer opens a case at once. Raises TooLate.
    """
    known = response_to(invitation)
    if not _may_answer(invitation, known, at):
        raise TooLate(invitation.public_id)
    if known and (known.score, known.comment) == (score, comment):
        return known
    with transaction.atomic(savepoint=False):
        # The lock lets two tabs write one after the other; the second changes the first's answer.
        Invitation.objects.filter(pk=invitation.pk, store_id=invitation.store_id).update(silent_ask_at=None)
        response = _write(invitation, known, score, comment, at)
        if rules.group_of(score) is rules.Group.DETRACTOR:
            open_case(response, at=at)
    return response


def _write(invitation: Invitation, known: Response | None, score: int, comment: str, at: datetime) -> Response:
    response = Response(
        store_id=invitation.store_id,
        invitation=invitation,
        customer=invitation.customer,
        score=score,
        comment=comment,
        at=at,
    )
    if known or not insert_new(response):
        response = known or Response.objects.get(store_id=invitation.store_id, invitation=invitation)
        response.score, response.comment, response.changed_at = score, comment, at
        response.version += 1
        response.save()
    ResponseEvent.objects.create(store_id=invitation.store_id, response=response, score=score, comment=comment, at=at)
    return response


def note_ask_shown(response: Response, *, at: datetime) -> None:
    """The answer page asked this person to refer."""
    Response.objects.filter(pk=response.pk, store_id=response.store_id, ask_shown_at=None).update(ask_shown_at=at)


def note_silent_ask_decided(invitation: Invitation) -> None:
    """The one later ask for this order was planned, or not: never look again."""
    Invitation.objects.filter(pk=invitation.pk, store_id=invitation.store_id).update(silent_ask_at=None)


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
