"""What owners see about the counter."""

from __future__ import annotations

from datetime import timedelta

import pytest

from customers.models import Customer
from referrals.fraud import counter
from referrals.services.terms import TEN_PERCENT, make_offer
from rewards.models import Redemption, Voucher
from stores.models import AuditEvent, Location, Role
from stores.tenancy import acting_for
from tests.conftest import NOW, make_order_of
from tests.referrals.fraud.world import token

MINUTE = timedelta(minutes=1)


@pytest.fixture
def redeem(store):
    """A function that writes redemptions down: by whom, of whose voucher, on which order, undone or not."""

    offer = make_offer(store, TEN_PERCENT)

    def run(by, count=1, *, customer: Customer | None = None, source="pos", undone=False, location=None):
        for _ in range(count):
            voucher = Voucher.objects.create(
                store=store, code=token().upper(), key=token(), offer=offer, customer=customer, currency="PHP",
                issued_at=NOW,
            )  # fmt: skip
            order = make_order_of(store, None, at=NOW, source=source) if source else None
            Redemption.objects.create(
                store=store, voucher=voucher, order=order, by=by, location=location, currency="PHP",
                amount_minor=100, discount_minor=10, at=NOW, reversed_at=NOW + MINUTE if undone else None,
            )  # fmt: skip

    return run


@pytest.fixture
def crew(make_user, store):
    """Two people at the counter."""
    return make_user(Role.STAFF, store), make_user(Role.STAFF, store)


def titles(store):
    return [one.title for one in counter.oddities(store, NOW + MINUTE)]


def test_an_ordinary_counter_is_not_odd(store, redeem, crew):
    for one in crew:
        redeem(one, 6)
        redeem(one, 1, undone=True)
    assert titles(store) == []


def test_own_codes_are_listed(store, crew):
    AuditEvent.objects.create(store=store, at=NOW, user=crew[0], action="checkout.own_code", subject="x")
    (one,) = counter.oddities(store, NOW)
    assert (one.title, one.who, one.last) == ("Own code", str(crew[0]), NOW)


def test_one_cashier_and_one_customer_again_and_again(store, redeem, crew, make_customer):
    sara = make_customer()
    redeem(crew[0], 5, customer=sara)
    redeem(crew[1], 1)
    (one,) = counter.oddities(store, NOW + MINUTE)
    assert (one.title, one.customer) == ("Often for the same customer", sara)
    assert one.words == "Redeemed 5 of the 5 codes of one customer."


def test_a_customer_whom_everybody_serves_is_a_regular(store, redeem, crew, make_customer):
    sara = make_customer()
    redeem(crew[0], 5, customer=sara)
    redeem(crew[1], 4, customer=sara)
    assert titles(store) == []


def test_who_undoes_far_more_than_others(store, redeem, crew):
    redeem(crew[0], 12, undone=True)
    redeem(crew[1], 40)
    assert titles(store) == ["Undone soon after"]


def test_redemptions_without_a_sale(store, redeem, crew):
    redeem(crew[0], 12, source="checkout")
    redeem(crew[0], 2, source="")
    redeem(crew[1], 40)
    assert titles(store) == ["Without a sale of the till"]


def test_where_no_till_reports_nobody_is_odd(store, redeem, crew):
    redeem(crew[0], 12, source="checkout")
    redeem(crew[1], 12, source="checkout")
    assert titles(store) == []


def test_a_place_with_far_more_codes_than_others(store, redeem, crew):
    here, there = (Location.objects.create(store=store, code=name, name=name.title()) for name in ("here", "there"))
    for place, sales in ((here, 20), (there, 60)):
        for _ in range(sales):
            make_order_of(store, None, at=NOW, location=place.code)
    redeem(crew[0], 15, location=here)
    redeem(crew[1], 5, location=there)
    (one,) = counter.oddities(store, NOW + MINUTE)
    assert (one.title, one.who) == ("A place with many codes", "Here")


def test_it_asks_as_much_for_much_as_for_little(store, redeem, crew, make_customer, django_assert_num_queries):
    for times in (1, 4):
        for _ in range(times):
            redeem(crew[0], 5, customer=make_customer(email=f"{token()}@example.com"))
        with django_assert_num_queries(7):
            counter.oddities(store, NOW + MINUTE)


def test_another_stores_counter_is_theirs(store, other_store, redeem, crew):
    redeem(crew[0], 12, undone=True)
    redeem(crew[1], 40)
    with acting_for(other_store):
        assert counter.oddities(other_store, NOW + MINUTE) == []
