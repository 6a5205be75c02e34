"""Approve and void: the only writer of Referral.status after attribution."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import translation

from customers.models import Customer
from outreach.journeys import journey_of, start
from outreach.kinds import Kind
from outreach.models import Journey
from outreach.rendering import language_of, unsubscribe_url
from referrals.models import Referral, ReferralEvent
from referrals.services.attribution import gift_was_given
from referrals.services.claims import gives_credit_later
from rewards.models import Reward
from rewards.services import granting, telling, vouchers
from rewards.wording import offer_text
from stores.codes import spaced
from stores.models import Store, User

logger = logging.getLogger(__name__)


class HoldOpen(Exception):
    """The return window of this referral is still open."""


def approve_referral(referral: Referral, *, at: datetime, by: User | None = None, by_hand: bool = False) -> bool:
    """Count a referral towards its advocate's tier and grant what both sides earned.

    `at` is aware UTC; `by` is the deciding staff member, None for the sweep; `by_hand` says that
    the shop's own system decides, and may do so early as staff may. True if this call moved it, False
    if it had already left pending/flagged. Raises HoldOpen before `hold_until`.
    """
    if by is None and not by_hand and at < referral.hold_until:
        raise HoldOpen(referral.public_id)
    with transaction.atomic():
        number = _approved(_locked_advocate(referral)) + 1
        moved = _move(referral, Referral.Status.APPROVED, at=at, by=by, number=number)
        if moved:
            _grant_both(referral, number, at)
    return moved


def _locked_advocate(referral: Referral) -> Customer:
    """Hold the advocate's row, so that two approvals at once count one after the other."""
    return Customer.objects.select_for_update().get(pk=referral.advocate_id, store_id=referral.store_id)


def _approved(advocate: Customer) -> int:
    return Referral.objects.filter(
        store_id=advocate.store_id, advocate=advocate, status=Referral.Status.APPROVED
    ).count()


def _grant_both(referral: Referral, number: int, at: datetime) -> None:
    ladder, key = referral.ladder, f"referral:{referral.pk}"
    rewards = granting.grant_tiers(ladder, referral.advocate, number=number, key=key, at=at)
    offer = referral.friend_offer
    if referral.friend and (gives_credit_later(offer) or not gift_was_given(referral)):
        rewards.append(granting.grant(referral.friend, offer, side=Reward.Side.FRIEND, key=f"{key}:friend", at=at))
    journey = journey_of(referral.store, Kind.REWARD)
    for reward in rewards:
        _tell(referral, reward, journey, at)


def _tell(referral: Referral, reward: Reward, journey: Journey, at: datetime) -> None:
    """The good news, by a service message; to the advocate with the friend who brought it."""
    store, customer, voucher = referral.store, reward.customer, vouchers.voucher_of(reward)
    assert voucher is not None  # granting a reward issues it
    is_advocate = reward.side == Reward.Side.ADVOCATE
    with translation.override(language_of(store, customer)):
        gift = offer_text(reward.offer, store)
    start(
        customer,
        journey,
        key=f"reward:{reward.pk}",
        context={
            "gift": gift,
            "code": spaced(voucher.code),
            "until": telling.last_day(store, voucher),
            "is_advocate": is_advocate,
            "friend": referral.friend.short_name if is_advocate and referral.friend else "",
            "links": {**telling.own_page(customer), "unsubscribe": unsubscribe_url(store, customer)},
        },
        fact_at=at,
        at=at,
        about=vouchers.about(voucher.pk),
    )


def void_referral(referral: Referral, *, reason: Referral.Reason, at: datetime, by: User | None = None) -> bool:
    """Stop counting a referral and take back what it brought to both sides; True if this call did it."""
    with transaction.atomic():
        advocate = _locked_advocate(referral)
        moved = _move(referral, Referral.Status.VOIDED, at=at, by=by, reason=reason)
        if moved:
            key = f"referral:{referral.pk}"
            granting.take_back_tiers(advocate, number=_approved(advocate), key=key, reason=reason, at=at)
            friends = Reward.objects.filter(store_id=referral.store_id, key=f"{key}:friend")
            for reward in friends.select_related("offer", "customer", "store"):
                granting.take_back(reward, reason=reason, at=at)
    return moved


def _move(
    referral: Referral,
    to: Referral.Status,
    *,
    at: datetime,
    by: User | None,
    reason: str = "",
    number: int | None = None,
) -> bool:
    sources = [source for source, targets in Referral.MOVES.items() if to in targets]
    # Claim by guarded UPDATE: of two racing callers exactly one sees a row.
    moved = Referral.objects.filter(pk=referral.pk, store_id=referral.store_id, status__in=sources).update(
        status=to, reason=reason, decided_at=at, number=number
    )
    if moved:
        ReferralEvent.objects.create(
            store_id=referral.store_id, referral=referral, status=to, reason=reason, at=at, by=by
        )
        referral.status, referral.reason = to, reason
    return moved == 1


def approve_due(store: Store, at: datetime, *, limit: int = 500) -> int:
    """Approve referrals whose hold is over."""
    approved = 0
    due = list(Referral.objects.for_store(store).due(at).values_list("pk", flat=True)[:limit])
    for referral in _whole(store, due):
        try:
            approved += approve_referral(referral, at=at)
        except Exception:  # one bad row must not stop the others
            logger.exception("referral %s not approved", referral.public_id)
    return approved


def _whole(store: Store, pks: list[int]) -> list[Referral]:
    """These referrals, oldest first, with what deciding needs; no second query when there are none."""
    if not pks:
        return []
    rows = Referral.objects.for_store(store).filter(pk__in=pks).order_by("hold_until", "pk")
    return list(rows.select_related("ladder", "friend_offer", "advocate", "friend", "order", "store"))


def void_refunded(store: Store, at: datetime) -> int:
    """Void referrals whose order was refunded in full or cancelled."""
    live = [Referral.Status.PENDING, Referral.Status.FLAGGED, Referral.Status.APPROVED]
    gone = (
        Referral.objects.for_store(store)
        .filter(status__in=live)
        .filter(~Q(order__refunded_at=None) | ~Q(order__cancelled_at=None))
    )
    voided = 0
    for referral in _whole(store, list(gone.values_list("pk", flat=True))):
        cancelled = referral.order.cancelled_at is not None
        reason = Referral.Reason.CANCELLED if cancelled else Referral.Reason.REFUNDED
        try:
            voided += void_referral(referral, reason=reason, at=at)
        except Exception:  # one bad row must not stop the others
            logger.exception("referral %s not voided", referral.public_id)
    return voided
