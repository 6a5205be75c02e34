from datetime import UTC, datetime, timedelta
from math import isclose, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys import rules
from surveys.rules import Group

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize("score", range(11))
def test_the_groups_of_0_to_10(score):
    expected = "detractor" if score <= 6 else "passive" if score <= 8 else "promoter"
    assert rules.group_of(score) == expected


def test_the_groups_of_1_to_5():
    groups = [rules.group_of(score, of_five=True).value for score in range(1, 6)]
    assert groups == ["detractor", "detractor", "passive", "passive", "promoter"]


@pytest.mark.parametrize("of_five", [False, True])
def test_every_score_is_in_one_group(of_five):
    listed = [score for group in Group for score in rules.scores_of(group, of_five=of_five)]
    assert sorted(listed) == list(rules.scale(of_five=of_five))


@pytest.mark.parametrize("of_five", [False, True])
def test_the_unhappy_are_never_asked(of_five):
    for score in rules.scores_of(Group.DETRACTOR, of_five=of_five):
        assert not rules.may_be_asked(score, ask_passives=True, of_five=of_five)


@given(st.integers(0, 400), st.integers(0, 400))
def test_satisfaction_against_wilsons_quadratic(satisfied, more):
    answers = satisfied + more
    found = rules.satisfaction(satisfied, answers)
    if not answers:
        assert found is None
        return
    # The ends are where the true share lies just 1.96 standard errors from the one seen.
    seen = satisfied / answers
    for end in (found.low / 100, found.high / 100):
        assert isclose((seen - end) ** 2, 1.96**2 * end * (1 - end) / answers, abs_tol=1e-9)
    assert -1e-9 <= found.low <= found.score + 1e-9
    assert found.score - 1e-9 <= found.high <= 100 + 1e-9


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_the_score_against_the_definition(promoters, passives, detractors):
    found = rules.net_promoter_score(promoters, passives, detractors)
    answers = [1] * promoters + [0] * passives + [-1] * detractors
    if not answers:
        assert found is None
        return
    assert isclose(found.score, 100 * sum(answers) / len(answers), abs_tol=1e-9)
    added = [*answers, 0, 0, 0]  # three answers, three quarters of each group and the rest in between
    mean = sum(answers) / len(added)
    spread = (promoters + detractors + 1.5) / len(added) - mean**2
    assert isclose(found.margin, 196 * sqrt(spread / len(added)), rel_tol=1e-9)
    assert isclose(found.high - found.low, 2 * found.margin, rel_tol=1e-9)


def test_haste():
    assert rules.is_hasty(NOW, NOW + timedelta(seconds=2.9))
    assert not rules.is_hasty(NOW, NOW + timedelta(seconds=3))


def test_who_is_won_back():
    assert [score for score in range(11) if rules.is_turned(score)] == [7, 8, 9, 10]
