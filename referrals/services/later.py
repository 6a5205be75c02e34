"""What a friend's later purchases bring: commission to who sent them, steps of a ladder to the friend.

Each purchase once, after the hold of the terms the friend came by. The keys of its rewards begin with
`referral:<pk>:order:<order pk>`, so that a second run grants nothing twice. Where the budget has no room
the referral's history says so (FULL), and the nightly repair tries again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import CharField, DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from customers.models import Customer, Order
from referrals import rules
from referrals.models import Referral, ReferralEvent
from referrals.services import boosts, deciding
from rewards.models import Offer, Reward, Terms, Tier
from rewards.services import budgets, granting, growing, reducing
from rewards.services.granting import Earned
from stores.models import Store

LOOK_BACK = timedelta(days=1)
BATCH = 500
READ = ("offer", "customer__store", "store", "terms__budget", "voucher", "fulfilment")  # of a reward
MINE = "customer__referrals_received__"
COMMISSION = Offer.Kind.COMMISSION


@dataclass(frozen=True)
class Purchase:
    """A friend's later order and the referral they came by."""

    order: Order
    referral: Referral

    @property
    def key(self) -> str:
        """What the keys of its rewards begin with."""
        return f"referral:{self.referral.pk}:order:{self.order.pk}"

    @property
    def is_gone(self) -> bool:
        """Whether it was cancelled or sent back altogether."""
        return self.order.cancelled_at is not None or self.order.refunded_at is not None


Due = tuple[Purchase, Customer, Earned]


def reward_later(store: Store, at: datetime, *, since: datetime | None = None) -> int:
    """Grant what later purchases brought whose hold ended after `since` (None: in the day before `at`, aware UTC).

    Returns how many rewards were new. A fixed number of queries for each 500 purchases that bring nothing new.
    """
    terms = _paying(store)
    if not terms:
        return 0
    rows, granted = _ripe(store, terms, since or at - LOOK_BACK, at), 0
    while batch := _batch(store, rows):
        granted += deciding.for_each(_new(store, batch), lambda due: _grant(*due, at))
    return granted


def _paying(store: Store) -> dict[int, int]:
    """The terms by which later purchases bring something: id -> days of hold."""
    kind = "offer__kind"
    ladder = Q(**{f"ladder__tiers__{kind}": COMMISSION}) | Q(**{f"ladder__tiers__choices__{kind}": COMMISSION})
    paying = Q(friend_ladder__isnull=False) | Q(second_offer__kind=COMMISSION) | ladder
    return dict(Terms.objects.for_store(store).filter(paying).values_list("pk", "hold_days"))


def _later_orders(store: Store, terms: Iterable[int]) -> QuerySet[Order]:
    """Orders of friends whose referral counts, with it as `referral_pk`; not the referral's own."""
    orders = Order.objects.for_store(store).filter(
        **{
            f"{MINE}status": Referral.Status.APPROVED,
            f"{MINE}terms__in": list(terms),
            f"{MINE}order__placed_at__lte": F("placed_at"),
        }
    )
    known = orders.annotate(referral_pk=F(f"{MINE}pk"), first_pk=F(f"{MINE}order"), hold=_hold())
    rows: QuerySet[Order] = known.exclude(pk=F("first_pk")).order_by("placed_at", "pk")
    return rows


def _hold() -> ExpressionWrapper:
    return ExpressionWrapper(F(f"{MINE}terms__hold_days") * Value(timedelta(days=1)), output_field=DurationField())


def _ripe(store: Store, terms: dict[int, int], since: datetime, at: datetime) -> Iterator[Order]:
    """Those that stand and whose hold ended between the two; the outer bounds are for the index."""
    orders = _later_orders(store, terms).filter(cancelled_at=None, refunded_at=None)
    near = orders.filter(placed_at__gt=since - timedelta(days=max(terms.values())), placed_at__lte=at)
    ripe = near.filter(placed_at__gt=Value(since) - F("hold"), placed_at__lte=Value(at) - F("hold"))
    return iter(ripe.iterator(chunk_size=BATCH))


def _batch(store: Store, rows: Iterator[Order]) -> list[Purchase]:
    orders = list(islice(rows, BATCH))
    pks = list({order.referral_pk for order in orders})  # type: ignore[attr-defined]  # annotated
    referrals = {one.pk: one for one in deciding.whole(store, pks)}
    return [Purchase(order, referrals[order.referral_pk]) for order in orders]  # type: ignore[attr-defined]


def _new(store: Store, purchases: Sequence[Purchase]) -> list[Due]:
    """What these purchases bring and nobody has been given yet, the oldest purchase first."""
    stand = [one for one in purchases if deciding.share_of(one.referral.terms, one.order)]
    brought = [*_commissions(store, stand), *_steps(store, stand)]
    known = set(_rewards(store, [due[2].key for due in brought]).values_list("key", flat=True))
    new = sorted((due for due in brought if due[2].key not in known), key=lambda due: due[0].order.placed_at)
    return _without_doubles(store, new)


def _rewards(store: Store, keys: Iterable[str]) -> QuerySet[Reward]:
    rows: QuerySet[Reward] = Reward.objects.for_store(store).filter(key__in=list(keys))
    return rows


# -- To who sent them --


def _commissions(store: Store, purchases: Sequence[Purchase]) -> list[Due]:
    """The commission that the referral itself brought, on its friend's later purchases too."""
    wanted = {f"referral:{one.referral.pk}:{side}" for one in purchases for side in ("advocate", "second")}
    given = (
        _rewards(store, wanted).filter(status=Reward.Status.GRANTED, offer__kind=COMMISSION).exclude(offer__months=0)
    )
    rows = given.select_related("offer", "tier__offer", "customer__store").prefetch_related("tier__choices__offer")
    sources = {one.key: one for one in rows}
    found = [
        (one, source, suffix)
        for one in purchases
        for side, suffix in (("advocate", ""), ("second", ":second"))
        if (source := sources.get(f"referral:{one.referral.pk}:{side}")) and _is_in_time(one, source.offer)
    ]
    percents = boosts.percents_at(store, [(one.referral.terms, one.order.placed_at) for one, _, _ in found])
    return [
        (one, source.customer, _commission(one, source, suffix, percent))
        for (one, source, suffix), percent in zip(found, percents, strict=True)
    ]


def _is_in_time(purchase: Purchase, offer: Offer) -> bool:
    if offer.months is None:
        return True
    return purchase.order.placed_at < rules.months_after(purchase.referral.order.placed_at, offer.months)


def _commission(purchase: Purchase, source: Reward, suffix: str, percent: int) -> Earned:
    """At the usual rate, whatever boost the first purchase had, grown by one that ran when this one was placed."""
    return Earned(
        _usual(source),
        Reward.Side.ADVOCATE,
        purchase.key + suffix,
        terms=purchase.referral.terms,
        order_minor=purchase.order.total_minor,
        percent=percent if source.tier else growing.USUAL,  # a boost is for who sent the friend
    )


def _usual(source: Reward) -> Offer:
    """The offer that a reward was, or was chosen to be, before a boost made it more."""
    options = granting.options_of(source)
    alike = (one for one in options if growing.is_alike(granting.as_grown(source, one), source.offer))
    return next(alike, source.offer)


# -- To the friend --


def _steps(store: Store, purchases: Sequence[Purchase]) -> list[Due]:
    """The steps of the friend's own ladder that these purchases reach."""
    climbing = [one for one in purchases if one.referral.terms.friend_ladder_id]
    if not climbing:
        return []
    ladders, times = _ladders(store, climbing), _times(store, [one.referral for one in climbing])
    return [
        (one, one.referral.friend, earned)
        for one in climbing
        if one.referral.friend
        for earned in _reached(one, _tiers(one, ladders), times[one.referral.pk])
    ]


def _tiers(purchase: Purchase, ladders: dict[int, dict[int, Tier]]) -> dict[int, Tier]:
    return ladders.get(purchase.referral.terms.friend_ladder_id or 0, {})


def _ladders(store: Store, purchases: Iterable[Purchase]) -> dict[int, dict[int, Tier]]:
    """The steps of the friends' ladders: ladder -> tier -> step."""
    ladders = {one.referral.terms.friend_ladder_id for one in purchases}
    found: dict[int, dict[int, Tier]] = defaultdict(dict)
    for tier in Tier.objects.for_store(store).filter(ladder__in=ladders).select_related("offer").order_by("threshold"):
        found[tier.ladder_id][tier.pk] = tier
    return found


def _times(store: Store, referrals: Sequence[Referral]) -> dict[int, list[tuple[datetime, int]]]:
    """When each referral's friend bought, from that first order on: (time, order), what came back left out."""
    of_friend = {one.friend_id: one for one in referrals}
    orders = Order.objects.for_store(store).standing().filter(customer__in=of_friend).order_by("placed_at", "pk")
    found: dict[int, list[tuple[datetime, int]]] = {one.pk: [] for one in referrals}
    for customer, placed_at, pk in orders.values_list("customer", "placed_at", "pk"):
        referral = of_friend[customer]
        if placed_at > referral.order.placed_at or pk == referral.order_id:
            found[referral.pk].append((placed_at, pk))
    return found


def _reached(purchase: Purchase, tiers: dict[int, Tier], times: list[tuple[datetime, int]]) -> list[Earned]:
    mine = (purchase.order.placed_at, purchase.order.pk)
    until = [one for one in times if one <= mine]
    within = {
        days: sum(at > mine[0] - timedelta(days=days) for at, _ in until)
        for days in {tier.within_days for tier in tiers.values() if tier.within_days}
    }
    return granting.earned_by(
        tiers,
        len(until),
        key=purchase.key,
        terms=purchase.referral.terms,
        within=within,
        side=Reward.Side.FRIEND,
    )


def _held(store: Store, friends: set[int | None]) -> Counter[tuple[int, int]]:
    """How often each friend holds a step: (customer, tier)."""
    alive = Reward.objects.for_store(store).filter(side=Reward.Side.FRIEND, customer__in=friends, tier__isnull=False)
    return Counter(alive.exclude(status=Reward.Status.VOIDED).values_list("customer_id", "tier_id"))


def _is_limited(tier: Tier | None) -> bool:
    return tier is not None and tier.gives != Tier.Gives.EACH and not tier.within_days


def _without_doubles(store: Store, new: Sequence[Due]) -> list[Due]:
    """Without what an older order, told late, would give a second time: a step once, or as often as it is full."""
    limited = [due for due in new if _is_limited(due[2].tier)]
    if not limited:
        return list(new)
    held = _held(store, {due[0].referral.friend_id for due in limited})
    bought = {pk: len(times) for pk, times in _times(store, [due[0].referral for due in limited]).items()}
    found = []
    for due in new:
        purchase, who, earned = due
        tier = earned.tier
        if tier and _is_limited(tier):
            times = 1 if tier.gives == Tier.Gives.ONCE else bought[purchase.referral.pk] // tier.threshold
            held[who.pk, tier.pk] += 1
            if held[who.pk, tier.pk] > times:
                continue
        found.append(due)
    return found


# -- Granting and taking back --


def _grant(purchase: Purchase, who: Customer, earned: Earned, at: datetime) -> bool:
    """Grant it where the referral still counts; False, with a line in its history, where the budget has no room."""
    referral, order = purchase.referral, purchase.order
    deciding.locked_advocate(referral)  # a referral that is voided right now takes this back, too
    if not Referral.objects.for_store(order.store).filter(pk=referral.pk, status=Referral.Status.APPROVED).exists():
        return False
    try:
        reward = _give(who, earned, at)
    except budgets.Exhausted:
        _note_full(referral, at)
        return False
    reducing.reduce(reward, deciding.share_of(referral.terms, order), at=at)
    deciding.tell(referral, reward, at=at)
    return True


def _give(who: Customer, earned: Earned, at: datetime) -> Reward:
    """Grant it; the usual, where the budget has no room for the boost. Raises budgets.Exhausted."""
    if earned.percent != growing.USUAL:
        with suppress(budgets.Exhausted), transaction.atomic():
            return granting.grant_earned(who, earned, at=at)
    return granting.grant_earned(who, replace(earned, percent=growing.USUAL), at=at)


def _note_full(referral: Referral, at: datetime) -> None:
    facts = {"status": Referral.Status.APPROVED, "reason": Referral.Reason.FULL}
    mine = ReferralEvent.objects.filter(store_id=referral.store_id, referral=referral)
    if not mine.filter(**facts).exists():
        ReferralEvent.objects.create(store_id=referral.store_id, referral=referral, at=at, **facts)


def answer_refunds(store: Store, at: datetime, *, since: datetime) -> int:
    """Reduce or take back what later purchases brought that came back, in part or whole, and changed after `since`."""
    terms = _paying(store)
    if not terms:
        return 0
    came_back = ~Q(cancelled_at=None) | ~Q(refunded_at=None) | Q(refunded_minor__gt=0) | _is_worth_less()
    rows = iter(_later_orders(store, terms).filter(came_back, updated_at__gte=since).iterator(chunk_size=BATCH))
    answered = 0
    while batch := _batch(store, rows):
        ladders = _ladders(store, batch)
        keys = {key: one for one in batch for key in _keys(one, ladders)}
        alive = _rewards(store, keys).exclude(status=Reward.Status.VOIDED).order_by("pk")
        rewards = list(alive.select_related(*READ))
        open_ones = [(reward, keys[reward.key]) for reward in rewards if _has_to_go(reward, keys[reward.key])]
        answered += deciding.for_each(open_ones, lambda pair: _answer(*pair, at))
        answered += _recount(store, [one for one in batch if one.is_gone], at)
    return answered


def _is_worth_less() -> Q:
    """A commission was given on more than the order comes to since an exchange."""
    given = Reward.objects.filter(store=OuterRef("store"), order_minor__gt=OuterRef("total_minor"))
    parts = (Value("referral:"), _text("referral_pk"), Value(":order:"), _text("pk"))
    return Q(Exists(given.filter(key=Concat(*parts)))) | Q(Exists(given.filter(key=Concat(*parts, Value(":second")))))


def _text(name: str) -> Cast:
    return Cast(OuterRef(name), CharField())


def _keys(purchase: Purchase, ladders: dict[int, dict[int, Tier]]) -> list[str]:
    steps = [f"{purchase.key}:{tier.gives}:{tier.pk}" for tier in _tiers(purchase, ladders).values()]
    return [purchase.key, f"{purchase.key}:second", f"{purchase.key}:friend", *steps]


def _has_to_go(reward: Reward, purchase: Purchase) -> bool:
    kept = deciding.kept_of(reward, purchase.referral.terms, purchase.order)
    return purchase.is_gone or kept == 0 or reducing.has_too_much(reward, kept)


def _answer(reward: Reward, purchase: Purchase, at: datetime) -> bool:
    if purchase.is_gone:
        return granting.take_back(reward, reason=_why(purchase), at=at)
    return deciding.make_smaller(reward, deciding.kept_of(reward, purchase.referral.terms, purchase.order), at=at)


def _why(purchase: Purchase) -> str:
    return Referral.Reason.CANCELLED if purchase.order.cancelled_at else Referral.Reason.REFUNDED


def _recount(store: Store, gone: Sequence[Purchase], at: datetime) -> int:
    """Take back what friends hold for steps that their purchases no longer reach."""
    holders = {friend for friend, _ in _held(store, {one.referral.friend_id for one in gone})} if gone else set()
    climbing = [one for one in gone if one.referral.friend_id in holders]
    times = _times(store, [one.referral for one in climbing]) if climbing else {}
    return sum(_take_back_steps(one, len(times[one.referral.pk]), at) for one in climbing)


def _take_back_steps(purchase: Purchase, number: int, at: datetime) -> int:
    assert purchase.referral.friend is not None
    with transaction.atomic():
        return granting.take_back_tiers(
            purchase.referral.friend,
            number=number,
            key=purchase.key,
            reason=_why(purchase),
            at=at,
            side=Reward.Side.FRIEND,
        )
