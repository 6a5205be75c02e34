"""Judge referrals: their signals, the score, and what follows. Writes nothing but signals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from referrals.fraud import facts, rules
from referrals.fraud.rules import Signals, Verdict
from referrals.fraud.settings import Strictness, strictness_of
from referrals.models import Referral, Signal
from stores.models import Store
from stores.tenancy import insert_new

Reason = Referral.Reason


@dataclass(frozen=True)
class Finding:
    """What the checks found about a referral."""

    signals: Signals
    weights: dict[str, int]
    score: int
    verdict: Verdict
    is_blocked: bool = False

    @property
    def reason(self) -> str:
        """Why it is refused, a Referral.Reason; '' when it is not."""
        if self.is_blocked:
            return Reason.BLOCKED
        return Reason.CHECKS if self.verdict is Verdict.REFUSE else Reason.NONE

    @property
    def status(self) -> Referral.Status:
        """The state that follows for a referral that waits."""
        if self.reason:
            return Referral.Status.VOIDED
        return Referral.Status.FLAGGED if self.verdict is Verdict.HOLD else Referral.Status.PENDING


def look(store: Store, referrals: Sequence[Referral], at: datetime) -> list[Finding]:
    """What speaks against each of these referrals, saved or not, in their order; a bounded number of queries."""
    if not referrals:
        return []
    strict = strictness_of(store)
    return [_judge(one, strict) for one in facts.read(store, referrals, at)]


def _judge(known: rules.Facts, strict: Strictness) -> Finding:
    found = rules.signals(known)
    points = rules.score(found, strict.weights)
    if known.blocked:
        return Finding(found, strict.weights, points, Verdict.REFUSE, is_blocked=True)
    verdict = rules.verdict(points, hold_at=strict.hold_at, refuse_at=strict.refuse_at)
    return Finding(found, strict.weights, points, verdict)


def note_signals(referral: Referral, finding: Finding, *, at: datetime, known: Iterable[str] = ()) -> int:
    """Write down the signals that are not `known` of this referral yet; how many were new."""
    fresh = [
        Signal(
            store_id=referral.store_id,
            referral=referral,
            name=name,
            weight=finding.weights[name],
            detail=detail,
            at=at,
        )
        for name, detail in finding.signals.items()
        if name not in set(known)
    ]
    return sum(insert_new(row) for row in fresh)
