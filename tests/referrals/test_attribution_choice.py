"""Of several leads one is chosen, whatever the order they were found in; each loser has its reason."""

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from referrals.crediting import STRENGTH, Evidence, Lead, Policy, Why, judge, strength_of
from tests.conftest import NOW

FOUND = [one for one in STRENGTH if one != Evidence.STAFF]
leads = st.builds(
    Lead,
    link=st.integers(1, 4),
    advocate=st.integers(1, 3),
    evidence=st.sampled_from(FOUND),
    at=st.integers(0, 5).map(lambda days: NOW + timedelta(days=days)),
    in_time=st.booleans(),
    is_own=st.booleans(),
    binds=st.booleans(),
)
policies = st.builds(
    Policy,
    strength=st.lists(st.sampled_from(FOUND), unique=True).map(strength_of),
    first_touch=st.booleans(),
    is_sticky=st.booleans(),
)


def lead(advocate: int, evidence: Evidence, *, days: int = 0, **facts) -> Lead:
    return Lead(advocate, advocate, evidence, NOW + timedelta(days=days), **facts)


def winner(found, policy=None) -> Lead | None:
    judged = judge(found, policy or Policy())
    return judged[0].lead if judged and not judged[0].why_not else None


def why(found, policy=None) -> dict[int, Why]:
    return {one.lead.advocate: one.why_not for one in judge(found, policy or Policy())}


@given(st.data(), st.lists(leads, max_size=7), policies)
def test_the_choice_does_not_depend_on_the_order_of_finding(data, found, policy):
    assert judge(found, policy) == judge(data.draw(st.permutations(found)), policy)


@given(st.data(), st.lists(leads, min_size=2, max_size=7), policies)
def test_taking_a_loser_away_never_changes_the_winner(data, found, policy):
    best = winner(found, policy)
    losers = [one for one in found if one != best]
    assume(losers)
    gone = data.draw(st.sampled_from(losers))
    assert winner([one for one in found if one != gone], policy) == best


@given(st.lists(leads, max_size=7), policies)
def test_exactly_one_is_chosen_where_one_came_in_time(found, policy):
    chosen = [one for one in judge(found, policy) if one.why_not == Why.CHOSEN]
    assert len(chosen) == any(one.in_time for one in found)
    assert all(one.lead.in_time for one in chosen)


@given(st.lists(leads, max_size=7), policies, leads)
def test_who_took_a_gift_stays_that_advocates_friend(found, policy, taken):
    assume(policy.is_sticky)
    bound = Lead(taken.link, taken.advocate, Evidence.CLAIM, NOW - timedelta(days=1), binds=True)
    assert winner([*found, bound], policy) == bound


@given(st.lists(leads, min_size=1, max_size=7), policies)
def test_a_lead_to_the_buyer_wins_only_alone(found, policy):
    best = winner(found, policy)
    assume(best)
    assert best.is_own == all(one.is_own for one in found if one.in_time)


@given(st.lists(leads, min_size=1, max_size=7), st.booleans(), st.sampled_from(FOUND))
def test_touch_decides_between_equals(found, first, evidence):
    same = [Lead(one.link, one.advocate, evidence, one.at) for one in found]
    times = [one.at for one in same]
    assert winner(same, Policy(first_touch=first)).at == (min(times) if first else max(times))


@given(st.lists(leads, min_size=1, max_size=7), policies)
def test_without_binding_the_owners_order_decides(found, policy):
    plain = [Lead(one.link, one.advocate, one.evidence, one.at) for one in found]
    assert winner(plain, policy).evidence == min((one.evidence for one in plain), key=policy.strength.index)


def test_an_order_that_leaves_kinds_out_is_followed_by_ours():
    wanted = strength_of(["visit", "nonsense", "claim", "visit"])
    assert wanted[:2] == ("visit", "claim")
    assert set(wanted) == set(Evidence)
    assert wanted[2:] == tuple(one for one in STRENGTH if one not in ("visit", "claim"))


@pytest.mark.parametrize(
    ("loser", "reason"),
    [
        (lead(2, Evidence.VISIT), Why.WEAKER),
        (lead(2, Evidence.VISIT, in_time=False), Why.LATE),
        (lead(2, Evidence.VOUCHER, is_own=True), Why.OWN),
        (lead(2, Evidence.CODE, days=-1), Why.TOUCH),
    ],
)
def test_each_loser_has_its_reason(loser, reason):
    assert why([loser, lead(1, Evidence.CODE)]) == {1: Why.CHOSEN, 2: reason}


def test_a_stronger_lead_loses_to_a_gift_that_binds():
    found = [lead(1, Evidence.CLAIM, binds=True), lead(2, Evidence.CODE)]
    assert why(found) == {1: Why.CHOSEN, 2: Why.BOUND}
    assert why(found, Policy(is_sticky=False)) == {1: Why.WEAKER, 2: Why.CHOSEN}


def test_another_lead_to_the_same_advocate_is_no_rival():
    found = [lead(1, Evidence.CODE), lead(1, Evidence.VISIT)]
    assert [one.why_not for one in judge(found, Policy())] == [Why.CHOSEN, Why.SAME]


def test_what_is_equal_in_all_else_goes_by_link_then_gift_then_advocate():
    """Any fixed order would do; without one the choice would hang on how the leads were found."""
    ranked = [
        Lead(1, 9, Evidence.VISIT, NOW),
        Lead(1, 9, Evidence.VISIT, NOW, binds=True),
        Lead(2, 1, Evidence.VISIT, NOW),
        Lead(2, 3, Evidence.VISIT, NOW),
    ]
    for found in permutations(ranked):
        assert [one.lead for one in judge(found, Policy(is_sticky=False))] == ranked


def test_of_gifts_that_bind_the_first_wins_whatever_the_touch():
    gifts = [lead(1, Evidence.CLAIM, days=2, binds=True), lead(2, Evidence.VOUCHER, days=3, binds=True)]
    for first_touch in (True, False):
        assert winner(gifts, Policy(first_touch=first_touch)).advocate == 1


def test_nothing_leads_to_nobody():
    assert judge([], Policy()) == []


def test_a_tie_goes_to_the_older_link():
    same = [lead(number, Evidence.VISIT) for number in range(1, 30)]
    assert winner(same).link == winner(same[::-1]).link == 1
