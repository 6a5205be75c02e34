"""For a while rewards are worth more: what counts is when the friend bought, and the budget is never exceeded."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.services import Person
from referrals.models import Boost, Referral, ReferralEvent
from referrals.public.holdings import holdings_of
from referrals.services import attribution, boosts, promising
from referrals.services.boosts import BoostData, make_boost, resume_boost, stop_boost
from referrals.services.later import reward_later
from referrals.services.links import share_link_of
from referrals.services.programs import change_program, program_of
from referrals.services.terms import OfferTerms, TierTerms
from rewards.models import Budget, Commitment, Offer, Reward, Tier, Voucher
from rewards.services import granting, ledger, recounting
from rewards.services.growing import USUAL, grown
from tests.conftest import NOW, make_order_of
from tests.referrals.journey_world import DAY, buy, count, refer, take_gift
from tests.referrals.program_world import CASH, CREDIT, CUSTOM, FIXED, MONTHS, ONCE, PERCENT, draft, terms_with

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
    assert boosts.percent_at(program.terms, NOW) == USUAL


def test_the_offer_of_a_boost_is_made_once(store, make_customer):
    boost(put(store, CREDIT))
    for name in ("Sara", "Omid"):
        count(refer(share_link_of(make_customer(name), at=NOW), f"Friend of {name}"), at=LATER)
    assert Reward.objects.for_store(store).filter(side=Reward.Side.ADVOCATE).values("offer").distinct().count() == 1


# -- Stopping and undoing --


def test_a_stopped_boost_counts_until_then(store):
    program = put(store, CREDIT)
    one = boost(program)
    assert stop_boost(one, by=None, at=NOW)
    assert not stop_boost(one, by=None, at=NOW)
    assert boosts.percent_at(program.terms, NOW - timedelta(seconds=1)) == 200
    assert boosts.percent_at(program.terms, NOW) == USUAL
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


# -- What the advocate chooses --

CHOICES = TierTerms(1, Gives.EACH, CASH, choices=[CREDIT, replace(ONCE, percent=10), CUSTOM])


def put_choice(store, **changes):
    return boost(change_program(program_of(store), terms_with(tiers=[CHOICES], **changes), by=None, at=NOW - DAY))


def pick(store, kind, *, at=LATER):
    waiting = Reward.objects.for_store(store).get(status=Reward.Status.CHOOSING)
    usual = next(one for one in granting.options_of(waiting) if one.kind == kind)
    return granting.choose(waiting, usual, at=at)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.CASH, 2 * CASH.amount_minor),
        (Kind.STORE_CREDIT, 2 * CREDIT.amount_minor),
        (Kind.COMMISSION, 155_000 * 20 // 100),
        (Kind.CUSTOM, CUSTOM.amount_minor),
    ],
)
def test_whatever_is_chosen_has_grown(store, share_link, kind, expected):
    put_choice(store, ceiling_minor=100_000)
    count(refer(share_link), at=LATER)
    reward = pick(store, kind)
    assert (reward.offer.kind, reward.amount_minor) == (kind, expected)
    assert recounting.problems(store) == []
    committed = Budget.objects.get(store=store).committed_minor
    assert committed - reward.amount_minor == worth_of_gift(store)  # nothing of the dearest is kept


def worth_of_gift(store):
    gift = Voucher.objects.for_store(store).get(key__startswith="friend:")
    return Commitment.objects.for_store(store).get(key=f"voucher:{gift.key}").amount_minor


def test_who_does_not_choose_in_time_gets_the_first_grown(store, share_link):
    put_choice(store)
    count(refer(share_link), at=LATER)
    assert granting.choose_due(store, LATER + 100 * DAY) == 1
    assert earned(store).amount_minor == 2 * CASH.amount_minor


def test_the_advocates_page_shows_what_they_would_get(store, share_link):
    put_choice(store)
    count(refer(share_link), at=LATER)
    (row,) = holdings_of(store, share_link.customer, LATER).rows
    assert [option.words for option in row.options][:2] == ["₱100 in cash", "₱201 store credit"]


def test_an_option_that_looks_like_another_grown_is_still_itself(store, share_link):
    """Doubled, the first option is what the second usually is."""
    twice = replace(CREDIT, amount_minor=2 * CREDIT.amount_minor)
    boost(put(store, CREDIT), 200)
    program = change_program(
        program_of(store), terms_with(tiers=[TierTerms(1, Gives.EACH, CREDIT, choices=[twice])]), by=None, at=NOW - DAY
    )
    count(refer(share_link), at=LATER)
    waiting = Reward.objects.for_store(store).get(status=Reward.Status.CHOOSING, terms=program.terms)
    granting.choose(waiting, granting.options_of(waiting)[1], at=LATER)
    assert earned(store).amount_minor == 4 * CREDIT.amount_minor


@pytest.mark.parametrize(("short", "expected"), [(0, 2), (1, 1)])
def test_a_boost_needs_room_for_the_dearest_choice(store, share_link, short, expected):
    dear = replace(CASH, amount_minor=40_000)
    terms = terms_with(friend=FIXED, tiers=[TierTerms(1, Gives.EACH, CREDIT, choices=[dear])])
    ceiling = FIXED.amount_minor + 2 * dear.amount_minor - short
    boost(change_program(program_of(store), replace(terms, ceiling_minor=ceiling), by=None, at=NOW - DAY))
    count(refer(share_link), at=LATER)
    assert pick(store, Kind.CASH).amount_minor == expected * dear.amount_minor
    assert Budget.objects.get(store=store).committed_minor <= ceiling


# -- Commission of later purchases --


def later_purchase(store, days):
    make_order_of(store, Person("Bea Cruz", "bea.cruz@example.com"), at=NOW + days * DAY, total_minor=100_000)
    reward_later(store, NOW + 100 * DAY, since=NOW - DAY)
    return [one.amount_minor for one in Reward.objects.for_store(store).filter(key__contains=":order:").order_by("pk")]


def test_a_later_purchase_counts_for_the_boost_of_its_own_day(store, share_link):
    """5 % usually; doubled while the friend bought first, tripled in a week later."""
    program = put(store, MONTHS)
    boost(program)
    boost(program, 300, NOW + 30 * DAY, NOW + 37 * DAY)
    count(refer(share_link), at=LATER)
    assert earned(store).amount_minor == 155_000 * 10 // 100
    assert later_purchase(store, 25) == [5_000]
    assert later_purchase(store, 31) == [5_000, 15_000]
    assert later_purchase(store, 37) == [5_000, 15_000, 5_000]


def test_a_commission_that_was_chosen_in_a_boost_is_usual_later(store, share_link):
    terms = terms_with(tiers=[TierTerms(1, Gives.EACH, CASH, choices=[MONTHS])])
    boost(change_program(program_of(store), terms, by=None, at=NOW - DAY))
    count(refer(share_link), at=LATER)
    assert pick(store, Kind.COMMISSION).amount_minor == 155_000 * 10 // 100
    assert later_purchase(store, 25) == [5_000]


@pytest.mark.parametrize(("short", "expected"), [(0, 10_000), (1, 5_000)])
def test_a_later_boost_needs_room_too(store, share_link, short, expected):
    """The gift takes 100.00, the first commission 77.50, the second 50.00 or, boosted, 100.00."""
    ceiling = 10_000 + 7_750 + 10_000 - short
    program = put(store, replace(MONTHS, most_minor=17_750), friend=FIXED, ceiling_minor=10_000 + 17_750)
    boost(program, 200, NOW + 20 * DAY, NOW + 30 * DAY)
    count(refer(share_link), at=LATER)
    Budget.objects.filter(store=store).update(ceiling_minor=ceiling)
    assert later_purchase(store, 25) == [expected]
    assert Budget.objects.get(store=store).committed_minor <= ceiling
    assert not ReferralEvent.objects.for_store(store).filter(reason=Referral.Reason.FULL).exists()


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
