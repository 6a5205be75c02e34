"""What at the counter is worth an owner's look. Pure: counts in, yes or no out; no accusation follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import sqrt

SOON = timedelta(hours=1)  # an undone redemption that the sale did not outlive
MANY_FOR_ONE = 5  # redemptions by one member of staff for one customer
MOSTLY = 0.8  # of that customer's redemptions
ENOUGH = 5  # cases before a share says anything
SURE = 2.58  # 99 in 100 by the normal distribution
TIMES = 2  # the usual share


@dataclass(frozen=True)
class Share:
    """So many cases of so many."""

    cases: int
    of: int

    def __sub__(self, other: Share) -> Share:
        """What is left without these."""
        return Share(self.cases - other.cases, self.of - other.of)


def is_odd(one: Share, rest: Share) -> bool:
    """Whether the share is surely more than twice that of everybody else; never told from a few cases.

    Its lower bound (Wilson) is compared with Laplace's share of the rest, so that small numbers accuse nobody.
    """
    return one.cases >= ENOUGH and rest.of > 0 and at_least(one) > TIMES * (rest.cases + 1) / (rest.of + 2)


def at_least(share: Share) -> float:
    """The lower end of the share's interval. Source: Wilson 1927, score interval."""
    if not share.of:
        return 0.0
    # A location may redeem more often than it reports orders: the interval is one of shares up to 1.
    part, squared = min(share.cases / share.of, 1.0), SURE * SURE / share.of
    middle = part + squared / 2
    return (middle - SURE * sqrt(part * (1 - part) / share.of + squared / (4 * share.of))) / (1 + squared)


def is_close(by_one: int, of_customer: int, *, staff: int) -> bool:
    """Whether one member of staff redeems strikingly often for one customer, where others could have."""
    return staff > 1 and by_one >= MANY_FOR_ONE and by_one >= MOSTLY * of_customer
