"""The second level from end to end: who sent the advocate earns by the friend's friend, as long as that stands."""

from __future__ import annotations

import pytest

from customers.services import OrderData, Person, record_order
from referrals.models import Referral
from referrals.services import attribution, deciding, later, programs, refunds
from referrals.services.links import share_link_of
from referrals.services.terms import OfferTerms, TierTerms
from rewards.models import Offer, Reward, Tier
from rewards.services import recounting, reducing
from tests.conftest import NOW
from tests.referrals.journey_world import DAY, LONG_AGO
from tests.referrals.program_world import CREDIT, FIXED, terms_with
from tests.rewards.books_world import balances, budget_of

CASH = OfferTerms(Offer.Kind.CASH, amount_minor=10_000)
COMMISSION = OfferTerms(Offer.Kind.COMMISSION, percent=5, months=None, most_minor=50_000)
KINDS = [CASH, COMMISSION]


@pytest.fixture(params=KINDS, ids=lambda offer: offer.kind)
def second(request, store):
    """What the second level earns: 100.00, or 5 % of 2,000.00, which is the same."""
    tiers = [TierTerms(1, Tier.Gives.EACH, CREDIT)]
    terms = terms_with(friend=FIXED, tiers=tiers, second=request.param, hold_days=10, ceiling_minor=10_000_000)
    programs.change_program(programs.program_of(store), terms, by=None, at=LONG_AGO)
    return request.param


def tell(store, name, code, *, at, number="1", **facts):
    """The shop reports a purchase of 2,000.00 by somebody with a code."""
    order = OrderData(
        "shop", f"{name}-{number}", "PHP", 200_000, NOW, code=code, person=Person(name, f"{name}@example.com"), **facts
    )
    return record_order(store, order, at=at)[0].customer


def sweep(store, at):
    attribution.attribute_orders(store, at, since=LONG_AGO)
    refunds.answer_refunds(store, at, since=LONG_AGO)
    deciding.approve_due(store, at)
    later.reward_later(store, at, since=LONG_AGO)


@pytest.fixture
def chain(store, share_link, second):
    """Sara sent Bea, Bea sent Cora; both count."""
    bea = tell(store, "bea", share_link.code, at=NOW)
    tell(store, "cora", share_link_of(bea, at=NOW).code, at=NOW)
    sweep(store, NOW)
    sweep(store, NOW + 11 * DAY)
    assert Referral.objects.for_store(store).filter(status="approved").count() == 2


def earned(store, share_link) -> Reward:
    return Reward.objects.for_store(store).get(customer=share_link.customer, key__endswith=":second")


def test_who_sent_the_advocate_earns_once(store, share_link, chain):
    reward = earned(store, share_link)
    assert (reward.amount_minor, reward.status) == (10_000, "granted")
    sweep(store, NOW + 12 * DAY)
    assert balances(store)["payable"] == 10_000
    assert recounting.problems(store) == []


def test_a_partial_refund_makes_it_smaller_in_proportion(store, share_link, chain):
    tell(store, "cora", "", at=NOW + 12 * DAY, refunded_minor=50_000)
    sweep(store, NOW + 12 * DAY)
    assert reducing.left_of(earned(store, share_link)) == 7_500
    assert balances(store)["payable"] == 7_500
    assert recounting.problems(store) == []


@pytest.mark.parametrize("facts", [{"refunded_minor": 200_000}, {"cancelled_at": NOW + 12 * DAY}])
def test_what_comes_back_altogether_is_taken_back(store, share_link, chain, facts):
    tell(store, "cora", "", at=NOW + 12 * DAY, **facts)
    sweep(store, NOW + 12 * DAY)
    assert earned(store, share_link).status == "voided"
    assert "payable" not in balances(store)
    assert Referral.objects.for_store(store).filter(status="approved").count() == 1  # Bea still counts for Sara
    assert recounting.problems(store) == []


def test_a_void_takes_it_back_and_gives_the_room_back(store, share_link, chain):
    before = budget_of(store).committed_minor
    cora = Referral.objects.for_store(store).select_related(*deciding.JOINED).get(friend__name="cora")
    assert deciding.void_referral(cora, reason=Referral.Reason.STAFF, at=NOW + 12 * DAY)
    assert earned(store, share_link).status == "voided"
    assert before - budget_of(store).committed_minor == sum(
        one.amount_minor for one in Reward.objects.for_store(store).filter(key__startswith=f"referral:{cora.pk}:")
    )
    assert recounting.problems(store) == []


def test_without_the_first_level_nobody_earns_the_second(store, share_link, second):
    bea = tell(store, "bea", share_link.code, at=NOW)
    sweep(store, NOW)
    deciding.void_referral(
        Referral.objects.for_store(store).select_related(*deciding.JOINED).get(),
        reason=Referral.Reason.STAFF,
        at=NOW,
    )
    tell(store, "cora", share_link_of(bea, at=NOW).code, at=NOW)
    sweep(store, NOW)
    sweep(store, NOW + 11 * DAY)
    assert not Reward.objects.for_store(store).filter(key__endswith=":second").exists()


def test_a_commission_goes_on_with_later_purchases(store, share_link, chain, second):
    tell(store, "cora", "", at=NOW + 12 * DAY, number="2")
    sweep(store, NOW + 12 * DAY)
    keys = Reward.objects.for_store(store).filter(customer=share_link.customer, key__contains=":order:")
    assert keys.count() == (second.kind == Offer.Kind.COMMISSION)
