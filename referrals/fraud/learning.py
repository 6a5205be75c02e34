"""How often people confirmed each signal and how often they overturned it; weights may follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, Subquery, Value, When

from referrals.fraud import settings
from referrals.fraud.rules import WEIGHTS, Name, followed
from referrals.models import Appeal, CheckSettings, Referral, ReferralEvent, Signal
from stores.models import Store

LOOK_BACK = timedelta(days=365)
Status = Referral.Status


@dataclass(frozen=True)
class Record:
    """What became of held referrals with this signal: a person voided them, or counted them all the same."""

    name: str
    confirmed: int = 0
    overturned: int = 0

    @property
    def decided(self) -> int:
        """How many a person decided."""
        return self.confirmed + self.overturned

    @property
    def share_overturned(self) -> float | None:
        """The share a person counted all the same; None where nobody decided."""
        return self.overturned / self.decided if self.decided else None


def records(store: Store, at: datetime) -> dict[str, Record]:
    """Every signal's record of the last year; one query.

    The last word of a person on a referral that the checks held counts, and an appeal that was accepted.
    A refund afterwards changes nothing: it says nothing about the suspicion.
    """
    events = ReferralEvent.objects.filter(store=OuterRef("store"), referral=OuterRef("referral"))
    by_person = events.filter(by__isnull=False, status__in=[Status.APPROVED, Status.VOIDED]).order_by("-pk")
    appeals = Appeal.objects.filter(
        store=OuterRef("store"), referral=OuterRef("referral"), status=Appeal.Status.ACCEPTED
    )
    rows = Signal.objects.for_store(store).filter(at__gte=at - LOOK_BACK, at__lte=at)
    held = rows.filter(Exists(events.filter(status=Status.FLAGGED)) | Exists(appeals))
    judged = held.annotate(
        word=Case(
            When(Exists(appeals), then=Value(str(Status.APPROVED))),
            default=Subquery(by_person.values("status")[:1]),
            output_field=CharField(),
        )
    )
    counted = (
        judged.order_by()
        .values_list("name")
        .annotate(
            confirmed=Count("pk", filter=Q(word=Status.VOIDED)), overturned=Count("pk", filter=Q(word=Status.APPROVED))
        )
    )
    found = {name: Record(name, confirmed, overturned) for name, confirmed, overturned in counted}
    return {name: found.get(name, Record(name)) for name in Name.values}


def follow(store: Store, at: datetime) -> int:
    """Bring the weights in line with what people decided, where the store wishes so; how many changed.

    Each night starts from the default, so that it never runs away: the same decisions give the same weight.
    """
    if not CheckSettings.objects.for_store(store).filter(weights_follow=True).exists():
        return 0
    known, now = records(store, at), settings.strictness_of(store)
    weights = {
        name: followed(default, confirmed=known[name].confirmed, overturned=known[name].overturned)
        for name, default in WEIGHTS.items()
    }
    settings.change(store, replace(now, weights=weights), by=None, at=at)
    return sum(weights[name] != now.weights[name] for name in weights)
