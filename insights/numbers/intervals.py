"""How sure a number is: 95 % intervals of parts, of means, of their differences, and of what is counted. Pure.

What to show when: parts by Wilson, their differences by Newcombe (EFFECTIVENESS 4.3 measured it against the plain
one), means by Student's t without assuming that both groups spread alike. All of it is for a look on one day: whoever
looks every week and stops at the first difference finds one sooner or later.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from surveys.rules import ENOUGH, wilson

Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Interval:
    """A number with the ends of its 95 % interval, in the unit of the number."""

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Of a difference: whether nothing at all lies outside, so that chance alone hardly explains it."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Part:
    """How many of how many, 0..1."""

    hits: int
    of: int

    @property
    def is_enough(self) -> bool:
        """Whether a percentage may be shown: with fewer than ENOUGH people it says nothing."""
        return self.of >= ENOUGH

    @property
    def interval(self) -> Interval | None:
        """The part with its Wilson interval; None without enough people."""
        return Interval(self.hits / self.of, *wilson(self.hits, self.of)) if self.is_enough else None


@dataclass(frozen=True)
class Mean:
    """A mean of `of` people with the variance among them (n - 1), in the unit of the number and its square."""

    value: float
    variance: float
    of: int

    @property
    def is_enough(self) -> bool:
        """Whether it may be shown."""
        return self.of >= ENOUGH

    @property
    def error(self) -> float:
        """Its standard error."""
        return sqrt(self.variance / self.of)

    @property
    def interval(self) -> Interval | None:
        """The mean with its t-interval; None without enough people.

        Source: Student, "The Probable Error of a Mean", Biometrika 6 (1908). What people spend is skewed: near 20
        people the true cover is a few points below 95 % (measured in tests/insights/test_intervals.py).
        """
        if not self.is_enough:
            return None
        margin = t_quantile(self.of - 1) * self.error
        return Interval(self.value, self.value - margin, self.value + margin)


def difference_of_parts(one: Part, other: Part) -> Interval | None:
    """How much larger the first part is, -1..1; None where one of them may not be shown.

    Source: Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven
    methods", Statistics in Medicine 17 (1998), method 10.
    """
    a, b = one.interval, other.interval
    if a is None or b is None:
        return None
    apart = a.value - b.value
    low = apart - sqrt((a.value - a.low) ** 2 + (b.high - b.value) ** 2)
    high = apart + sqrt((a.high - a.value) ** 2 + (b.value - b.low) ** 2)
    return Interval(apart, low, high)


def difference_of_means(one: Mean, other: Mean) -> Interval | None:
    """How much larger the first mean is; None where one of them may not be shown.

    Source: Welch, "The generalization of Student's problem when several different population variances are involved",
    Biometrika 34 (1947), with Satterthwaite's degrees of freedom.
    """
    if not (one.is_enough and other.is_enough):
        return None
    a, b = one.error**2, other.error**2
    degrees = (a + b) ** 2 / (a**2 / (one.of - 1) + b**2 / (other.of - 1)) if a + b else one.of + other.of - 2
    apart, margin = one.value - other.value, t_quantile(degrees) * sqrt(a + b)
    return Interval(apart, apart - margin, apart + margin)


def t_quantile(degrees: float) -> float:
    """The 97.5 % point of Student's t; within .001 from six degrees of freedom on.

    Source: Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 26.7.5.
    """
    z, n = Z, degrees
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * n**4)
    )


def margin_of_count(count: int) -> float | None:
    """How far chance alone moves a number of independent events; None below ENOUGH of them.

    Source: the variance of a Poisson number is its mean (Poisson, "Recherches sur la probabilité des jugements", 1837).
    """
    return Z * sqrt(count) if count >= ENOUGH else None


def margin_of_sum(squares: float, count: int) -> float | None:
    """The same for the sum of what they brought, from the sum of the squares; None below ENOUGH of them.

    Source: the variance of a compound Poisson sum is the number times the mean square (Feller, An Introduction to
    Probability Theory and Its Applications 1, XII.2), and Σx² estimates it.
    """
    return Z * sqrt(squares) if count >= ENOUGH else None
