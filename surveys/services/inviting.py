"""Who is asked about which order, and when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from django.conf import settings

from customers import rules as customer_rules
from customers.models import Order
from customers.timing import Sold, dearest, due_at, sold_with
from outreach import journeys
from outreach import services as outreach
from outreach.models import Hold, Journey, Kind, Message
from outreach.rendering import unsubscribe_url
from stores import tokens
from stores.models import Store
from stores.rows import in_halves, insert_rows, update_rows
from surveys import rules
from surveys.models import Invitation
from surveys.services.choosing import choose_surveys, message_words

LOOK_BACK = timedelta(hours=1)


def plan_invitations(store: Store, at: datetime, *, since: datetime | None = None) -> int:
    """Plan the question about every order changed from `since` (None: an hour ago) to `at`; returns how many.

    One invitation an order, due when its value has shown; a planned one follows a changed delivery.
    """
    orders = [
        _Asked(*row)
        for row in Order.objects.for_store(store)
        .filter(updated_at__range=(since or at - LOOK_BACK, at))
        .exclude(customer=None)
        .exclude(invitation__status__in=[Invitation.Status.INVITED, Invitation.Status.SKIPPED])
        .values_list("pk", "customer_id", "placed_at", "delivered_at", "location_id", "invitation__due_at")
    ]
    sold = sold_with(store, [order.pk for order in orders]) if orders else {}
    planned = [(order, row) for order in orders if (row := _planned(store, order, sold.get(order.pk, [])))]
    new = sorted((row for order, row in planned if order.known_due is None), key=lambda row: row.order_id or 0)
    moved = [row for order, row in planned if order.known_due is not None]
    return len(insert_rows(new)) + sum(_follow(store, row) for row in moved)


class _Asked(NamedTuple):
    """An order as far as its question goes; `known_due` is when it is due so far."""

    pk: int
    customer: int
    placed_at: datetime
    delivered_at: datetime | None
    location: int | None
    known_due: datetime | None


def _planned(store: Store, order: _Asked, sold: Sequence[Sold]) -> Invitation | None:
    """The order's invitation as it is to be, new or moved; None where nothing changes."""
    due = due_at(store, placed_at=order.placed_at, delivered_at=order.delivered_at, location=order.location, sold=sold)
    if due is None or due == order.known_due:
        return None
    return Invitation(
        store=store,
        order_id=order.pk,
        customer_id=order.customer,
        due_at=due,
        product_name=dearest(sold),
        late=customer_rules.is_late(
            placed_at=order.placed_at, delivered_at=order.delivered_at, late_after_days=store.late_after_days
        ),
    )


def _follow(store: Store, invitation: Invitation) -> bool:
    """Write a moved invitation down, unless it was decided meanwhile."""
    mine = Invitation.objects.for_store(store).filter(order=invitation.order_id, status=Invitation.Status.PLANNED)
    facts = {name: getattr(invitation, name) for name in ("due_at", "late", "product_name", "customer_id")}
    return bool(mine.update(**facts))


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
    return sum(in_halves(due, partial(_decide_all, store, at=at), refused=lambda *_: False))


def _decide_all(store: Store, due: Sequence[Invitation], *, at: datetime) -> list[bool]:
    """Decide these invitations, the earlier due first; for each whether the question is asked."""
    people = _People(store, due, at)
    choose_surveys(store, due)
    for invitation in due:
        invitation.reason = _reason_against(invitation, people, at)
        if not invitation.reason:
            people.resting.add(invitation.customer_id)
    asked = [invitation for invitation in due if not invitation.reason]
    messages = outreach.plan_messages(store, [_question(store, invitation, people.journey, at) for invitation in asked])
    for invitation, message in zip(asked, messages, strict=True):
        invitation.message = message
        invitation.silent_ask_at = None if invitation.late else at + timedelta(days=store.silent_ask_days)
    for invitation in due:
        invitation.status = Invitation.Status.SKIPPED if invitation.reason else Invitation.Status.INVITED
        invitation.decided_at = at
    update_rows(due, ("status", "reason", "decided_at", "message_id", "silent_ask_at"))
    return [not invitation.reason for invitation in due]


class _People:
    """What stands against asking the people of a batch, read at once."""

    def __init__(self, store: Store, due: Sequence[Invitation], at: datetime) -> None:
        customers = {invitation.customer_id for invitation in due}
        holds = Hold.objects.for_store(store).filter(customer__in=customers)
        self.held: dict[int, str] = dict(holds.values_list("customer_id", "reason"))
        since = at - timedelta(days=store.cooldown_days)
        self.resting = outreach.customers_written_since(store, customers, since)
        self.journey = journeys.journey_of(store, Kind.SURVEY)


def _reason_against(invitation: Invitation, people: _People, at: datetime) -> str:
    order, customer = invitation.order, invitation.customer
    assert order is not None  # other questions are asked where they are made: services.occasions
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
    return reason or ("" if people.journey.is_on else "switched_off")


def _question(store: Store, invitation: Invitation, journey: Journey, at: datetime) -> Message:
    """The message that asks, not yet written."""
    links = {"survey": survey_url(store, invitation), "unsubscribe": unsubscribe_url(store, invitation.customer)}
    return journeys.message(
        invitation.customer,
        journey,
        key=f"survey:{invitation.order_id}",
        context={"product": invitation.product_name, **message_words(store, invitation), "links": links},
        fact_at=at,
        at=at,
    )


def survey_url(store: Store, invitation: Invitation) -> str:
    """The page with the question about one order."""
    return f"{settings.SITE_URL}/s/{tokens.make(tokens.Purpose.SURVEY, store.pk, invitation)}"


def note_silent_asks_decided(store: Store, invitations: Sequence[Invitation]) -> None:
    """The one later ask for each of these orders was planned, or not: never look again."""
    pks = [invitation.pk for invitation in invitations]
    Invitation.objects.for_store(store).filter(pk__in=pks).update(silent_ask_at=None)
