"""Intervals against published figures, and against what they promise: how often they hold the truth."""

from math import isclose
from random import Random
from statistics import fmean, variance

import pytest

from insights.numbers.intervals import (
    Mean,
    Part,
    difference_of_means,
    difference_of_parts,
    margin_of_count,
    margin_of_sum,
    t_quantile,
)


@pytest.mark.parametrize(("degrees", "point"), [(6, 2.4469), (10, 2.2281), (19, 2.0930), (30, 2.0423), (1000, 1.9623)])
def test_the_points_of_t_are_those_of_the_tables(degrees, point):
    assert isclose(t_quantile(degrees), point, abs_tol=0.0002)


def test_the_difference_of_parts_is_newcombes_own_example():
    """56 of 70 against 48 of 80: 0.0524 to 0.3339 by his method 10."""
    found = difference_of_parts(Part(56, 70), Part(48, 80))
    assert isclose(found.value, 0.2)
    assert isclose(found.low, 0.0524, abs_tol=0.0001)
    assert isclose(found.high, 0.3339, abs_tol=0.0001)
    assert found.is_clear


def test_fewer_than_twenty_people_have_numbers_only():
    few, many = Part(9, 19), Part(30, 60)
    assert few.interval is None
    assert many.interval is not None
    assert difference_of_parts(few, many) is None
    assert Mean(5.0, 2.0, 19).interval is None
    assert difference_of_means(Mean(5.0, 2.0, 60), Mean(5.0, 2.0, 19)) is None
    assert margin_of_count(19) is None
    assert margin_of_sum(100.0, 19) is None


def test_nobody_and_everybody_stay_within_bounds():
    assert Part(0, 30).interval.low == 0
    assert Part(30, 30).interval.high == 1
    assert Part(0, 30).interval.high > 0.05


def test_equal_people_have_no_spread():
    same = difference_of_means(Mean(7.0, 0.0, 40), Mean(5.0, 0.0, 30))
    assert (same.low, same.high) == (2.0, 2.0)


def covers(luck, people, draw, truth, rounds=1500):
    """How often the interval of a mean holds it."""
    held = 0
    for _ in range(rounds):
        values = [draw(luck) for _ in range(people)]
        found = Mean(fmean(values), variance(values), people).interval
        held += found.low <= truth <= found.high
    return held / rounds


def test_the_interval_of_a_mean_holds_the_truth_as_often_as_it_says():
    """Exactly for even spending; of very uneven spending (its deviation is 1.3 times its mean) less with few people."""
    luck = Random(3)
    assert 0.93 < covers(luck, 30, lambda luck: luck.gauss(100, 20), 100) < 0.97
    mean_of_skewed = 2.718281828 ** (0.5 * 1.0**2)
    assert covers(luck, 20, lambda luck: luck.lognormvariate(0, 1.0), mean_of_skewed) > 0.83
    assert covers(luck, 300, lambda luck: luck.lognormvariate(0, 1.0), mean_of_skewed, rounds=600) > 0.91


def test_a_difference_that_is_none_is_rarely_called_one():
    luck, wrong = Random(5), 0
    for _ in range(1500):
        one = Part(sum(luck.random() < 0.2 for _ in range(60)), 60)
        other = Part(sum(luck.random() < 0.2 for _ in range(200)), 200)
        wrong += difference_of_parts(one, other).is_clear
    assert wrong / 1500 < 0.07


def test_the_margin_of_a_sum_holds_the_truth():
    """Purchases at random, on average 60 of 100 each on average: the sum is within its margin of the truth."""
    luck, held = Random(9), 0
    for _ in range(800):
        moment, spent = luck.expovariate(60), []
        while moment < 1:
            spent.append(luck.expovariate(1 / 100))
            moment += luck.expovariate(60)
        margin = margin_of_sum(sum(one * one for one in spent), len(spent))
        held += abs(sum(spent) - 6000) <= margin
    assert 0.91 < held / 800 < 0.98
