"""Messages that answer a purchase, an event, an answer or a solved case: congratulations and the owner's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models.functions import Coalesce

from customers.models import Event, Order
from customers.timing import main_product
from outreach.kinds import Kind, Trigger
from outreach.models import Journey
from outreach.starting import Fact
from outreach.sweeping import Sweep, Touch, fact_name
from referrals.services.values import to_share
from stores.models import Store
from stores.tenancy import StoreQuerySet
from surveys.models import RecoveryCase, Response
from surveys.rules import CHANGE_WINDOW, STALE_IMPORT

USUAL_NUMBER = 5  # of the purchase that is congratulated on
GOOD_SCORE = 9
REPORTED_LATE = timedelta(days=2)  # shops tell of events after they happened; what comes later the repair finds


def _changed(store: Store, since: datetime, at: datetime) -> StoreQuerySet:
    """Standing orders of known people that were recorded, or changed, after `since`."""
    orders = Order.objects.for_store(store).standing().exclude(customer=None)
    changed: StoreQuerySet = orders.filter(updated_at__gte=since, updated_at__lte=at)
    return changed.select_related("customer").prefetch_related("lines__product").order_by("placed_at", "pk")


def _placed(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    name = fact_name(journey, "order")
    for order in _changed(store, since, at):
        yield from _of(order, journey, f"{name}:{order.pk}", order.placed_at)


def _delivered(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    name = fact_name(journey, "delivered")
    for order in _changed(store, since, at).exclude(delivered_at=None):
        yield from _of(order, journey, f"{name}:{order.pk}", order.delivered_at)


def _first(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    return _numbered(store, journey, 1, since, at)


def _nth(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    return _numbered(store, journey, journey.number or USUAL_NUMBER, since, at)


def _numbered(store: Store, journey: Journey, number: int, since: datetime, at: datetime) -> Iterator[Fact]:
    """Orders that are their buyer's `number`-th, by when they were placed; once a person."""
    name = fact_name(journey, "nth_order")
    orders = list(_changed(store, since, at))
    wanted = _nths(store, {order.customer_id for order in orders}, number)
    for order in orders:
        if order.pk in wanted:
            yield from _of(order, journey, f"{name}:{order.customer_id}:{number}", order.placed_at, orders=number)


def _nths(store: Store, people: Iterable[int], number: int) -> set[int]:
    """The `number`-th standing order of each of these people that has so many."""
    bought: dict[int, list[int]] = {}
    orders = Order.objects.for_store(store).standing().filter(customer__in=set(people))
    for person, pk in orders.order_by("placed_at", "pk").values_list("customer_id", "pk"):
        bought.setdefault(person, []).append(pk)
    return {pks[number - 1] for pks in bought.values() if len(pks) >= number}


def _of(order: Order, journey: Journey, key: str, moment: datetime | None, **values: object) -> Iterator[Fact]:
    """The fact of an order; none of one that came in long after it, from a file."""
    if moment is None or order.customer is None:
        return
    if order.source == "import" and order.recorded_at - (moment + journey.wait) > STALE_IMPORT:
        return
    product = main_product(order)
    yield Fact(order.customer, key=key, at=moment, about=f"order:{order.pk}", values={"product": product, **values})


def _happened(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    """Events of the journey's kind that the shop's systems reported: a project's milestone."""
    name = fact_name(journey, "event")
    events = Event.objects.for_store(store).filter(kind=journey.event_kind, at__gte=since - REPORTED_LATE, at__lte=at)
    for event in events.select_related("customer").order_by("at", "pk"):
        yield Fact(event.customer, key=f"{name}:{event.pk}", at=event.at)


def _scored(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    """Answers from 0 to 10 that are the journey's number or more; a changed answer counts when it was changed."""
    name = fact_name(journey, "score")
    answers = Response.objects.for_store(store).counted().exclude(customer=None)
    good = answers.filter(score__gte=GOOD_SCORE if journey.number is None else journey.number)
    recent = good.filter(at__gte=since - CHANGE_WINDOW, at__lte=at).annotate(said_at=Coalesce("changed_at", "at"))
    for answer in recent.filter(said_at__gte=since, said_at__lte=at).select_related("customer").order_by("at", "pk"):
        yield Fact(answer.customer, key=f"{name}:{answer.pk}", at=answer.said_at)


def _solved(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    name = fact_name(journey, "solved")
    cases = RecoveryCase.objects.for_store(store).filter(status=RecoveryCase.Status.SOLVED)
    for case in cases.filter(ended_at__gte=since, ended_at__lte=at).select_related("customer").order_by("pk"):
        assert case.ended_at is not None
        yield Fact(case.customer, key=f"{name}:{case.pk}", at=case.ended_at)


ORDERS = (Touch(Order, "updated_at"),)
EVENTS = (Touch(Event, "at", early=REPORTED_LATE),)
ANSWERS = (Touch(Response, "at", early=CHANGE_WINDOW),)
CASES = (Touch(RecoveryCase, "ended_at"),)
SWEEPS = (
    Sweep(Kind.CONGRATULATIONS, _nth, to_share, touches=ORDERS),
    Sweep(Kind.OWN, _placed, to_share, Trigger.ORDER, touches=ORDERS),
    Sweep(Kind.OWN, _delivered, to_share, Trigger.DELIVERED, touches=ORDERS),
    Sweep(Kind.OWN, _first, to_share, Trigger.FIRST_ORDER, touches=ORDERS),
    Sweep(Kind.OWN, _nth, to_share, Trigger.NTH_ORDER, touches=ORDERS),
    Sweep(Kind.OWN, _happened, to_share, Trigger.EVENT, touches=EVENTS),
    Sweep(Kind.OWN, _scored, to_share, Trigger.SCORE, touches=ANSWERS),
    Sweep(Kind.OWN, _solved, to_share, Trigger.SOLVED, touches=CASES),
)
