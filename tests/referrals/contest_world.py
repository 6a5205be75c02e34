"""Contests for tests: one with two prizes and a consolation, and people who bring friends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from customers.models import Customer
from customers.services import Person
from referrals.models import Contest, Referral, Standing
from referrals.services import contests
from referrals.services.contests import ContestData, PrizeTerms
from referrals.services.leaderboards import leaderboard
from referrals.services.links import share_link_of
from referrals.services.terms import OfferTerms
from rewards.models import Offer, Reward
from stores.models import Store
from tests.conftest import NOW, make_order_of
from tests.referrals.journey_world import DAY, count, refer

START, END = NOW - 30 * DAY, NOW - 20 * DAY
SETTLED = END + 14 * DAY
FIRST = OfferTerms(Offer.Kind.GIFT_CARD, amount_minor=200_000)
SECOND = OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=50_000)
SOMETHING = OfferTerms(Offer.Kind.FIXED_OFF, amount_minor=5_000)
WEEK = ContestData("Friends’ week", START, END, [PrizeTerms(1, 1, FIRST), PrizeTerms(2, 3, SECOND)], SOMETHING)


def make(store: Store, *, announced: bool = True, **changes) -> Contest:
    """Friends' week, announced a day before it begins."""
    early = changes.get("starts_at", START) - DAY
    contest = contests.make_contest(store, replace(WEEK, **changes), by=None, at=early)
    if announced:
        assert contests.announce(contest, by=None, at=early)
    return contest


def advocate(store: Store, name: str) -> Customer:
    """A customer who can bring friends."""
    address = f"{name.lower().replace(' ', '.')}@example.com"
    return make_order_of(store, Person(name=name, email=address), at=START - 100 * DAY).customer


def brings(customer: Customer, *friends: str, at: datetime = START + DAY, counted: bool = True) -> list[Referral]:
    """Friends of the customer's who buy, a minute after each other; by default they have counted."""
    link = share_link_of(customer, at=START - 50 * DAY)
    found = [refer(link, name, at=at + number * DAY / 1440) for number, name in enumerate(friends)]
    return [count(one, at=END + DAY) for one in found] if counted else found


def board(contest: Contest, at: datetime = END, **options) -> list[tuple[int, str, int, int]]:
    """(place, name, counted, waiting) of everybody."""
    rows = leaderboard(contest, at, **options)
    return [(row.place, row.customer.name, row.friends, row.waiting) for row in rows]


def close(contest: Contest, at: datetime = SETTLED) -> bool:
    """Close it as the sweep does."""
    fresh = Contest.objects.select_related("store", "consolation").get(pk=contest.pk, store_id=contest.store_id)
    return contests.close_contest(fresh, by=None, at=at)


def written(contest: Contest) -> list[tuple[int, str, int]]:
    """(place, name, friends) as written down."""
    rows = Standing.objects.for_store(contest.store).filter(contest=contest).select_related("customer")
    return [(row.place, row.customer.name, row.friends) for row in rows.order_by("place")]


def prizes(store: Store) -> list[tuple[str, str, int]]:
    """(name, kind, amount) of every reward that is for neither side of a referral."""
    rows = Reward.objects.for_store(store).filter(side=Reward.Side.CUSTOMER).select_related("customer", "offer")
    return [(one.customer.name, one.offer.kind, one.amount_minor) for one in rows.order_by("pk")]
