"""Credit an order to the advocate who sent the buyer: once, with the evidence and the reason kept."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from customers.models import Order
from referrals import rules
from referrals.models import Claim, Program, Referral, ReferralEvent, ShareLink
from referrals.services.claims import bought_before, is_own
from referrals.services.links import find_link
from rewards.models import Redemption, Voucher
from stores.models import Store
from stores.tenancy import StoreQuerySet

logger = logging.getLogger(__name__)

LOOK_BACK = timedelta(hours=1)


@dataclass(frozen=True)
class Trace:
    """What leads from an order to a share link."""

    link: ShareLink
    evidence: Referral.Evidence


def attribute_order(order: Order, *, at: datetime, link: ShareLink | None = None) -> Referral | None:
    """The order's referral, made if a share link led to it; None when none did.

    `link` is the share link whose code was used at the counter. What speaks against it (own code,
    known customer, refund) makes the referral voided from the start, with that reason.
    """
    known = Referral.objects.filter(store_id=order.store_id, order=order).select_related("advocate").first()
    if known:
        return known
    trace = Trace(link, Referral.Evidence.CODE) if link else _trace(order)
    if trace is None:
        return None
    reason = _reason_against(order, trace.link)
    try:
        with transaction.atomic():
            return _create(order, trace, reason, at)
    except IntegrityError:  # a twin credited this order, or this friend, first
        known = Referral.objects.filter(store_id=order.store_id, order=order).first()
        return known or _create(order, trace, Referral.Reason.KNOWN_CUSTOMER, at)


def _trace(order: Order) -> Trace | None:
    """By strength: a used gift, a code on the order, a claim by the same person."""
    store = order.store
    used = Redemption.objects.filter(store_id=order.store_id, order=order, reversed_at=None).values("voucher")
    claim = _claims(order).filter(Q(voucher__in=used) | Q(voucher__code=order.code, voucher__code__gt="")).first()
    if claim:
        return Trace(claim.link, Referral.Evidence.VOUCHER)
    link = find_link(store, order.code)
    if link:
        return Trace(link, Referral.Evidence.CODE)
    if order.customer_id:
        mine = _claims(order).filter(friend=order.customer_id, at__lte=order.placed_at, expires_at__gt=order.placed_at)
        claim = mine.first()
    return Trace(claim.link, Referral.Evidence.CLAIM) if claim else None


def _claims(order: Order) -> StoreQuerySet:
    rows: StoreQuerySet = Claim.objects.for_store(order.store).select_related("link__program", "link__customer")
    return rows


def _reason_against(order: Order, link: ShareLink) -> str:
    friend = order.customer
    return rules.reason_not_to_count(
        rules.Candidate(
            is_own=friend is not None and is_own(link, friend),
            bought_before=friend is not None and bought_before(friend, than=order),
            refunded=order.refunded_at is not None,
            cancelled=order.cancelled_at is not None,
            paused=link.program.status != Program.Status.LIVE,
        )
    )


def _create(order: Order, trace: Trace, reason: str, at: datetime) -> Referral:
    status = Referral.Status.VOIDED if reason else Referral.Status.PENDING
    referral = Referral.objects.create(
        store=order.store,
        program=trace.link.program,
        advocate=trace.link.customer,
        friend=order.customer,
        order=order,
        link=trace.link,
        friend_offer_id=trace.link.program.friend_offer_id,
        ladder_id=trace.link.program.ladder_id,
        evidence=trace.evidence,
        status=status,
        reason=reason,
        created_at=at,
        hold_until=order.placed_at + timedelta(days=trace.link.program.hold_days),
        decided_at=at if reason else None,
    )
    ReferralEvent.objects.create(store=order.store, referral=referral, status=status, reason=reason, at=at)
    return referral


def attribute_orders(store: Store, at: datetime, *, since: datetime | None = None) -> int:
    """Credit orders changed after `since` (None: the last hour) that carry a code or match a claim."""
    claimed = Claim.objects.filter(store=OuterRef("store"), friend=OuterRef("customer"))
    used = Redemption.objects.filter(store=OuterRef("store"), order=OuterRef("pk"))
    orders = (
        Order.objects.for_store(store)
        .filter(updated_at__gte=since or at - LOOK_BACK, referral=None)
        .filter(~Q(code="") | Exists(claimed) | Exists(used))
        .select_related("customer", "store")
        .order_by("placed_at", "pk")
    )
    credited = 0
    for order in orders:
        try:
            with transaction.atomic():
                credited += attribute_order(order, at=at) is not None
        except Exception:  # one bad row must not stop the others
            logger.exception("order %s not attributed", order.public_id)
    return credited


def gift_was_given(referral: Referral) -> bool:
    """Whether the friend already has their side: used with this order, or waiting as their voucher."""
    if Redemption.objects.filter(store_id=referral.store_id, order=referral.order_id, reversed_at=None).exists():
        return True
    return Voucher.objects.filter(store_id=referral.store_id, key=f"friend:{referral.friend_id}").exists()
