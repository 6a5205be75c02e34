"""Look again at referrals that wait: some signals appear only later (returns, rings, many friends, a block)."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, Sum

from referrals.fraud import looking
from referrals.fraud.looking import Finding
from referrals.models import Referral, Signal
from referrals.services import deciding
from stores.models import Store

logger = logging.getLogger(__name__)

Status = Referral.Status
WAITING = [Status.PENDING, Status.FLAGGED]
AGAIN_AFTER = timedelta(hours=6)
JOINED = ("advocate", "friend", "order", "link", "program", *deciding.JOINED)


def examine_due(store: Store, at: datetime, *, limit: int = 200) -> int:
    """Look at waiting referrals that the checks have not seen for six hours, or that count within the hour."""
    waiting = Referral.objects.for_store(store).filter(status__in=WAITING)
    soon = Q(status=Status.PENDING, hold_until__lte=at + timedelta(hours=1), examined_at__lte=at - timedelta(hours=1))
    due = waiting.filter(Q(examined_at=None) | Q(examined_at__lte=at - AGAIN_AFTER) | soon)
    rows = due.order_by(F("examined_at").asc(nulls_first=True), "pk")[:limit]
    return examine(store, list(rows.select_related(*JOINED)), at)


def examine(store: Store, referrals: Sequence[Referral], at: datetime) -> int:
    """Write down what speaks against these by now; hold or refuse those that count by themselves otherwise.

    Whatever waits for a person already stays theirs to decide. Returns how many moved.
    """
    if not referrals:
        return 0
    findings = looking.look(store, referrals, at)
    known = _known(store, referrals)
    moved = 0
    pairs = zip(referrals, findings, strict=True)
    # In one order, so that two sweeps never wait for each other crosswise.
    for one, finding in sorted(pairs, key=lambda pair: (pair[0].advocate_id, pair[0].pk)):
        if set(finding.signals) <= known[one.pk] and finding.status in (Status.PENDING, one.status):
            continue
        try:
            moved += _apply(one, finding, at)
        except Exception:  # one bad row must not stop the others
            logger.exception("referral %s not examined", one.public_id)
    mine = Referral.objects.for_store(store).filter(pk__in=[one.pk for one in referrals], status__in=WAITING)
    mine.update(examined_at=at)
    return moved


def _known(store: Store, referrals: Iterable[Referral]) -> dict[int, set[str]]:
    """By referral id, the signals that are written down."""
    found: dict[int, set[str]] = defaultdict(set)
    rows = Signal.objects.for_store(store).filter(referral__in=[one.pk for one in referrals])
    for referral, name in rows.values_list("referral_id", "name"):
        found[referral].add(name)
    return found


def _apply(referral: Referral, finding: Finding, at: datetime) -> bool:
    """Note the new signals and take the step that follows, under the locks that deciding takes: advocate, referral."""
    with transaction.atomic():
        deciding.locked_advocate(referral)
        rows = Referral.objects.for_store(referral.store).filter(pk=referral.pk, status__in=WAITING)
        status = rows.select_for_update().values_list("status", flat=True).first()
        if status is None:
            return False
        if looking.note_signals(referral, finding, at=at):
            # The sum of what is written down: a twin may have found something else.
            total = Signal.objects.for_store(referral.store).filter(referral=referral).aggregate(n=Sum("weight"))["n"]
            rows.update(score=total or 0)
        return status == Status.PENDING and _step(referral, finding, at)


def _step(referral: Referral, finding: Finding, at: datetime) -> bool:
    if finding.reason:
        return deciding.void_referral(referral, reason=Referral.Reason(finding.reason), at=at)
    return finding.status == Status.FLAGGED and deciding.flag_referral(referral, at=at)
