"""A store in which stories of referrals are played through the real services, and what the checks make of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from customers import particulars
from customers.models import Customer, Order
from customers.services import Line, OrderData, Person, find_or_create_customer, record_order, record_orders
from referrals.models import Referral, ShareLink, Signal
from referrals.services import attribution, claims, deciding, devices, links
from stores.models import Store
from tests.conftest import NOW

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
USUAL_MINOR = 150_000
LINES = (Line("MUG-1", "Mug", "kitchen", 1, USUAL_MINOR),)


def token() -> str:
    """Something nobody else has: a name, a cookie, a card."""
    return secrets.token_hex(8)


@dataclass(frozen=True)
class Side:
    """What one of the two people is like; '' is nothing."""

    name: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""
    device: str = ""
    card: str = ""
    network: str = ""


@dataclass(frozen=True)
class Story:
    """How a friend came and bought. What is left as it is makes an honest customer of them."""

    advocate: Side = field(default_factory=Side)
    friend: Side = field(default_factory=Side)
    known_for: timedelta = 300 * DAY  # how long the advocate is a customer
    link_for: timedelta = 30 * DAY
    claimed_for: timedelta | None = 2 * DAY  # before the purchase; None: by the code alone
    total_minor: int = USUAL_MINOR
    friends_before: int = 0  # of the same advocate, on the same day
    same_device_before: int = 0  # of those, how many took the gift on this friend's device
    same_card_before: int = 0
    same_network_before: int = 0
    twin: str = ""  # the e-mail of a customer who was there before
    returned_before: int = 0
    referrer: str = ""
    ring: int = 0


def usual_orders(store: Store, count: int = 200) -> None:
    """A past from which one can tell what is usual: orders of 1,000 to 2,000."""
    orders = [
        OrderData(
            source="api",
            external_id=f"past-{number}",
            currency=store.currency,
            total_minor=100_000 + 500 * (number % 200),
            placed_at=NOW - 60 * DAY,
            person=Person("Somebody", f"past{number}@example.com"),
        )
        for number in range(count)
    ]
    record_orders(store, orders, at=NOW - 60 * DAY)


def play(store: Store, story: Story, at: datetime = NOW) -> Referral:
    """Let it happen; the referral as the checks left it."""
    story = filled(story)
    link = _advocate(store, story, at)
    for number in range(story.friends_before):
        _friend_before(store, link, story, number, at)
    for _ in range(story.returned_before):
        _returned(store, link, at)
    if story.referrer:
        links.record_visit(link, visitor=token(), is_bot=False, at=at - 3 * DAY, referrer=story.referrer)
    if story.twin:
        _person(store, Side(name="Twin Twinson", email=story.twin), at - 100 * DAY)
    return _ring(store, link, story, at) if story.ring else _come(store, link, story, at)


def filled(story: Story) -> Story:
    """The story with names and addresses of their own for what it does not tell."""
    return replace(story, advocate=_filled(story.advocate), friend=_filled(story.friend))


def _filled(side: Side) -> Side:
    known = {"name": f"{token()} {token()}", "email": f"{token()}@example.com", "device": token(), "network": token()}
    return replace(side, **{name: value for name, value in known.items() if not getattr(side, name)})


def _advocate(store: Store, story: Story, at: datetime) -> ShareLink:
    side, known = story.advocate, at - story.known_for
    customer = _person(store, side, known)
    link = links.share_link_of(customer, at=max(at - story.link_for, known))
    devices.note_device(customer, devices.hashed(store, side.device), at=at)
    if side.card:
        _order(store, side, at - HOUR, card=side.card)
    return link


def _person(store: Store, side: Side, at: datetime) -> Customer:
    person = Person(side.name, side.email, side.phone)
    customer = find_or_create_customer(store, person, at=at, source="test")
    if side.address:
        particulars.change(customer, birthday=None, time_zone="", postal_address=side.address)
    return customer


def _order(
    store: Store, side: Side, at: datetime, *, total: int = USUAL_MINOR, code: str = "", card: str = ""
) -> Order:
    data = OrderData(
        source="api",
        external_id=token(),
        currency=store.currency,
        total_minor=total,
        placed_at=at,
        code=code,
        card_hash=card,
        person=Person(side.name, side.email, side.phone),
        lines=LINES,
    )
    return record_order(store, data, at=at)[0]


def _come(store: Store, link: ShareLink, story: Story, at: datetime) -> Referral:
    """The friend takes the gift, or says the code, and buys."""
    friend = story.friend
    if friend.address:
        _person(store, friend, at - (story.claimed_for or timedelta()))
    if story.claimed_for is not None:
        with suppress(claims.NotForThem):  # the landing page turns them away; they try with the code
            _take(store, link, friend, at - story.claimed_for)
    order = _order(store, friend, at, total=story.total_minor, code=link.code, card=friend.card)
    referral = attribution.attribute_order(order, at=at)
    assert referral is not None
    return referral


def _take(store: Store, link: ShareLink, side: Side, at: datetime) -> None:
    trace = claims.Trace(devices.hashed(store, side.device), devices.hashed(store, side.network))
    claims.claim(link, Person(side.name, side.email, side.phone), at=at, trace=trace)


def _friend_before(store: Store, link: ShareLink, story: Story, number: int, at: datetime) -> None:
    side = _filled(Side(card=story.friend.card if number < story.same_card_before else ""))
    if number < story.same_device_before:
        side = replace(side, device=story.friend.device)
    if number < story.same_network_before:
        side = replace(side, network=story.friend.network)
    _take(store, link, side, at - 3 * HOUR)
    order = _order(store, side, at - HOUR, code=link.code, card=side.card)
    assert attribution.attribute_order(order, at=at - HOUR)


def _returned(store: Store, link: ShareLink, at: datetime) -> None:
    """An earlier friend's purchase counted, and was returned then."""
    order = _order(store, _filled(Side()), at - 40 * DAY, code=link.code)
    referral = attribution.attribute_order(order, at=at - 40 * DAY)
    assert referral is not None
    whole = Referral.objects.select_related(*deciding.JOINED).get(pk=referral.pk, store_id=store.pk)
    assert deciding.approve_referral(whole, at=at - 20 * DAY, by_hand=True)
    assert deciding.void_referral(whole, reason=Referral.Reason.REFUNDED, at=at - 10 * DAY)


def _ring(store: Store, link: ShareLink, story: Story, at: datetime) -> Referral:
    """The advocate's friend sends a friend ... who sends the advocate; the last step is the story's."""
    last = link
    for step in range(story.ring - 1):
        side = _filled(Side())
        order = _order(store, side, at - (20 - step) * DAY, code=last.code)
        assert attribution.attribute_order(order, at=at - (20 - step) * DAY)
        customer = find_or_create_customer(store, Person(email=side.email), at=at, source="test")
        last = links.share_link_of(customer, at=at - (20 - step) * DAY)
    advocate = link.customer
    order = _order(store, Side(advocate.name, advocate.email), at, total=story.total_minor, code=last.code)
    referral = attribution.attribute_order(order, at=at)
    assert referral is not None
    return referral


def outcome(referral: Referral) -> str:
    """What the checks let happen: allow, hold or refuse."""
    return {"pending": "allow", "flagged": "hold", "voided": "refuse"}[referral.status]


def signals_of(referral: Referral) -> set[str]:
    """The names of its signals."""
    rows = Signal.objects.for_store(referral.store).filter(referral=referral)
    return set(rows.values_list("name", flat=True))


Change = Callable[[Story], Story]


def both(story: Story, **values: str) -> Story:
    """Advocate and friend have this in common."""
    return replace(story, advocate=replace(story.advocate, **values), friend=replace(story.friend, **values))
