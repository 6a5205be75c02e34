"""What a refund or a cancellation does to referrals and to what they brought.

The state of the order decides, not the order in which its reports came: each sweep compares what an
order says now with what its rewards are worth, so that a second run, or a report that comes late or
twice, changes nothing. Orders that changed lately are looked at; every night all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import CharField, Exists, OuterRef, Q, Value, prefetch_related_objects
from django.db.models.functions import Cast, Concat

from referrals.models import Referral
from referrals.services import deciding, later
from rewards.models import Offer, Reward, Terms
from rewards.services import reducing
from stores.models import Store
from stores.tenancy import StoreQuerySet

LOOK_BACK = timedelta(days=2)  # a shop may be late to tell
READ = ("offer", "customer__store", "store", "terms__budget", "voucher", "fulfilment")  # of a reward
GONE = ~Q(order__refunded_at=None) | ~Q(order__cancelled_at=None)
LIVE = (Referral.Status.PENDING, Referral.Status.FLAGGED, Referral.Status.APPROVED)


def answer_refunds(store: Store, at: datetime, *, since: datetime | None = None) -> int:
    """Everything below for orders that changed after `since` (None: in the two days before `at`, aware UTC)."""
    since = since or at - LOOK_BACK
    return (
        void_refunded(store, at, since=since)
        + reduce_refunded(store, at, since=since)
        + later.answer_refunds(store, at, since=since)
    )


def void_refunded(store: Store, at: datetime, *, since: datetime) -> int:
    """Void referrals whose order was cancelled, or sent back in full, or more of it than the terms allow."""
    rows = _changed(store, since).filter(GONE | _part_counts(), status__in=LIVE)
    found = deciding.whole(store, list(rows.values_list("pk", flat=True)))
    return deciding.for_each([one for one in found if _reason(one)], lambda one: _void(one, at))


def _changed(store: Store, since: datetime) -> StoreQuerySet:
    rows: StoreQuerySet = Referral.objects.for_store(store).filter(order__updated_at__gte=since)
    return rows


def _part_counts() -> Q:
    """Part came back, and the terms do not look away."""
    return Q(order__refunded_minor__gt=0) & ~Q(terms__refund=Terms.Refund.KEEP)


def _is_worth_less() -> Q:
    """A commission was given on more than the order comes to now."""
    given = Reward.objects.filter(
        store=OuterRef("store"), offer__kind=Offer.Kind.COMMISSION, order_minor__gt=OuterRef("order__total_minor")
    )
    start = Concat(Value("referral:"), Cast(OuterRef("pk"), CharField()), Value(":"))
    mine = given.filter(customer=OuterRef("advocate"), key__startswith=start)
    return Q(Exists(mine)) | Q(Exists(given.filter(key=Concat(start, Value("second")))))


def _reason(referral: Referral) -> str:
    order = referral.order
    if order.cancelled_at:
        return Referral.Reason.CANCELLED
    return Referral.Reason.REFUNDED if order.refunded_at else deciding.reason_by_refund(referral)


def _void(referral: Referral, at: datetime) -> bool:
    return deciding.void_referral(referral, reason=Referral.Reason(_reason(referral)), at=at)


def reduce_refunded(store: Store, at: datetime, *, since: datetime) -> int:
    """Make smaller what came of purchases of which part was sent back, by the terms' rule; or exchanged for less."""
    counted = _changed(store, since).filter(status=Referral.Status.APPROVED).exclude(GONE)
    rows = counted.filter(_part_counts() | _is_worth_less())
    found = deciding.whole(store, list(rows.values_list("pk", flat=True)))
    prefetch_related_objects(found, "terms__ladder__tiers")
    brought = [(reward, deciding.kept_of(reward, one.terms, one.order)) for reward, one in _brought(store, found)]
    too_much = [pair for pair in brought if reducing.has_too_much(*pair)]
    return deciding.for_each(too_much, lambda pair: deciding.make_smaller(*pair, at=at))


def _brought(store: Store, referrals: Sequence[Referral]) -> list[tuple[Reward, Referral]]:
    """What these referrals brought to whom, each with its referral."""
    keys = {key: one for one in referrals for key in _keys(one)}
    if not keys:
        return []
    rows = Reward.objects.for_store(store).filter(key__in=keys).exclude(status=Reward.Status.VOIDED)
    joined = rows.select_related(*READ).order_by("pk")
    return [(reward, keys[reward.key]) for reward in joined]


def _keys(referral: Referral) -> list[str]:
    start = f"referral:{referral.pk}"
    steps = [f"{start}:{tier.gives}:{tier.pk}" for tier in referral.terms.ladder.tiers.all()]
    return [f"{start}:advocate", f"{start}:second", f"{start}:friend", *steps]
