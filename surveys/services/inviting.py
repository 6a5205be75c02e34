"""Who is asked about which order, and when."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from customers import rules as customer_rules
from customers.models import Order
from customers.timing import due_at, main_product
from outreach import services as outreach
from outreach.models import Hold, Kind, Message
from outreach.rendering import unsubscribe_url
from stores import tokens
from stores.models import Store
from stores.tenancy import insert_new
from surveys import rules
from surveys.models import Invitation

logger = logging.getLogger(__name__)

LOOK_BACK = timedelta(hours=1)


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


def note_silent_ask_decided(invitation: Invitation) -> None:
    """The one later ask for this order was planned, or not: never look again."""
    Invitation.objects.filter(pk=invitation.pk, store_id=invitation.store_id).update(silent_ask_at=None)
