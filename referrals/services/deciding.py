"""Approve and void: the only writer of Referral.status after attribution."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TypeVar

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from customers.models import Customer, Order
from referrals import rules
from referrals.models import Referral, ReferralEvent
from referrals.services import boosts
from referrals.services.claims import gift_was_given
from referrals.services.promising import keep_promise
from rewards.models import Offer, Reward, Terms
from rewards.services import budgets, granting, reducing, telling, vouchers
from stores.models import Store, User

logger = logging.getLogger(__name__)
Row = TypeVar("Row")

# What deciding about a referral needs.
JOINED = (
    "terms__ladder", "terms__friend_offer", "terms__second_offer", "terms__budget", "promise__budget", "promise__store",
    "advocate__store", "friend__store", "order", "store",
)  # fmt: skip


class HoldOpen(Exception):
    """The return window of this referral is still open."""


def approve_referral(referral: Referral, *, at: datetime, by: User | None = None, by_hand: bool = False) -> bool:
    """Count a referral towards its advocate's tier and grant what both sides earned.

    `at` is aware UTC; `by` is the deciding staff member, None for the sweep; `by_hand` says that
    the shop's own system decides, and may do so early as staff may. True if this call moved it, False
    if it had already left pending/flagged, or is flagged and the sweep asks. Raises HoldOpen before `hold_until`.
    """
    if by is None and not by_hand and at < referral.hold_until:
        raise HoldOpen(referral.public_id)
    try:
        with transaction.atomic():
            number = _approved(locked_advocate(referral)) + 1
            # What was held while the sweep had it in hand waits for a person.
            only = None if by or by_hand else Referral.Status.PENDING
            moved = _move(referral, Referral.Status.APPROVED, at=at, by=by, number=number, only=only)
            if moved:
                _grant_both(referral, number, at)
    except budgets.Exhausted:
        _wait_for_room(referral, at, by)
        return False
    return moved


def lacks_room(referral: Referral) -> bool:
    """Whether it waits because the budget has no room for what it earns."""
    return referral.status == Referral.Status.FLAGGED and referral.reason == Referral.Reason.FULL


def _wait_for_room(referral: Referral, at: datetime, by: User | None) -> None:
    """What it earns came out dearer than was promised and the budget has no room: a person decides.

    They may raise the budget and approve, or void. What was promised stays reserved, nothing is lost.
    """
    referral.refresh_from_db(fields=["status", "reason", "decided_at", "number"])
    undecided = (Referral.Status.PENDING, Referral.Status.FLAGGED)
    mine = Referral.objects.filter(pk=referral.pk, store_id=referral.store_id, status__in=undecided)
    if mine.exclude(reason=Referral.Reason.FULL).update(status=Referral.Status.FLAGGED, reason=Referral.Reason.FULL):
        _write_event(referral, Referral.Status.FLAGGED, Referral.Reason.FULL, by, at)
        referral.status, referral.reason = Referral.Status.FLAGGED, Referral.Reason.FULL


def locked_advocate(referral: Referral) -> Customer:
    """Hold the advocate's row, so that two approvals at once count one after the other.

    Whoever was found to be somebody else since the referral was read counts as that one.
    """
    advocate = Customer.objects.select_for_update().get(pk=referral.advocate_id, store_id=referral.store_id)
    if advocate.merged_into_id is None:
        return advocate
    referral.refresh_from_db(fields=["advocate", "friend"])
    if referral.advocate_id == advocate.pk:  # written to the row as it was merged away: it is brought along later
        return advocate
    return locked_advocate(referral)


def _approved(advocate: Customer) -> int:
    return _approved_of(advocate).count()


def _approved_of(advocate: Customer | None, *, store: Store | None = None) -> QuerySet[Referral]:
    """The approved referrals of an advocate; with None, of everybody in `store`."""
    store_id = advocate.store_id if advocate else store.pk  # type: ignore[union-attr]  # one of the two is given
    rows = Referral.objects.filter(store_id=store_id, status=Referral.Status.APPROVED).select_related("advocate__store")
    return rows.filter(advocate=advocate) if advocate else rows


def _grant_both(referral: Referral, number: int, at: datetime) -> None:
    """What both sides, and who sent the advocate, have earned; each told."""
    if referral.promise:
        keep_promise(referral.promise, at=at)
    rewards, gift_due = [], _gift_due(referral)
    if _is_rewarded(referral, at):
        earned_now = _earned(referral, number, gift_due)
        rewards += [granting.grant_earned(who, earned, at=at) for who, earned in earned_now]
    else:
        _write_event(referral, Referral.Status.APPROVED, Referral.Reason.LIMIT, None, at)
    if referral.friend and gift_due:
        key = f"referral:{referral.pk}:friend"
        gift = granting.Earned(gift_due, Reward.Side.FRIEND, key, terms=referral.terms)
        rewards.append(granting.grant_earned(referral.friend, gift, at=at))
    kept = share_of(referral.terms, referral.order)
    for reward in rewards:
        reducing.reduce(reward, kept, at=at)
        tell(referral, reward, at=at)


def share_of(terms: Terms, order: Order) -> Fraction:
    """Which share of what the order brought stands, by the terms' rule for partial refunds."""
    return rules.kept_share(terms.refund, total_minor=order.total_minor, refunded_minor=order.refunded_minor)


def kept_of(reward: Reward, terms: Terms, order: Order) -> Fraction:
    """Which share of a reward its order leaves standing: by refunds, and of a commission by an exchange for less."""
    kept = share_of(terms, order)
    if reward.order_minor is None or order.total_minor >= reward.order_minor or not reward.amount_minor:
        return kept
    if reward.offer.kind != Offer.Kind.COMMISSION:
        return kept
    return kept * Fraction(granting.worth(reward.offer, terms, order.total_minor), reward.amount_minor)


def _gift_due(referral: Referral) -> Offer | None:
    """The friend's gift where it is still to be given; None where they have it, or nobody is known."""
    offer = referral.terms.friend_offer
    is_due = referral.friend and (vouchers.is_given_later(offer) or not gift_was_given(referral))
    return offer if is_due else None


def _is_rewarded(referral: Referral, at: datetime) -> bool:
    """Whether the advocate is below the terms' limits."""
    terms = referral.terms
    if terms.most_rewards is None and terms.most_in_period is None:
        return True
    over = ReferralEvent.objects.filter(
        store_id=referral.store_id, referral=OuterRef("pk"), reason=Referral.Reason.LIMIT
    )
    rewarded = _approved_of(referral.advocate).exclude(pk=referral.pk).filter(~Exists(over))
    return rules.pays_again(
        rewarded=rewarded.count(),
        in_period=rewarded.filter(decided_at__gt=at - timedelta(days=terms.period_days)).count(),
        most=terms.most_rewards,
        most_in_period=terms.most_in_period,
    )


def _earned(referral: Referral, number: int, gift_due: Offer | None) -> list[tuple[Customer, granting.Earned]]:
    """Who has earned what by this referral: the advocate by their tiers, and whoever had sent the advocate.

    A boost makes it more where the budget has room for that beside the friend's gift.
    """
    terms, key = referral.terms, f"referral:{referral.pk}"
    tiers = granting.steps_of(terms.ladder)
    within = {
        days: _approved_of(referral.advocate).filter(decided_at__gt=_decided(referral) - timedelta(days=days)).count()
        for days in {tier.within_days for tier in tiers.values() if tier.within_days}
    }
    found = [
        (referral.advocate, earned) for earned in granting.earned_by(tiers, number, key=key, terms=terms, within=within)
    ]
    if terms.second_offer:
        first = _approved_of(None, store=referral.store).filter(friend=referral.advocate_id).first()
        if first and first.advocate_id != referral.friend_id:
            earned = granting.Earned(terms.second_offer, Reward.Side.ADVOCATE, f"{key}:second", terms=terms)
            found.append((first.advocate, earned))
    found = [(who, replace(earned, order_minor=referral.order.total_minor)) for who, earned in found]
    return boosts.boost_earned(terms, found, referral.order.placed_at, later=gift_due)


def _decided(referral: Referral) -> datetime:
    assert referral.decided_at is not None
    return referral.decided_at


def tell(referral: Referral, reward: Reward, *, at: datetime) -> None:
    """The good news, by a service message; to the advocate with the friend who brought it."""
    is_advocate = reward.side == Reward.Side.ADVOCATE
    friend = referral.friend.short_name if is_advocate and referral.friend else ""
    telling.tell_given(reward, at=at, is_advocate=is_advocate, friend=friend)


def void_referral(referral: Referral, *, reason: Referral.Reason, at: datetime, by: User | None = None) -> bool:
    """Stop counting a referral and take back what it brought to both sides; True if this call did it."""
    with transaction.atomic():
        advocate = locked_advocate(referral)
        moved = _move(referral, Referral.Status.VOIDED, at=at, by=by, reason=reason)
        if moved:
            key = f"referral:{referral.pk}"
            granting.take_back_tiers(advocate, number=_approved(advocate), key=key, reason=reason, at=at)
            for reward in _others(referral):
                granting.take_back(reward, reason=reason, at=at)
            if referral.promise:
                referral.promise.refresh_from_db()
                budgets.release(referral.promise, at=at)
    return moved


def _others(referral: Referral) -> list[Reward]:
    """What else it brought: to the friend, to who had sent the advocate, and to all of them by later purchases."""
    key = f"referral:{referral.pk}"
    rows = Reward.objects.filter(store_id=referral.store_id).select_related(
        "offer", "customer", "store", "terms__budget"
    )
    direct = list(rows.filter(key__in=(f"{key}:friend", f"{key}:second")))
    people = {referral.advocate_id, referral.friend_id, *(reward.customer_id for reward in direct)}
    return [*direct, *rows.filter(customer__in=people - {None}, key__startswith=f"{key}:order:").order_by("pk")]


def flag_referral(referral: Referral, *, at: datetime) -> bool:
    """Let a referral wait for a person, who alone may count it then; True if this call did it."""
    with transaction.atomic():
        return _move(referral, Referral.Status.FLAGGED, at=at, by=None)


def _move(
    referral: Referral,
    to: Referral.Status,
    *,
    at: datetime,
    by: User | None,
    reason: str = "",
    number: int | None = None,
    only: Referral.Status | None = None,
) -> bool:
    sources = [source for source, targets in Referral.MOVES.items() if to in targets and only in (None, source)]
    # Claim by guarded UPDATE: of two racing callers exactly one sees a row.
    moved = Referral.objects.filter(pk=referral.pk, store_id=referral.store_id, status__in=sources).update(
        status=to, reason=reason, decided_at=at, number=number
    )
    if moved:
        _write_event(referral, to, reason, by, at)
        referral.status, referral.reason, referral.decided_at = to, reason, at
    return moved == 1


def _write_event(referral: Referral, status: Referral.Status, reason: str, by: User | None, at: datetime) -> None:
    ReferralEvent.objects.create(
        store_id=referral.store_id, referral=referral, status=status, reason=reason, at=at, by=by
    )


def approve_due(store: Store, at: datetime, *, limit: int = 500) -> int:
    """Approve referrals whose hold is over."""
    due = list(Referral.objects.for_store(store).due(at).values_list("pk", flat=True)[:limit])
    stand = [one for one in whole(store, due) if not reason_by_refund(one)]  # the others: refunds.void_refunded
    return for_each(stand, lambda one: approve_referral(one, at=at))


def for_each(rows: Iterable[Row], step: Callable[[Row], object]) -> int:
    """Take a step with each, in a savepoint of its own; returns how many did something."""
    done = 0
    for row in rows:
        try:
            with transaction.atomic():
                done += bool(step(row))
        except Exception:  # one bad row must not stop the others
            logger.exception("%s: nothing was decided", row)
    return done


def make_smaller(reward: Reward, kept: Fraction, *, at: datetime) -> bool:
    """Leave of a reward the share `kept`, and tell its holder; take it back where that is nothing."""
    if kept == 0:
        return granting.take_back(reward, reason=Referral.Reason.REFUNDED, at=at)
    if not reducing.reduce(reward, kept, at=at):
        return False
    telling.tell_smaller(reward, at=at)
    return True


def reason_by_refund(referral: Referral) -> str:
    """Why a referral of whose order part came back counts no more, a Reason; '' while it does."""
    order, terms = referral.order, referral.terms
    return rules.reason_by_refund(
        terms.refund,
        total_minor=order.total_minor,
        refunded_minor=order.refunded_minor,
        minimum_minor=terms.minimum_order_minor,
    )


def whole(store: Store, pks: list[int]) -> list[Referral]:
    """These referrals, oldest first, with what deciding needs; no second query when there are none."""
    if not pks:
        return []
    rows = Referral.objects.for_store(store).filter(pk__in=pks).order_by("hold_until", "pk")
    return list(rows.select_related(*JOINED))
