"""Advice from the store's own orders; every number here is worked out by hand."""

from dataclasses import replace

import pytest

from referrals.advice import advise, cost_of, first_orders, may_cost, sales_of
from referrals.services.terms import OfferTerms
from rewards.models import Offer
from tests.conftest import NOW, Person, make_order_of
from tests.referrals.program_world import CASH, CREDIT, FIXED, ONCE, PERCENT

Kind = Offer.Kind
TEN = OfferTerms(Kind.PERCENT_OFF, percent=10)


@pytest.fixture
def sales(make_order):
    """Four orders of the last month: 1,000, 2,000, 3,000 of new customers and 2,000 of one who came back."""
    for name, total, facts in (
        ("a", 100_000, {}),
        ("b", 200_000, {"days_ago": 20}),
        ("b", 200_000, {"days_ago": 5}),
        ("c", 300_000, {"refunded_minor": 80_000}),
    ):
        make_order(f"{name}@example.com", total_minor=total, **facts)


def test_the_stores_sales_are_measured(store, sales):
    found = sales_of(store, NOW)
    assert (found.average_minor, found.sold_minor, found.back_minor) == (200_000, 800_000, 80_000)
    assert (found.first_orders, found.first_minor) == (3, 600_000)
    assert found.return_rate == 0.1


def test_what_was_cancelled_came_back_whole(store, sales, make_order):
    make_order("d@example.com", total_minor=200_000, cancelled_at=NOW)
    found = sales_of(store, NOW)
    assert (found.sold_minor, found.back_minor) == (1_000_000, 280_000)
    assert found.first_orders == 3


def test_orders_of_another_time_do_not_count(store, sales, make_order):
    make_order("old@example.com", total_minor=900_000, days_ago=400)
    make_order("old@example.com", total_minor=100_000, days_ago=3)  # came back: not a first purchase
    found = sales_of(store, NOW)
    assert found.sold_minor == 900_000
    assert found.first_orders == 3
    assert sales_of(store, NOW - 30 * (NOW - NOW.replace(day=19))).first_orders == 0


def test_without_orders_there_is_no_advice(store):
    assert advise(TEN, FIXED, store, NOW) == []


@pytest.mark.parametrize(
    ("offer", "bill", "cost"),
    [
        (TEN, 200_000, 20_000),
        (PERCENT, 200_000, 40_000),
        (PERCENT, 400_000, 50_000),  # its cap
        (PERCENT, 9_999, 0),  # below its smallest bill
        (FIXED, 5_000, 5_000),  # no more than the bill
        (CREDIT, 5_000, 10_050),
        (ONCE, 200_000, 10_000),
        (None, 200_000, 0),
    ],
)
def test_what_an_offer_costs_on_a_bill(offer, bill, cost):
    assert cost_of(offer, bill) == cost


def test_what_a_friend_may_cost():
    """Of 2,000 at a margin of 40 % and a tenth sent back, 720 are left."""
    assert may_cost(200_000, 40, 0.1) == 72_000


def test_the_advice_in_words(store, sales):
    kind, cost, month = advise(TEN, CASH, store, NOW, margin=40)
    assert "₱200 off costs you about the same as 10%" in kind.text
    # 200 off for the friend and 50 in cash of 720.
    assert "leaves you ₱720 before rewards and costs about ₱250: ₱470 stay with you" in cost.text
    assert ("Sent back or cancelled, of what you sold in a year", "10%") in cost.numbers
    # A tenth of 6,000, and three times 50 in cash.
    assert "3 new customers bought for ₱6,000" in month.text
    assert "would have cost ₱750" in month.text
    assert month.numbers[2][1] == "12.5%"


def test_too_dear_a_gift_is_said(store, sales):
    _kind, cost, _month = advise(TEN, replace(CASH, amount_minor=100_000), store, NOW, margin=40)
    assert "the first purchase is ₱480 short" in cost.text


def test_without_a_margin_only_the_cost_is_said(store, sales):
    assert "costs you about ₱250" in advise(TEN, CASH, store, NOW)[1].text


def test_a_percentage_is_advised_for_cheap_goods(store, make_order):
    make_order(total_minor=8_000)
    text = advise(OfferTerms(Kind.FIXED_OFF, amount_minor=2_000), None, store, NOW)[0].text
    assert "25% off costs you about the same" in text


@pytest.mark.parametrize("offer", [TEN, PERCENT, FIXED, CREDIT, ONCE, CASH], ids=lambda offer: str(offer.kind))
def test_the_database_reckons_as_we_do(store, sales, offer):
    """Each first purchase by hand against the sum the database gives."""
    by_hand = sum(cost_of(offer, total) for total in first_orders(store, NOW).values_list("total_minor", flat=True))
    month = advise(offer, None, store, NOW)[2]
    assert month.numbers[0][1] == f"₱{by_hand / 100:,.2f}".removesuffix(".00")


def test_its_queries_do_not_grow(store, sales, django_assert_num_queries):
    with django_assert_num_queries(4):
        advise(TEN, CASH, store, NOW, margin=40)
    for number in range(20):
        make_order_of(store, Person("Nia", f"n{number}@example.com"), at=NOW)
    with django_assert_num_queries(4):
        advise(TEN, CASH, store, NOW, margin=40)
