"""Whom an order is credited to when several speak for it: pure decisions, each with its reason.

A lead is one thing that led the buyer here. The strongest lead wins by a total order of all leads, so
neither the order in which they were found nor a lead that loses can change the winner.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from referrals.models import Referral

Evidence = Referral.Evidence
# The strongest first. An order of the owner's own that leaves some out is followed by these.
STRENGTH = (
    Evidence.STAFF,
    Evidence.VOUCHER,
    Evidence.CODE,
    Evidence.RECEIPT,
    Evidence.CLAIM,
    Evidence.VISIT,
    Evidence.NAME,
)


class Why(StrEnum):
    """Why a lead was not credited; CHOSEN for the one that was."""

    CHOSEN = ""
    LATE = "late"  # its time was over
    OWN = "own"  # it leads to the buyer themself
    BOUND = "bound"  # the buyer had taken somebody else's gift, and stays their friend
    WEAKER = "weaker"  # other evidence is stronger
    TOUCH = "touch"  # of the same strength, and not the first (or last)
    SAME = "same"  # leads to the advocate who was credited
    STAFF = "staff"  # the store decided for somebody else


@dataclass(frozen=True)
class Policy:
    """How a store's terms choose."""

    strength: tuple[str, ...] = STRENGTH
    first_touch: bool = False
    is_sticky: bool = True


@dataclass(frozen=True)
class Lead:
    """Something that led a buyer to a share link, `at` a moment (aware UTC)."""

    link: int
    advocate: int
    evidence: str
    at: datetime
    in_time: bool = True
    is_own: bool = False  # the buyer is the advocate
    binds: bool = False  # the buyer took this link's gift


@dataclass(frozen=True)
class Judged:
    """A lead, and why it was not chosen."""

    lead: Lead
    why_not: Why


def strength_of(wanted: Sequence[str]) -> tuple[str, ...]:
    """The owner's order of evidence, completed by our own; what we do not know is left out."""
    known = [one for one in dict.fromkeys(wanted) if one in Evidence.values]
    return tuple(known) + tuple(one for one in STRENGTH if one not in known)


def judge(leads: Iterable[Lead], policy: Policy) -> list[Judged]:
    """Every lead, strongest first, with why it was not chosen; none is chosen when the time of all is over."""
    ranked = sorted(set(leads), key=lambda lead: _key(lead, policy))
    if not ranked:
        return []
    best = ranked[0]
    return [Judged(lead, _why_not(lead, best, policy)) for lead in ranked]


def _key(lead: Lead, policy: Policy) -> tuple[Any, ...]:
    """What leads are compared by, the strongest first."""
    bound = _binds(lead, policy)
    moment = lead.at.timestamp()
    return (
        not lead.in_time,
        lead.is_own,
        not bound,
        moment if bound else 0,  # of several gifts the first binds, whatever speaks for the others
        policy.strength.index(lead.evidence),
        moment if policy.first_touch else -moment,
        lead.link,
        lead.binds,
        lead.advocate,
    )


def _binds(lead: Lead, policy: Policy) -> bool:
    return policy.is_sticky and lead.binds


def _why_not(lead: Lead, best: Lead, policy: Policy) -> Why:
    if not lead.in_time:
        return Why.LATE
    if lead is best:
        return Why.CHOSEN
    if lead.advocate == best.advocate:
        return Why.SAME
    if lead.is_own:
        return Why.OWN
    if _binds(best, policy):
        return Why.BOUND
    return Why.WEAKER if lead.evidence != best.evidence else Why.TOUCH


def as_row(lead: Lead, why_not: str, *, link: str, advocate: str, words: str = "") -> dict[str, Any]:
    """A lead as `Referral.candidates` keeps it; `link` and `advocate` are public ids, so erasing finds no name here."""
    row = {
        "link": link,
        "advocate": advocate,
        "evidence": str(lead.evidence),
        "at": lead.at.isoformat(),
        "chosen": not why_not,
        "why_not": str(why_not),
    }
    return {**row, "words": words} if words else row
