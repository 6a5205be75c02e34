"""Messages on a day of the person's own, and to those who stayed away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, Min, OuterRef, Q

from customers.models import Customer, Order
from customers.queries import HERE
from outreach.kinds import Kind, Trigger
from outreach.models import Journey
from outreach.quiet import is_zone
from outreach.starting import Fact
from outreach.sweeping import Sweep, Touch, fact_name
from referrals import days
from referrals.services.values import to_share
from stores.models import Store

LATEST = timedelta(hours=12)  # what is due so late that its day is over by then is still good for so long


def _birthdays(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    """Birthdays that began after `since`, by the clock where the person lives."""
    dates = list(days.dates_between(since, at))
    born = Q()
    for month, day in {pair for on in dates for pair in days.days_of(on)}:
        born |= Q(birth_month=month, birth_day=day)
    for person in Customer.objects.for_store(store).filter(HERE, born).order_by("pk"):
        for on in dates:
            if (person.birth_month, person.birth_day) in days.days_of(on):
                yield from _on_the_day(store, journey, person, "birthday", on, since, at)


def _anniversaries(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    """Days on which somebody first bought here, years ago, by the clock where the person lives.

    Nobody is reminded of a first purchase that never arrived.
    """
    dates = list(days.dates_between(since, at))
    earlier = Order.objects.standing().filter(
        store=OuterRef("store"), customer=OuterRef("customer"), placed_at__lt=OuterRef("placed_at")
    )
    spans = _years_before(store, dates)
    if not spans:
        return
    orders = Order.objects.for_store(store).standing().exclude(customer=None)
    first = orders.filter(spans, _arrived(store)).exclude(Exists(earlier))
    for order in first.select_related("customer").order_by("pk"):
        began = order.placed_at.astimezone(zone_of(store, order.customer)).date()
        for on in dates:
            if on.year > began.year and (began.month, began.day) in days.days_of(on):
                yield from _on_the_day(store, journey, order.customer, "anniversary", on, since, at)


def _years_before(store: Store, dates: list[date]) -> Q:
    """The same days of every earlier year in which the store has sold something."""
    oldest = Order.objects.for_store(store).aggregate(oldest=Min("placed_at"))["oldest"]
    spans = Q()
    for back in range(1, dates[-1].year - oldest.year + 2) if oldest else ():
        start = days.kept_on(dates[0].month, dates[0].day, dates[0].year - back)
        # A day more at both ends: for zones, and for the 29th of February.
        begin = days.starts_at(start, ZoneInfo("UTC")) - days.DAY
        spans |= Q(placed_at__gte=begin, placed_at__lt=begin + (len(dates) + 3) * days.DAY)
    return spans


def _on_the_day(
    store: Store, journey: Journey, person: Customer, what: str, on: date, since: datetime, at: datetime
) -> Iterator[Fact]:
    """The fact of a day that began after `since`; its message is harm once the day is over."""
    zone = zone_of(store, person)
    start = days.starts_at(on, zone)
    if since < start <= at:
        due = days.clock(on, journey.wait, zone)
        yield Fact(
            person,
            key=f"{fact_name(journey, what)}:{person.pk}:{on.year}",
            at=start,
            due_at=due,
            not_after=max(days.starts_at(on + days.DAY, zone), due + LATEST),
        )


def zone_of(store: Store, person: Customer) -> ZoneInfo:
    """Where the person's clock ticks, if they said so; else the store's."""
    return ZoneInfo(person.time_zone) if is_zone(person.time_zone) else store.zone


def _away(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    """The last purchase is as long ago as the journey waits.

    Who still waits for that purchase to arrive has not stayed away, and who sent it back is not missed.
    """
    name = fact_name(journey, "away")
    later = Order.objects.filter(
        store=OuterRef("store"), customer=OuterRef("customer"), placed_at__gt=OuterRef("placed_at")
    )
    orders = Order.objects.for_store(store).standing().exclude(customer=None)
    last = orders.filter(placed_at__gt=since - journey.wait, placed_at__lte=at - journey.wait).exclude(Exists(later))
    for order in last.filter(_arrived(store)).select_related("customer").order_by("placed_at", "pk"):
        moment = order.placed_at + journey.wait
        yield Fact(
            order.customer,
            key=f"{name}:{order.customer_id}:{order.placed_at:%Y-%m-%d}",
            at=moment,
            due_at=moment,
            about=f"away:{order.customer_id}",
        )


def _arrived(store: Store) -> Q:
    """Orders that are in their buyer's hands."""
    return ~Q(delivered_at=None) | ~Q(location=None) if store.delivers else Q()


A_WAIT_AGO = (Touch(Order, "placed_at", shift=-1),)
SWEEPS = (
    Sweep(Kind.BIRTHDAY, _birthdays),
    Sweep(Kind.WELCOME_BACK, _away, touches=A_WAIT_AGO, when_due=True),
    Sweep(Kind.OWN, _birthdays, to_share, Trigger.BIRTHDAY),
    Sweep(Kind.OWN, _anniversaries, to_share, Trigger.ANNIVERSARY),
    Sweep(Kind.OWN, _away, to_share, Trigger.AWAY, touches=A_WAIT_AGO, when_due=True),
)
