"""Steps and proportions, whatever the numbers: what is promised is enough, what is taken back is a fresh count."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from fractions import Fraction
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from rewards import rules
from rewards.services import granting

GIVES = st.sampled_from(["each", "once", "every"])
WITHIN = st.sampled_from([None, None, 30, 90])


@st.composite
def ladders(draw, within=WITHIN):
    """Steps as the database allows them: one for a threshold and a way to give."""
    rows = draw(
        st.lists(st.tuples(st.integers(1, 12), GIVES), min_size=1, max_size=8, unique=True),
    )
    return [rules.Step(pk, threshold, gives, None, draw(within)) for pk, (threshold, gives) in enumerate(rows)]


@st.composite
def at_a_number(draw):
    """A ladder, the how-manieth referral it is, and how many of these lie in each period."""
    steps, number = draw(ladders()), draw(st.integers(1, 60))
    lately = {30: draw(st.integers(1, number)), 90: draw(st.integers(1, number))}
    return [
        rules.Step(one.pk, one.threshold, one.gives, lately.get(one.within_days), one.within_days) for one in steps
    ], number


@given(at_a_number(), st.data())
def test_nothing_earned_is_dearer_than_what_was_promised(case, data):
    steps, number = case
    worth = {step.pk: data.draw(st.integers(0, 10_000)) for step in steps}
    earned = sum(worth[step.pk] for step in rules.earned_tiers(steps, number))
    unknown = [rules.Step(one.pk, one.threshold, one.gives, None, one.within_days) for one in steps]
    assert earned <= rules.most_at_once(unknown, worth)


@given(ladders(within=st.none()), st.integers(1, 60))
def test_each_is_one_step_and_the_highest_that_was_reached(steps, number):
    each = [step for step in rules.earned_tiers(steps, number) if step.gives == "each"]
    reached = [step.threshold for step in steps if step.gives == "each" and step.threshold <= number]
    assert [step.threshold for step in each] == ([max(reached)] if reached else [])


@given(ladders(within=st.none()), st.integers(0, 60))
def test_the_next_step_is_earned_when_it_is_reached_and_none_before(steps, number):
    ahead = rules.next_step(steps, number)
    later = range(number + 1, number + 200)
    news = [count for count in later if any(_is_new(step, count) for step in steps)]
    if ahead is None:
        assert not news
    else:
        assert _is_new(ahead, news[0])


def _is_new(step, count):
    """Whether the step is reached with exactly this referral."""
    return count % step.threshold == 0 if step.gives == "every" else count == step.threshold


@given(st.integers(0, 10**12), st.integers(1, 10**12), st.lists(st.integers(0, 10**12), max_size=6))
def test_a_proportion_is_within_and_falls_as_more_comes_back(amount, total, refunds):
    left = [rules.part_of(amount, rules.kept(total, refunded)) for refunded in sorted(refunds)]
    assert all(0 <= one <= amount for one in left)
    assert left == sorted(left, reverse=True)


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.lists(st.integers(0, 10**9), min_size=1, max_size=6))
def test_what_is_left_and_what_was_taken_sum_to_what_it_was(amount, total, refunds):
    reduced = 0
    for refunded in refunds:  # in any order, as reports come
        reduced = max(reduced, amount - rules.part_of(amount, rules.kept(total, refunded)))
    assert amount - reduced == rules.part_of(amount, rules.kept(total, max(refunds)))


def test_all_of_an_order_without_a_price_stands():
    assert rules.kept(0, 0) == Fraction(1)


@given(ladders(within=st.none()), st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=40))
def test_after_any_approvals_and_voids_steps_are_what_a_fresh_count_gives(steps, moves):
    """None approves one more referral, a number voids one that counts.

    Each that counts keeps what it earned the day it did, at the level of that day; of the others, one ONCE
    for each threshold that is reached, one EVERY for each time it is full.
    """
    tiers = {step.pk: SimpleNamespace(**asdict(step)) for step in steps}
    counting, held = [], []
    for made, move in enumerate(moves):
        if move is None:
            counting.append(made)
            held += [_reward(tiers, step, made) for step in rules.earned_tiers(steps, len(counting))]
        elif counting:
            gone = counting.pop(move % len(counting))
            lost = granting._lost(held[::-1], len(counting), f"r{gone}")
            held = [one for one in held if one not in lost]
        found = Counter(one.tier_id for one in held if one.tier.gives != "each")
        assert +found == +Counter({step.pk: _times(step, len(counting)) for step in steps if step.gives != "each"})
        each = [one.key for one in held if one.tier.gives == "each"]
        assert len(each) == len(set(each))
        assert set(each) <= {f"r{one}:advocate" for one in counting}


def _reward(tiers, step, made):
    key = f"r{made}:advocate" if step.gives == "each" else f"r{made}:{step.gives}:{step.pk}"
    tier = tiers[step.pk]
    return SimpleNamespace(tier=tier, tier_id=step.pk, key=key, side="advocate")


def _times(step, number):
    return int(number >= step.threshold) if step.gives == "once" else number // step.threshold
