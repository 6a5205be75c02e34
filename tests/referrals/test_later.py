"""A friend's later purchases: commission to who sent them, a ladder of the friend's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Order
from customers.services import OrderData, Person, cancel_order, record_order
from referrals import rules
from referrals.models import Referral
from referrals.services import deciding, later, programs, refunds
from referrals.services.terms import Crediting, OfferTerms, ProgramTerms, TierTerms
from rewards.models import Offer, Reward, Terms, Tier
from rewards.services import recounting
from tests.conftest import NOW, make_order_of
from tests.referrals.journey_world import DAY, LONG_AGO, count, refer
from tests.rewards.books_world import balances, budget_of

pytestmark = pytest.mark.django_db
TEN = OfferTerms(Offer.Kind.COMMISSION, percent=10, months=3)
COFFEE = OfferTerms(Offer.Kind.FIXED_OFF, amount_minor=300)
BASE = ProgramTerms("Later", COFFEE, [TierTerms(1, Tier.Gives.EACH, TEN)], hold_days=10)


@pytest.fixture
def terms(store):
    """Put other terms in force."""

    def change(**changes) -> None:
        programs.change_program(programs.program_of(store), replace(BASE, **changes), by=None, at=LONG_AGO)

    change()
    return change


@pytest.fixture
def referral(share_link, terms) -> Referral:
    return count(refer(share_link, total_minor=1000), at=NOW)


@pytest.fixture
def buy(store):
    """The friend buys again, so many days later."""

    def order(days: float, total: int = 2000, name: str = "Bea Cruz", **facts) -> Order:
        at = NOW + timedelta(days=days)
        email = f"{name.lower().replace(' ', '.')}@example.com"
        return make_order_of(store, Person(name, email), at=at, total_minor=total, **facts)

    return order


def sweep(store, days: float, *, since=LONG_AGO) -> int:
    return later.reward_later(store, NOW + timedelta(days=days), since=since)


def send_back(order: Order, minor: int, *, at) -> None:
    told = OrderData(
        order.source, order.external_id, order.currency, order.total_minor, order.placed_at, refunded_minor=minor
    )
    record_order(order.store, told, at=at)


def keys(store, **which) -> list[str]:
    rows = Reward.objects.for_store(store).filter(key__contains=":order:", **which)
    return list(rows.order_by("pk").values_list("key", flat=True))


class TestCommission:
    def test_once_an_order_after_its_hold(self, store, referral, buy, share_link):
        order = buy(20)
        assert sweep(store, 29) == 0
        assert sweep(store, 30) == 1
        assert sweep(store, 31) == 0
        reward = Reward.objects.for_store(store).get(key=f"referral:{referral.pk}:order:{order.pk}")
        assert (reward.amount_minor, reward.customer) == (200, share_link.customer)
        assert balances(store)["payable"] == 100 + 200
        assert recounting.problems(store) == []

    def test_the_sweep_looks_a_day_back_and_the_night_at_all(self, store, referral, buy):
        buy(20)
        at = NOW + 32 * DAY
        assert later.reward_later(store, at) == 0
        assert later.reward_later(store, at - DAY - timedelta(hours=1)) == 1
        buy(10)
        assert later.reward_later(store, at, since=LONG_AGO) == 1

    @pytest.mark.parametrize(("months", "days", "paid"), [(3, 80, 1), (3, 95, 0), (None, 400, 1), (0, 20, 0)])
    def test_for_months_or_always(self, store, share_link, terms, buy, months, days, paid):
        terms(tiers=[TierTerms(1, Tier.Gives.EACH, replace(TEN, months=months))])
        count(refer(share_link, total_minor=1000), at=NOW)
        buy(days)
        assert sweep(store, days + 11) == paid

    def test_not_of_what_was_cancelled_nor_of_somebody_else(self, store, referral, buy):
        cancel_order(buy(20), at=NOW + 21 * DAY)
        buy(20, name="Cora Diaz")
        assert sweep(store, 40) == 0

    def test_not_before_the_referral_counts_nor_after_it_was_voided(self, store, share_link, terms, buy):
        referral = refer(share_link, total_minor=1000)
        buy(5)
        assert sweep(store, 20) == 0
        referral = count(referral, at=NOW + 20 * DAY)
        assert sweep(store, 20) == 1
        buy(21)
        deciding.void_referral(referral, reason=Referral.Reason.STAFF, at=NOW + 30 * DAY)
        assert sweep(store, 40) == 0
        assert keys(store, status="granted") == []
        assert balances(store).get("payable", 0) == 0

    def test_a_refund_reduces_and_a_full_one_takes_back(self, store, referral, buy):
        order = buy(20)
        sweep(store, 31)
        at = NOW + 32 * DAY
        send_back(order, 500, at=at)
        assert refunds.answer_refunds(store, at) == 1
        assert refunds.answer_refunds(store, at) == 0
        assert balances(store)["payable"] == 100 + 150
        send_back(order, 2000, at=at)
        assert refunds.answer_refunds(store, at) == 1
        assert balances(store)["payable"] == 100

    @pytest.mark.parametrize(("rule", "paid"), [("keep", 200), ("proportion", 150), ("take_back", 0)])
    @pytest.mark.parametrize("is_before", [True, False])
    def test_by_rule_whether_it_came_back_before_or_after(self, store, share_link, terms, buy, rule, paid, is_before):
        terms(crediting=Crediting(refund=Terms.Refund(rule)))
        count(refer(share_link, total_minor=1000), at=NOW)
        order = buy(20)
        if is_before:
            send_back(order, 500, at=NOW + 21 * DAY)
        sweep(store, 31)
        send_back(order, 500, at=NOW + 31 * DAY)
        refunds.answer_refunds(store, NOW + 31 * DAY)
        assert balances(store)["payable"] == 100 + paid

    def test_without_room_the_history_says_so_and_it_is_tried_again(self, store, share_link, terms, buy):
        terms(ceiling_minor=20_000)
        referral = count(refer(share_link, total_minor=1000), at=NOW)
        buy(20, total=1_000_000)
        assert sweep(store, 31) == 0
        assert sweep(store, 31) == 0
        assert referral.events.filter(status="approved", reason="full").count() == 1
        budget = budget_of(store)
        budget.ceiling_minor = 1_000_000
        budget.save()
        assert sweep(store, 32) == 1
        assert balances(store)["payable"] == 100 + 100_000

    def test_queries_do_not_grow_with_what_was_granted(self, store, share_link, terms, buy):
        def look() -> int:
            with CaptureQueriesContext(connection) as seen:
                assert sweep(store, 60) == 0
            return len(seen)

        for name in ("Ada A", "Ben B", "Cia C"):
            count(refer(share_link, name, total_minor=1000), at=NOW)
        buy(20, name="Ada A")
        sweep(store, 60)
        before = look()
        for name in ("Ada A", "Ben B", "Cia C"):
            buy(22, name=name)
        assert sweep(store, 60) == 3
        assert look() == before <= 7

    def test_a_store_without_such_terms_is_one_query(self, store):
        with CaptureQueriesContext(connection) as seen:
            assert later.reward_later(store, NOW) == 0
        assert len(seen) == 1


class TestLadder:
    @pytest.fixture
    def climbing(self, share_link, terms) -> Referral:
        steps = [
            TierTerms(3, Tier.Gives.ONCE, COFFEE),
            TierTerms(2, Tier.Gives.EVERY, replace(COFFEE, amount_minor=50)),
        ]
        terms(tiers=[TierTerms(1, Tier.Gives.EACH, replace(TEN, months=0))], friend_tiers=steps)
        return count(refer(share_link, total_minor=1000), at=NOW)

    def given(self, store) -> list[int]:
        rows = Reward.objects.for_store(store).filter(side="friend", key__contains=":order:", status="granted")
        return list(rows.order_by("granted_at", "pk").values_list("amount_minor", flat=True))

    def test_the_friend_is_rewarded_by_their_own_purchases(self, store, climbing, buy):
        for days in (20, 30, 40):
            buy(days)
        assert sweep(store, 60) == 3
        assert sweep(store, 60) == 0
        assert self.given(store) == [50, 300, 50]  # the 2nd, the 3rd, the 4th

    def test_a_purchase_that_comes_back_takes_its_step_along(self, store, climbing, buy):
        orders = [buy(days) for days in (20, 30)]
        sweep(store, 60)
        assert self.given(store) == [50, 300]
        send_back(orders[0], 2000, at=NOW + 60 * DAY)
        assert refunds.answer_refunds(store, NOW + 60 * DAY) >= 2
        assert self.given(store) == []
        assert recounting.problems(store) == []

    def test_an_older_purchase_told_late_gives_no_step_twice(self, store, climbing, buy):
        for days in (20, 30):
            buy(days)
        sweep(store, 60)
        buy(10)
        sweep(store, 60)
        assert sorted(self.given(store)) == [50, 50, 300]


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [("2026-01-31", 1, "2026-02-28"), ("2026-11-15", 3, "2027-02-15"), ("2024-02-29", 12, "2025-02-28")],
)
def test_months_after(start, months, end):
    first = NOW.fromisoformat(f"{start}T10:00:00+00:00")
    assert rules.months_after(first, months).date().isoformat() == end
