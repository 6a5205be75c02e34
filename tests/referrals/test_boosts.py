"""For a while rewards are worth more: what counts is when the friend bought, and the budget is never exceeded."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.models import Boost
from referrals.services import attribution, boosts, promising
from referrals.services.boosts import BoostData, boosted, grown, make_boost, resume_boost, stop_boost
from referrals.services.programs import change_program, program_of
from referrals.services.terms import OfferTerms, TierTerms
from rewards.models import Budget, Offer, Reward, Tier
from rewards.services import ledger
from tests.conftest import NOW
from tests.referrals.journey_world import DAY, buy, count, refer, take_gift
from tests.referrals.program_world import CASH, CREDIT, CUSTOM, FIXED, MONTHS, PERCENT, draft, terms_with

Kind, Gives = Offer.Kind, Tier.Gives
LATER = NOW + 20 * DAY


def put(store, offer, **changes):
    """A program in which each friend brings this offer."""
    terms = terms_with(tiers=[TierTerms(1, Gives.EACH, offer)], **changes)
    return change_program(program_of(store), terms, by=None, at=NOW - DAY)


def boost(program, percent=200, start=NOW - DAY, end=NOW + DAY):
    return make_boost(program, BoostData("Week", percent, start, end), by=None, at=start)


def earned(store):
    return Reward.objects.for_store(store).filter(side=Reward.Side.ADVOCATE).latest("pk")


def test_a_friend_who_buys_in_the_window_brings_more(store, share_link):
    boost(put(store, CREDIT))
    count(refer(share_link), at=LATER)
    assert earned(store).amount_minor == 2 * CREDIT.amount_minor
    assert ledger.total(store) == 0


@pytest.mark.parametrize("bought", [NOW - 2 * DAY, NOW + DAY])
def test_who_buys_before_or_after_brings_the_usual(store, share_link, bought):
    program = put(store, CREDIT)
    claim = take_gift(share_link, at=NOW - 3 * DAY)
    boost(program)
    count(refer_claim(claim, bought), at=LATER)
    assert earned(store).amount_minor == CREDIT.amount_minor


def refer_claim(claim, at):
    referral = attribution.attribute_order(buy(claim, at=at), at=at)
    assert referral is not None
    return referral


def test_a_commission_is_boosted_with_its_cap(store, share_link):
    boost(put(store, replace(MONTHS, most_minor=10_000)), 150)
    count(refer(share_link), at=LATER)
    # 5 % of 1,550.00 are 77.50; 7 % (of 7.5, rounded down) are 108.50, below the cap of 150.00.
    assert earned(store).amount_minor == 155_000 * 7 // 100


def test_the_larger_of_two_boosts_counts_alone(store):
    program = put(store, CREDIT)
    boost(program, 150)
    boost(program, 300)
    assert boosts.percent_at(program.terms, NOW) == 300


def test_another_programs_boost_does_not_count(store):
    program = put(store, CREDIT)
    boost(draft(store, terms_with()), 300)
    assert boosts.percent_at(program.terms, NOW) == boosts.USUAL


def test_the_offer_of_a_boost_is_made_once(store):
    program = put(store, CREDIT)
    boost(program)
    offer = program.terms.ladder.tiers.get().offer
    assert boosted(program.terms, offer, NOW).pk == boosted(program.terms, offer, NOW).pk
    assert boosted(program.terms, offer, NOW + 2 * DAY) == offer


# -- Stopping and undoing --


def test_a_stopped_boost_counts_until_then(store):
    program = put(store, CREDIT)
    one = boost(program)
    assert stop_boost(one, by=None, at=NOW)
    assert not stop_boost(one, by=None, at=NOW)
    assert boosts.percent_at(program.terms, NOW - timedelta(seconds=1)) == 200
    assert boosts.percent_at(program.terms, NOW) == boosts.USUAL
    assert resume_boost(one, by=None, at=NOW)
    assert boosts.percent_at(program.terms, NOW) == 200


def test_what_is_over_is_not_stopped_any_more(store):
    one = boost(put(store, CREDIT))
    assert not stop_boost(one, by=None, at=NOW + DAY)
    assert Boost.objects.for_store(store).get().stopped_at is None


# -- The budget --


def test_the_promise_has_room_for_the_boost(store, share_link):
    program = boost(put(store, CREDIT, friend=FIXED)).program
    usual = promising.promise_advocate(store, program.terms, key="in", at=NOW)
    outside = promising.promise_advocate(store, program.terms, key="out", at=NOW + 3 * DAY)
    assert (usual.amount_minor, outside.amount_minor) == (2 * CREDIT.amount_minor, CREDIT.amount_minor)


@pytest.mark.parametrize(("room", "expected"), [(30_100, 2), (30_099, 1), (20_050, 1)])
def test_where_the_budget_has_no_room_the_usual_is_given(store, share_link, room, expected):
    """The friend's gift takes 100.00, the reward 100.50 or, boosted, 201.00."""
    boost(put(store, CREDIT, friend=FIXED, ceiling_minor=room))
    count(refer(share_link), at=LATER)
    assert earned(store).amount_minor == expected * CREDIT.amount_minor
    budget = Budget.objects.get(store=store)
    assert budget.committed_minor <= room


def test_a_second_reward_keeps_its_room_beside_the_boost(store, share_link):
    """Two steps at once: what the boost of the first takes is never what the second was promised."""
    tiers = [TierTerms(1, Gives.EACH, CREDIT), TierTerms(1, Gives.ONCE, CASH)]
    terms = terms_with(friend=FIXED, tiers=tiers, ceiling_minor=10_000 + 10_050 + 5_000 + 5_000)
    boost(change_program(program_of(store), terms, by=None, at=NOW - DAY))
    count(refer(share_link), at=LATER)
    given = Reward.objects.for_store(store).filter(side=Reward.Side.ADVOCATE).values_list("amount_minor", flat=True)
    assert sorted(given) == [10_000, 10_050]


def test_without_a_boost_nothing_is_asked_of_the_budget(store, share_link, django_assert_num_queries):
    program = put(store, CREDIT)
    with django_assert_num_queries(1):
        assert boosts.boost_earned(program.terms, [], NOW, later=None) == []


# -- How an offer grows --


@given(st.sampled_from([PERCENT, FIXED, CREDIT, CASH, MONTHS]), st.integers(101, 1000))
def test_an_offer_grows_in_proportion_and_never_above_everything(terms, percent):
    big = grown(as_offer(terms), percent)
    if terms.percent is None:
        assert big.amount_minor == terms.amount_minor * percent // 100
    else:
        assert big.percent == min(100, terms.percent * percent // 100)
        assert terms.percent <= big.percent <= 100
    assert big.most_minor == (terms.most_minor and terms.most_minor * percent // 100)
    assert (big.kind, big.months, big.valid_days) == (terms.kind, terms.months, terms.valid_days)


def test_a_thing_does_not_grow():
    offer = as_offer(CUSTOM)
    assert grown(offer, 300) is offer


def as_offer(terms: OfferTerms) -> Offer:
    fields = ("kind", "percent", "amount_minor", "minimum_minor", "valid_days", "most_minor", "months", "words")
    return Offer(currency="PHP", **{name: getattr(terms, name) for name in fields})
