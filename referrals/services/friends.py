"""News of friends: what advocates and the friends themselves are told, and how its facts are found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from customers.models import Order
from outreach.kinds import Kind
from outreach.models import Journey, Message
from outreach.starting import Fact
from outreach.sweeping import Sweep, Touch
from referrals.models import Claim, Referral
from referrals.services.links import have_shared, landing_url
from referrals.services.programs import programs_for
from referrals.services.values import Gains, to_share
from rewards.models import Reward
from rewards.services import telling
from rewards.wording import lazy_offer_text, lazy_tier_text
from stores.models import Store


def _claimed(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    """A friend took the gift, and has not bought yet: of that the next message tells."""
    bought = Referral.objects.filter(store=OuterRef("store"), friend=OuterRef("friend"))
    claims = Claim.objects.for_store(store).filter(at__gte=since, at__lte=at).exclude(Exists(bought))
    rows = list(claims.select_related("link__customer", "friend", "terms").order_by("at", "pk"))
    if not rows:
        return
    gains = Gains(store, {claim.terms.ladder_id for claim in rows}, [claim.link.customer_id for claim in rows])
    for claim in rows:
        advocate = claim.link.customer
        yield Fact(
            advocate,
            key=f"friend_claimed:{claim.pk}",
            at=claim.at,
            about=f"claim:{claim.pk}",
            values={
                "friend": claim.friend.short_name,
                "you_get": gains.next_for(advocate.pk, claim.terms.ladder_id),
                "links": telling.own_page(advocate),
            },
        )


def _bought(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    """A friend's order waits out its return window; where none is left the reward itself is the news."""
    waiting = Referral.objects.for_store(store).filter(status=Referral.Status.PENDING, hold_until__gt=at)
    fresh = waiting.filter(created_at__gte=since, created_at__lte=at)
    rows = list(fresh.select_related("advocate", "friend", "terms").order_by("created_at", "pk"))
    gains = Gains(store, {one.terms.ladder_id for one in rows}, {one.advocate_id for one in rows})
    for referral in rows:
        yield Fact(
            referral.advocate,
            key=f"friend_bought:{referral.pk}",
            at=referral.created_at,
            about=f"referral:{referral.pk}",
            values={
                "friend": _friend(referral),
                "you_get": gains.next_for(referral.advocate_id, referral.terms.ladder_id),
                "counts_on": referral.hold_until.astimezone(store.zone).date().isoformat(),
                "links": telling.own_page(referral.advocate),
            },
        )


def _friend(referral: Referral) -> str:
    """The friend as the advocate may see them; '' for a guest."""
    return referral.friend.short_name if referral.friend else ""


def _approved(store: Store, since: datetime, at: datetime) -> list[Referral]:
    rows = Referral.objects.for_store(store).filter(status=Referral.Status.APPROVED)
    rows = rows.filter(decided_at__gte=since, decided_at__lte=at)
    return list(rows.select_related("advocate", "friend", "terms").order_by("decided_at", "pk"))


def _counted(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    """A friend counts and brought the advocate nothing that a message of its own tells of."""
    rows = _approved(store, since, at)
    told = _told_by_reward(store, rows, since)
    for referral in rows:
        if referral.pk not in told:
            assert referral.decided_at is not None
            yield Fact(
                referral.advocate,
                key=f"friend_approved:{referral.pk}",
                at=referral.decided_at,
                about=f"referral:{referral.pk}",
                values={
                    "friend": _friend(referral),
                    "friends": referral.number,
                    "links": telling.own_page(referral.advocate),
                },
            )


def _told_by_reward(store: Store, rows: list[Referral], since: datetime) -> set[int]:
    """Ids of the referrals whose reward to the advocate has its own message."""
    if not rows:
        return set()
    given = Reward.objects.for_store(store).filter(
        side=Reward.Side.ADVOCATE, customer__in={one.advocate_id for one in rows}, granted_at__gte=since
    )
    # deciding names a reward "referral:<id>:..." and its message "reward:<id>".
    by_message = {f"reward:{pk}": key.split(":")[1] for pk, key in given.values_list("pk", "key")}
    sent = Message.objects.for_store(store).filter(key__in=by_message).values_list("key", flat=True)
    return {int(by_message[key]) for key in sent if by_message[key].isdigit()}


def _tier_reached(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    """A friend lifted the advocate to a step above the lowest."""
    rows = _approved(store, since, at)
    gains = Gains(store, {one.terms.ladder_id for one in rows}, ())
    for referral in rows:
        tier = gains.reached_with(referral.number or 0, referral.terms.ladder_id)
        if tier:
            assert referral.decided_at is not None
            yield Fact(
                referral.advocate,
                key=f"tier_reached:{referral.advocate_id}:{tier.threshold}",
                at=referral.decided_at,
                about=f"referral:{referral.pk}",
                values={
                    "tier": lazy_tier_text(tier),
                    "friends": referral.number,
                    "you_get": lazy_offer_text(tier.offer, store),
                    "links": telling.own_page(referral.advocate),
                },
            )


def _tier_near(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    """A friend brought the advocate to one short of a step of the ladder as it is now.

    Who is there because another friend stopped counting since then is not cheered on.
    """
    newest = {referral.advocate_id: referral for referral in _approved(store, since, at)}
    if not newest:
        return
    lost = dict(
        Referral.objects.for_store(store)
        .filter(advocate__in=newest, status=Referral.Status.VOIDED)
        .order_by("decided_at")
        .values_list("advocate_id", "decided_at")
    )
    ladders = {pk: program.terms.ladder_id for pk, program in programs_for(store, newest, at).items()}
    gains = Gains(store, set(ladders.values()), newest)
    for advocate, referral in newest.items():
        assert referral.decided_at is not None
        tier = gains.step_above(advocate, ladders.get(advocate, 0))
        fell = lost.get(advocate, referral.decided_at) > referral.decided_at
        if tier and not fell and tier.threshold - gains.number(advocate) == 1:
            yield Fact(
                referral.advocate,
                key=f"tier_near:{advocate}:{tier.threshold}",
                at=referral.decided_at,
                about=f"referral:{referral.pk}",
                values={
                    "tier": lazy_tier_text(tier),
                    "missing": 1,
                    "you_get": lazy_offer_text(tier.offer, store),
                },
            )


def _gift_expiring(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    """The gift a friend took ends soon and they have bought nothing since."""
    near = {voucher.pk: voucher for voucher in telling.ending(store, journey, since, at) if not voucher.reward_id}
    bought = Order.objects.filter(store=OuterRef("store"), customer=OuterRef("friend"), placed_at__gte=OuterRef("at"))
    claims = Claim.objects.for_store(store).filter(voucher__in=near).exclude(Exists(bought))
    for claim in claims.select_related("link__customer").order_by("pk"):
        voucher = near[claim.voucher_id or 0]
        assert voucher.offer is not None
        yield telling.ends_soon(
            store,
            journey,
            voucher,
            gift=lazy_offer_text(voucher.offer, store),
            friend=claim.link.customer.short_name,
            links={"landing": landing_url(claim.link)},
        )


def _brought_here(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    """Somebody whom a friend sent has what they bought, and has not passed it on.

    Source: EFFECTIVENESS 1, referred customers who are reminded of it refer 21 % more.
    """
    changed = Order.objects.for_store(store).standing().filter(updated_at__gte=since, updated_at__lte=at).values("pk")
    live = Referral.objects.for_store(store).exclude(status=Referral.Status.VOIDED).exclude(friend=None)
    stirred = live.filter(Q(created_at__gte=since, created_at__lte=at) | Q(order__in=changed))
    rows = list(stirred.select_related("friend", "advocate", "order").order_by("pk"))
    shared = have_shared(store, {one.friend_id for one in rows}) if rows else set()
    for referral in rows:
        order = referral.order
        handed_over = order.placed_at if order.location_id or not store.delivers else None
        arrived = order.delivered_at or handed_over
        if arrived and referral.friend_id not in shared and not (order.refunded_at or order.cancelled_at):
            yield Fact(
                referral.friend,
                key=f"brought_here:{referral.pk}",
                at=arrived,
                about=f"order:{order.pk}",
                values={"friend": referral.advocate.short_name},
            )


CREDITED, COUNTED = Touch(Referral, "created_at"), Touch(Referral, "decided_at", where="status = 'approved'")
STEPS = (
    Sweep(Kind.FRIEND_CLAIMED, _claimed, touches=(Touch(Claim, "at"),)),
    Sweep(Kind.FRIEND_BOUGHT, _bought, touches=(CREDITED,)),
    Sweep(Kind.FRIEND_APPROVED, _counted, touches=(COUNTED,)),
    Sweep(Kind.TIER_REACHED, _tier_reached, touches=(COUNTED,)),
    Sweep(Kind.TIER_NEAR, _tier_near, to_share, touches=(COUNTED,), asks=True),
    Sweep(Kind.BROUGHT_HERE, _brought_here, to_share, touches=(CREDITED, Touch(Order, "updated_at")), asks=True),
)
ENDINGS = (Sweep(Kind.GIFT_EXPIRING, _gift_expiring, touches=(telling.ENDING,), when_due=True),)
