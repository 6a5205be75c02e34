"""Signals, scores and weights by themselves."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.fraud import counter_rules, rules
from referrals.fraud.counter_rules import Share
from referrals.fraud.rules import Facts, Identity, Name, Norm, Pace, Times, Verdict
from tests.conftest import NOW

WORDS = st.sampled_from(["", "a", "b"])
SETS = st.frozensets(st.sampled_from(["a", "b"]))
IDENTITIES = st.builds(
    Identity, emails=SETS, phones=SETS, devices=SETS, cards=SETS, networks=SETS, mailboxes=SETS, name=WORDS
)
FACTS = st.builds(
    Facts,
    advocate=IDENTITIES,
    friend=IDENTITIES,
    times=st.just(Times(NOW)),
    twins=st.integers(0, 2),
    device_friends=st.integers(0, 2),
    network_friends=st.integers(0, 9),
    returns=st.integers(0, 3),
)
ALONE = Facts(Identity(networks=frozenset({"n"})), Identity(networks=frozenset({"n"})), Times(NOW), network_friends=9)


@given(FACTS)
def test_the_network_is_never_alone(facts):
    assert set(rules.signals(facts)) != {Name.NETWORK}


@given(FACTS)
def test_the_network_adds_nothing_but_itself(facts):
    elsewhere = replace(facts, friend=replace(facts.friend, networks=frozenset()), network_friends=0)
    assert set(rules.signals(facts)) - {Name.NETWORK} == set(rules.signals(elsewhere))


def test_families_on_one_network_are_not_seen():
    assert rules.signals(ALONE) == {}


@given(st.sets(st.sampled_from(Name.values)), st.sampled_from(Name.values))
def test_one_more_signal_never_lowers_the_score(names, more):
    weights = rules.weights_for({})
    assert rules.score(names | {more}, weights) >= rules.score(names, weights)


@given(st.integers(0, 300), st.integers(1, 100), st.integers(0, 200))
def test_a_verdict_follows_the_thresholds(points, hold, above):
    found = rules.verdict(points, hold_at=hold, refuse_at=hold + above)
    assert (found is Verdict.ALLOW) == (points < hold)
    assert (found is Verdict.REFUSE) == (points >= hold + above)


@given(st.integers(0, 100), st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_weight_that_follows_stays_in_its_bounds(default, confirmed, overturned):
    weight = rules.followed(default, confirmed=confirmed, overturned=overturned)
    assert 0 <= weight <= 2 * default
    assert weight <= rules.followed(default, confirmed=confirmed + 1, overturned=overturned)
    assert weight >= rules.followed(default, confirmed=confirmed, overturned=overturned + 1)


def test_without_decisions_a_weight_is_the_usual():
    assert all(rules.followed(weight, confirmed=0, overturned=0) == weight for weight in rules.WEIGHTS.values())


@given(st.dictionaries(st.sampled_from(Name.values), st.integers(-1000, 1000)))
def test_own_weights_are_kept_within_reason(own):
    assert all(0 <= weight <= rules.MOST_WEIGHT for weight in rules.weights_for(own).values())


@pytest.mark.parametrize(
    ("email", "is_throwaway"),
    [
        ("a@mailinator.com", True),
        ("a@sub.mailinator.com", True),
        ("a@gmail.com", False),
        ("a@rosewatermailinator.com", False),
    ],
)
def test_throw_away_domains(email, is_throwaway):
    assert rules.is_throwaway(email) is is_throwaway


@pytest.mark.parametrize(
    ("host", "lists"),
    [("retailmenot.com", True), ("www.retailmenot.com", True), ("retailmenot.com.evil.example", False), ("", False)],
)
def test_coupon_sites(host, lists):
    assert rules.is_coupon_site(host) is lists


def test_an_order_is_far_only_from_a_norm_that_is_known():
    norm = Norm(low=90, high=300, orders=rules.ENOUGH_ORDERS)
    assert rules.is_far(901, norm)
    assert rules.is_far(29, norm)
    assert not rules.is_far(900, norm)
    assert not rules.is_far(30, norm)
    assert not rules.is_far(10_000, replace(norm, orders=rules.ENOUGH_ORDERS - 1))


def test_many_friends_are_many_for_the_store():
    assert rules.is_rushed(Pace(day=rules.MANY_A_DAY))
    assert not rules.is_rushed(Pace(day=rules.MANY_A_DAY - 1))
    assert not rules.is_rushed(Pace(day=rules.MANY_A_DAY, usual_day=3))
    assert rules.is_rushed(Pace(week=rules.MANY_A_WEEK))


def test_a_partner_may_bring_many():
    facts = Facts(Identity(), Identity(), Times(NOW), pace=Pace(day=50))
    assert set(rules.signals(facts)) == {Name.VELOCITY}
    assert rules.signals(replace(facts, is_partner=True)) == {}


def test_clocks_that_go_backwards_are_no_haste():
    assert rules.haste(Times(NOW, claimed=NOW + timedelta(seconds=3))) is None
    assert rules.haste(Times(NOW, claimed=NOW - timedelta(seconds=3))) == 3


# -- The counter --


def test_few_cases_accuse_nobody():
    assert not counter_rules.is_odd(Share(4, 4), Share(0, 1000))
    assert not counter_rules.is_odd(Share(9, 9), Share(0, 0))


def test_twice_the_usual_must_be_sure():
    assert counter_rules.is_odd(Share(30, 40), Share(20, 400))
    assert not counter_rules.is_odd(Share(6, 60), Share(20, 400))


@given(st.integers(0, 50), st.integers(0, 50))
def test_a_lower_bound_is_below_its_share(cases, more):
    share = Share(cases, cases + more)
    assert 0 <= counter_rules.at_least(share) <= (cases / share.of if share.of else 0)


def test_one_cashier_alone_is_close_to_nobody():
    assert counter_rules.is_close(9, 10, staff=2)
    assert not counter_rules.is_close(9, 10, staff=1)
    assert not counter_rules.is_close(9, 20, staff=2)
