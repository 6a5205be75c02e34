"""Pure decisions about surveys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import sqrt

CHANGE_WINDOW = timedelta(days=14)
ANSWER_WINDOW = timedelta(days=90)
PROMISE = timedelta(hours=24)  # by when somebody answers an unhappy person
HASTE = timedelta(seconds=3)
ENOUGH = 20  # with fewer answers a score says nothing: the answers themselves are shown
STALE = timedelta(days=30)  # an invitation this late would be harm
STALE_IMPORT = timedelta(days=2)  # for orders that came in already old, from a file


class Group(StrEnum):
    """What a score says. Source: Reichheld, "The One Number You Need to Grow", HBR 2003."""

    PROMOTER = "promoter"
    PASSIVE = "passive"
    DETRACTOR = "detractor"


def group_of(score: int, *, of_five: bool = False) -> Group:
    """9-10 promoter, 7-8 passive, 0-6 detractor; `of_five` (satisfaction): 5, 3-4, 1-2."""
    happy, content = (5, 3) if of_five else (9, 7)
    return Group.PROMOTER if score >= happy else Group.PASSIVE if score >= content else Group.DETRACTOR


def scores_of(group: Group, *, of_five: bool = False) -> list[int]:
    """The scores of a group, from low to high."""
    return [score for score in scale(of_five=of_five) if group_of(score, of_five=of_five) is group]


def scale(*, of_five: bool = False) -> range:
    """The scores there are: 0 to 10, or 1 to 5."""
    return range(1, 6) if of_five else range(11)


def may_be_asked(score: int, *, ask_passives: bool, of_five: bool = False) -> bool:
    """Whether someone who answered `score` may be asked to refer; the unhappy never."""
    group = group_of(score, of_five=of_five)
    return group is Group.PROMOTER or (ask_passives and group is Group.PASSIVE)


def is_turned(score: int) -> bool:
    """Whether somebody who had been unhappy is won back, by what they answer (0-10) after their case was solved."""
    return group_of(score) is not Group.DETRACTOR


def is_hasty(written_at: datetime, at: datetime) -> bool:
    """Whether another score came faster than a person reads the page and chooses again."""
    return at - written_at < HASTE


@dataclass(frozen=True)
class NetPromoterScore:
    """NPS with its 95 % margin, both in points of -100..100; `answers` is the sample."""

    score: float
    margin: float
    answers: int

    @property
    def low(self) -> float:
        """The lower end of the interval; it may lie beyond -100, as the margin is symmetrical."""
        return self.score - self.margin

    @property
    def high(self) -> float:
        """The upper end."""
        return self.score + self.margin


def net_promoter_score(promoters: int, passives: int, detractors: int) -> NetPromoterScore | None:
    """NPS with the adjusted Wald margin (three answers added, spread over the groups); None without answers.

    Source: Rocks, "Interval Estimation for the Net Promoter Score", The American Statistician 70 (2016).
    """
    answers = promoters + passives + detractors
    if not answers:
        return None
    n = answers + 3
    p, d = (promoters + 0.75) / n, (detractors + 0.75) / n
    margin = 1.96 * sqrt((p + d - (p - d) ** 2) / n)
    return NetPromoterScore(100 * (promoters - detractors) / answers, 100 * margin, answers)


@dataclass(frozen=True)
class Satisfaction:
    """The satisfied (4 and 5 of 5) in percent, 0..100, with the ends of its 95 % interval."""

    score: float
    low: float
    high: float
    answers: int


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The ends of a part's 95 % interval, 0..1; `of` is above zero.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927).
    """
    z, part = 1.96, hits / of
    spread = z * sqrt(part * (1 - part) / of + z * z / (4 * of * of))
    middle, whole = part + z * z / (2 * of), 1 + z * z / of
    return max((middle - spread) / whole, 0.0), min((middle + spread) / whole, 1.0)


def satisfaction(satisfied: int, answers: int) -> Satisfaction | None:
    """The share of the satisfied with its Wilson interval; None without answers."""
    if not answers:
        return None
    low, high = wilson(satisfied, answers)
    return Satisfaction(100 * satisfied / answers, 100 * low, 100 * high, answers)


def skip_reason(
    *,
    refunded: bool,
    cancelled: bool,
    reachable: bool,
    held: str,
    in_cooldown: bool,
    due_at: datetime,
    recorded_at: datetime,
    imported: bool,
    at: datetime,
) -> str:
    """Why this person is not asked about this order; '' when they are. Times are aware UTC."""
    if cancelled:
        return "cancelled"
    if refunded:
        return "refunded"
    if at - due_at > STALE or (imported and recorded_at - due_at > STALE_IMPORT):
        return "too_old"
    if not reachable:
        return "no_address"
    return held or ("cooldown" if in_cooldown else "")


RISING_FROM = 5  # mentions; fewer are chance


def is_rising(now: int, of_now: int, before: int, of_before: int) -> bool:
    """Whether a theme comes up more than in the period before: `now` of `of_now` comments against `before`.

    A plain test that small numbers do not pass: five mentions and more, a share at least twice as large,
    and comments enough before to compare with.
    """
    return now >= RISING_FROM and of_before >= ENOUGH and now * of_before >= 2 * before * of_now
