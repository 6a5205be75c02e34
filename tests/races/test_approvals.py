"""One referral, many who approve it (RELIABILITY G1). Each race has a control that drops the guard and must fail."""

from __future__ import annotations

import secrets
from collections import Counter
from datetime import timedelta
from threading import Barrier

import pytest
from django.db.models import QuerySet

from customers.models import Customer
from customers.services import OrderData, Person, record_order
from referrals.models import Referral, ReferralEvent
from referrals.services import deciding, links, programs, refunds
from referrals.services.attribution import attribute_order
from referrals.services.terms import TEN_PERCENT, OfferTerms, ProgramTerms, TierTerms
from rewards.models import Offer, Reward, Tier, Voucher
from rewards.services import granting, ledger, reducing
from stores.tenancy import acting_for
from tests.conftest import NOW, make_order_of

LATER = NOW + timedelta(days=30)
HUNDRED = OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=100_00)
JUBILEE = OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=500_00)
TERMS = ProgramTerms(
    "Race",
    TEN_PERCENT,
    [
        TierTerms(1, Tier.Gives.EACH, HUNDRED),
        TierTerms(3, Tier.Gives.ONCE, JUBILEE),
    ],
)


@pytest.fixture
def refer(committed_store, in_store):
    """`refer(3)`: an advocate's referrals of as many friends, all pending, past their hold."""

    def make(count: int) -> list[Referral]:
        programs.change_program(programs.program_of(committed_store), TERMS, by=None, at=NOW)
        advocate = make_order_of(committed_store, Person("Sara", "sara@example.com"), at=NOW).customer
        code = links.share_link_of(advocate, at=NOW).code
        found = [attribute_order(order_of_friend(code), at=NOW) for _ in range(count)]
        return list(Referral.objects.for_store(committed_store).filter(pk__in=[one.pk for one in found]).order_by("pk"))

    def order_of_friend(code):
        friend = Person("Bea", f"{secrets.token_hex(4)}@example.com")
        return make_order_of(committed_store, friend, at=NOW, code=code)

    return lambda count: in_store(lambda: make(count))


@pytest.fixture
def approve(committed_store):
    """Approve a referral in a transaction of its own; True if this call did it."""

    def run(referral: Referral, how=deciding.approve_referral) -> bool:
        with acting_for(committed_store):
            return how(Referral.objects.for_store(committed_store).get(pk=referral.pk), at=LATER)

    return run


@pytest.fixture
def books(committed_store, in_store):
    """What was given: side and amount of each reward; and the books must add up."""

    def look() -> Counter[tuple[str, int | None]]:
        assert ledger.total(committed_store) == 0
        assert ledger.drift(committed_store) == {}
        given = Reward.objects.for_store(committed_store).filter(status=Reward.Status.GRANTED)
        return Counter(given.values_list("side", "offer__amount_minor"))

    return lambda: in_store(look)


def test_twelve_approvals_of_one_referral_give_one_reward(committed_store, in_store, at_once, refer, approve, books):
    (referral,) = refer(1)
    answers = at_once(12, lambda _: approve(referral))
    assert Counter(answers) == {True: 1, False: 11}
    assert books() == {("advocate", 100_00): 1, ("friend", None): 1}
    steps = ReferralEvent.objects.for_store(committed_store).values_list("status", flat=True)
    assert in_store(lambda: list(steps.order_by("pk"))) == ["pending", "approved"]
    vouchers = Voucher.objects.for_store(committed_store).filter(kind="offer", reward__isnull=False)
    assert in_store(vouchers.count) == 1


def test_two_sweeps_at_once_approve_each_referral_once(committed_store, in_store, at_once, refer, books):
    refer(6)

    def sweep(_):
        with acting_for(committed_store):
            return deciding.approve_due(committed_store, LATER)

    assert sum(at_once(2, sweep)) == 6
    assert books() == {("advocate", 100_00): 6, ("advocate", 500_00): 1, ("friend", None): 6}


def test_friends_approved_at_once_reach_a_tier_once(committed_store, in_store, at_once, refer, approve, books):
    referrals = refer(6)
    assert at_once(6, lambda number: approve(referrals[number])) == [True] * 6
    numbers = Referral.objects.for_store(committed_store).values_list("number", flat=True)
    assert in_store(lambda: sorted(numbers)) == [1, 2, 3, 4, 5, 6]
    assert books()["advocate", 500_00] == 1


def test_a_refund_and_an_approval_at_once_leave_nothing_given(committed_store, at_once, refer, approve, books):
    for _ in range(5):
        (referral,) = refer(1)

        def void(referral, *, at):
            return deciding.void_referral(referral, reason=Referral.Reason.REFUNDED, at=at)

        ways = [deciding.approve_referral, void]
        answers = at_once(2, lambda number, referral=referral, ways=ways: approve(referral, ways[number]))
        assert answers[1] is True
        assert books() == {}


@pytest.fixture
def send_back(committed_store, in_store):
    """The shop reports that 30 % of a referral's order came back."""

    def tell(referral: Referral) -> None:
        order = referral.order
        part = order.total_minor * 3 // 10
        facts = (order.source, order.external_id, order.currency, order.total_minor, order.placed_at)
        record_order(committed_store, OrderData(*facts, refunded_minor=part), at=LATER)

    return lambda referral: in_store(lambda: tell(referral))


def left(committed_store) -> list[int]:
    """What is left of each advocate's reward."""
    rows = Reward.objects.for_store(committed_store).filter(side="advocate")
    return [reducing.left_of(reward) for reward in rows]


def test_a_refund_sweep_and_an_approval_at_once_leave_the_smaller_reward(
    committed_store, in_store, at_once, refer, approve, send_back, books
):
    for _ in range(5):
        (referral,) = refer(1)

        def sweep(referral=referral):
            send_back(referral)
            with acting_for(committed_store):
                return refunds.answer_refunds(committed_store, LATER)

        at_once(2, lambda number, referral=referral, sweep=sweep: [lambda: approve(referral), sweep][number]())
        in_store(lambda: refunds.answer_refunds(committed_store, LATER))
        assert set(in_store(lambda: left(committed_store))) <= {70_00, 350_00}
        books()


def test_many_refund_sweeps_at_once_take_it_back_once(
    committed_store, in_store, at_once, refer, approve, send_back, books
):
    (referral,) = refer(1)
    assert approve(referral)
    send_back(referral)

    def sweep(_):
        with acting_for(committed_store):
            return refunds.answer_refunds(committed_store, LATER)

    assert sum(at_once(6, sweep)) == 1
    assert in_store(lambda: left(committed_store)) == [70_00]
    books()


# -- Controls: the same race, with a guard taken away --


def test_control_without_the_advocates_lock_a_tier_is_given_twice(
    committed_store, in_store, at_once, refer, approve, books, monkeypatch
):
    first, second, *last = refer(4)
    assert approve(first)
    assert approve(second)
    count, gate = deciding._approved, Barrier(2)

    def unlocked(referral):
        return Customer.objects.get(pk=referral.advocate_id, store_id=referral.store_id)

    def counted_together(advocate):
        number = count(advocate)
        gate.wait(timeout=30)
        return number

    monkeypatch.setattr(deciding, "locked_advocate", unlocked)
    monkeypatch.setattr(deciding, "_approved", counted_together)
    assert at_once(2, lambda number: approve(last[number])) == [True, True]
    numbers = Referral.objects.for_store(committed_store).values_list("number", flat=True)
    assert in_store(lambda: sorted(numbers)) == [1, 2, 3, 3]
    assert books()["advocate", 500_00] == 2


def careless(gate, key_of):
    """What approving would be without its guards: look, then write."""

    def approve(referral, *, at):
        if referral.status != Referral.Status.PENDING:
            return False
        gate.wait(timeout=30)
        Referral.objects.for_store(referral.store).filter(pk=referral.pk).update(status="approved", decided_at=at)
        key = key_of(referral)
        for earned in granting.earned_by(granting.steps_of(referral.terms.ladder), 1, key=key, terms=referral.terms):
            granting.grant_earned(referral.advocate, earned, at=at)
        return True

    return approve


def test_control_without_guards_one_referral_is_rewarded_many_times(at_once, refer, approve, books):
    (referral,) = refer(1)
    way = careless(Barrier(12), lambda referral: f"referral:{referral.pk}:{secrets.token_hex(4)}")
    assert at_once(12, lambda _: approve(referral, way)) == [True] * 12
    assert books()["advocate", 100_00] == 12


def test_the_rewards_key_alone_stops_the_careless_way(at_once, refer, approve, books):
    (referral,) = refer(1)
    way = careless(Barrier(12), lambda referral: f"referral:{referral.pk}")
    assert at_once(12, lambda _: approve(referral, way)) == [True] * 12
    assert books()["advocate", 100_00] == 1


def test_control_without_the_lock_on_the_reward_it_is_taken_back_twice(
    committed_store, in_store, at_once, refer, approve, send_back, monkeypatch
):
    (referral,) = refer(1)
    assert approve(referral)
    send_back(referral)
    gate, fact = Barrier(2), reducing._fact

    def together(reward, part):
        gate.wait(timeout=30)
        return f"{fact(reward, part)}:{secrets.token_hex(4)}"

    monkeypatch.setattr(reducing, "_fact", together)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)

    def sweep(_):
        with acting_for(committed_store):
            return refunds.answer_refunds(committed_store, LATER)

    assert sum(at_once(2, sweep)) == 2
    assert in_store(lambda: left(committed_store)) == [40_00]
