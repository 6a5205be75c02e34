"""Rows for the reports' tests, written from plain facts: who was asked how, who looked, who bought, where."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.utils import timezone

from customers.models import Customer, Order
from outreach.models import Message
from referrals.models import Claim, Referral, ShareLink, Visit
from referrals.services.links import share_link_of
from referrals.services.programs import program_of
from stores.codes import public_id
from stores.models import Location, Store
from surveys.models import Response
from tests.conftest import NOW

DAY = timedelta(days=1)


def people(store: Store, count: int) -> list[Customer]:
    """So many customers."""
    return [Customer.objects.create(store=store, name=f"Person {number}") for number in range(count)]


def purchase(store: Store, buyer: Customer | None, at: datetime, total: int = 1000, **facts) -> Order:
    """An order, as it stands."""
    values = {"currency": "PHP", "source": "t", "external_id": secrets.token_hex(8), "public_id": public_id(), **facts}
    return Order.objects.create(store=store, customer=buyer, placed_at=at, total_minor=total, **values)


def ask(store: Store, who: Customer, at: datetime, way: str) -> None:
    """Somebody was asked: by a message of that way, or ("page") right after their answer."""
    if way == "page":
        Response.objects.create(store=store, customer=who, score=10, at=at, ask_shown_at=at)
        return
    key = secrets.token_hex(8)
    Message.objects.create(store=store, customer=who, kind="ask", key=key, status="sent", channel=way, due_at=at)


def look(link: ShareLink, visitor: str, at: datetime) -> None:
    """Somebody opened a link."""
    Visit.objects.create(store=link.store, link=link, visitor=visitor, hour=at, at=at)


def take(link: ShareLink, friend: Customer, at: datetime) -> None:
    """A friend took the gift."""
    program = program_of(link.store)
    Claim.objects.create(
        store=link.store,
        link=link,
        friend=friend,
        program=program,
        terms=program.terms,
        at=at,
        expires_at=at + 30 * DAY,
    )


def credit(link: ShareLink, friend: Customer | None, order: Order, status: str = "approved", **facts) -> Referral:
    """A friend's purchase credited to the link's owner."""
    program = program_of(link.store)
    values = {"evidence": "code", "created_at": order.placed_at, "hold_until": order.placed_at, **facts}
    return Referral.objects.create(
        store=link.store, program=program, terms=program.terms, advocate=link.customer, friend=friend, order=order,
        link=link, status=status, **values,
    )  # fmt: skip


def links_of(people: list[Customer]) -> list[ShareLink]:
    """The share link of each."""
    return [share_link_of(one, at=NOW - 400 * DAY) for one in people]


def branches(store: Store) -> list[Location | None]:
    """Two branches, and nowhere."""
    return [None, *(Location.objects.create(store=store, code=code, name=code.title()) for code in ("makati", "cebu"))]


def grow(store: Store) -> None:
    """Ten times as much of everything."""
    at = timezone.now() - 3 * DAY
    places = [Location.objects.create(store=store, code=f"b{number}", name=f"B{number}") for number in range(10)]
    persons = people(store, 30)
    for number, link in enumerate(links_of(persons)):
        ask(store, persons[number], at, "email" if number % 2 else "page")
        look(link, f"v{number}", at)
        friend = Customer.objects.create(store=store, name="Friend")
        take(link, friend, at)
        credit(link, friend, purchase(store, friend, at, location=places[number % len(places)]))
