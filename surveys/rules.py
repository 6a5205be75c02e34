"""Pure decisions about surveys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import sqrt

CHANGE_WINDOW = timedelta(days=14)
ANSWER_WINDOW = timedelta(days=90)
PROMISE = timedelta(hours=24)  # by when somebody answers an unhappy person
STALE = timedelta(days=30)  # an invitation this late would be harm
STALE_IMPORT = timedelta(days=2)  # for orders that came in already old, from a file


class Group(StrEnum):
    """What a score says. Source: Reichheld, "The One Number You Need to Grow", HBR 2003."""

    PROMOTER = "promoter"
    PASSIVE = "passive"
    DETRACTOR = "detractor"


def group_of(score: int) -> Group:
    """9-10 promoter, 7-8 passive, 0-6 detractor."""
    return Group.PROMOTER if score >= 9 else Group.PASSIVE if score >= 7 else Group.DETRACTOR


def may_be_asked(score: int, *, ask_passives: bool) -> bool:
    """Whether someone who answered `score` may be asked to refer; the unhappy never."""
    group = group_of(score)
    return group is Group.PROMOTER or (ask_passives and group is Group.PASSIVE)


@dataclass(frozen=True)
class NetPromoterScore:
    """NPS with its 95 % margin, both in points of -100..100; `answers` is the sample."""

    score: float
    margin: float
    answers: int


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
