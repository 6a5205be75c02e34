"""What is owed to people: grant a reward once, take it back by opposite entries."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from django.db import transaction
from django.db.models import Q, Sum, prefetch_related_objects

from customers.models import Customer
from rewards import rules
from rewards.models import (
    Account,
    Commitment,
    Entry,
    Fulfilment,
    Ladder,
    Offer,
    Reward,
    RewardSettings,
    Terms,
    Tier,
)
from rewards.services import budgets, growing, ledger, reducing, vouchers
from stores.models import Store

Kind = Offer.Kind
HAND_OVER = timedelta(days=7)  # until when the store should have done its part


def steps_of(ladder: Ladder) -> dict[int, Tier]:
    """The ladder's tiers by id, lowest first."""
    return {tier.pk: tier for tier in ladder.tiers.select_related("offer").order_by("threshold", "gives")}


def as_steps(tiers: dict[int, Tier], within: dict[int, int] | None = None) -> list[rules.Step]:
    """Tiers as the rules see them; `within` says how many count towards those with a period (days -> number)."""
    within = within or {}
    return [
        rules.Step(
            pk,
            tier.threshold,
            tier.gives,
            within.get(tier.within_days) if tier.within_days else None,
            tier.within_days,
        )
        for pk, tier in tiers.items()
    ]


@dataclass(frozen=True)
class Earned:
    """A reward to be granted: the usual offer, what for, on which terms, and what its worth depends on."""

    offer: Offer
    side: Reward.Side
    key: str
    tier: Tier | None = None
    terms: Terms | None = None
    order_minor: int | None = None  # the purchase: a commission is a share of all of it
    percent: int = growing.USUAL  # of the usual worth, by a boost


def earned_by(
    tiers: dict[int, Tier],
    number: int,
    *,
    key: str,
    terms: Terms | None,
    within: dict[int, int] | None = None,
    side: Reward.Side = Reward.Side.ADVOCATE,
) -> list[Earned]:
    """What an advocate's `number`-th approved referral, or a friend's `number`-th purchase, earns; `key` names it."""
    return [
        Earned(
            offer=tiers[step.pk].offer,
            side=side,
            key=f"{key}:{side}" if step.gives == Tier.Gives.EACH else f"{key}:{step.gives}:{step.pk}",
            tier=tiers[step.pk],
            terms=terms,
        )
        for step in rules.earned_tiers(as_steps(tiers, within), number)
    ]


def take_back_tiers(
    customer: Customer, *, number: int, key: str, reason: str, at: datetime, side: Reward.Side = Reward.Side.ADVOCATE
) -> int:
    """After a referral (or a friend's purchase) stopped counting: take back what it earned (`key` names it),
    and what was given for steps that `number` of them no longer reach."""
    given = Reward.objects.for_store(customer.store).filter(customer=customer, side=side)
    alive = given.exclude(status=Reward.Status.VOIDED).select_related("offer", "tier", "terms__budget", "store")
    rewards = list(alive.filter(Q(tier__isnull=False) | Q(key=f"{key}:{side}")).order_by("-granted_at", "-pk"))
    return sum(take_back(reward, reason=reason, at=at) for reward in _lost(rewards, number, key))


def _lost(rewards: list[Reward], number: int, key: str) -> list[Reward]:
    """Which of a person's rewards, newest first, `number` referrals no longer carry.

    Steps are one over all versions of the terms where they give the same way at the same number.
    """
    lost, seen = [], Counter(_step_of(reward) for reward in rewards)
    for reward in rewards:
        tier, step = reward.tier, _step_of(reward)
        if reward.key == f"{key}:{reward.side}" or (tier and tier.within_days and reward.key.startswith(f"{key}:")):
            lost.append(reward)
        elif tier is None or tier.within_days:
            continue
        elif (tier.gives == Tier.Gives.ONCE and (tier.threshold > number or seen[step] > 1)) or (
            tier.gives == Tier.Gives.EVERY and seen[step] > number // tier.threshold
        ):
            lost.append(reward)
            seen[step] -= 1
    return lost


def _step_of(reward: Reward) -> tuple[str, int] | None:
    tier = reward.tier
    return None if tier is None or tier.within_days else (tier.gives, tier.threshold)


def worth(offer: Offer, terms: Terms | None, order_minor: int | None = None) -> int:
    """What the offer is reckoned at in minor units; a commission exactly, where the purchase is known."""
    if offer.kind == Kind.COMMISSION and order_minor is not None:
        return rules.share(offer.percent or 0, order_minor, offer.most_minor)
    return rules.expected(vouchers.promise_of(offer), terms.typical_minor if terms else 0)


def most_of(earned: Earned) -> int:
    """What a reward can come to, whatever is picked."""
    return max(worth(offer, earned.terms, earned.order_minor) for offer in _may_become(earned))


def _may_become(earned: Earned) -> list[Offer]:
    usual = [earned.offer, *choices_of(earned.tier)]
    return [growing.grown(offer, earned.percent) for offer in usual]


def grant(
    customer: Customer, offer: Offer, *, side: Reward.Side, key: str, at: datetime, tier: Tier | None = None
) -> Reward:
    """Owe a person what the offer promises, once for `key`, outside any program; see `grant_earned`."""
    return grant_earned(customer, Earned(offer, side, key, tier), at=at)


def grant_earned(customer: Customer, earned: Earned, *, at: datetime) -> Reward:
    """Owe a person what they earned, once for its key; `at` is aware UTC.

    Where the tier offers a choice the reward waits for it, with room for the dearest. Raises
    budgets.Exhausted where the terms' budget has no room; then nothing has changed.
    """
    store, offers = customer.store, _may_become(earned)
    amount, may_choose = most_of(earned), len(offers) > 1
    with transaction.atomic():
        reward, is_new = Reward.objects.get_or_create(
            store=store,
            key=earned.key,
            defaults={
                "customer": customer,
                "side": earned.side,
                "offer": growing.kept(offers[0]),
                "tier": earned.tier,
                "terms": earned.terms,
                "amount_minor": amount,
                "order_minor": earned.order_minor,
                "boost_percent": earned.percent,
                "status": Reward.Status.CHOOSING if may_choose else Reward.Status.GRANTED,
                "granted_at": at,
            },
        )
        if is_new and may_choose:
            _reserve(reward, amount, at)
        elif is_new:
            _give(reward, at)
    return reward


def choices_of(tier: Tier | None) -> list[Offer]:
    """What the advocate may pick in place of the tier's own offer."""
    if tier is None:
        return []
    prefetch_related_objects([tier], "choices__offer")  # not again where they have been read
    return [choice.offer for choice in sorted(tier.choices.all(), key=attrgetter("pk"))]


def options_of(reward: Reward) -> list[Offer]:
    """The offers, as they usually are, of which a reward that waits may become one; the tier's own first."""
    return [reward.tier.offer, *choices_of(reward.tier)] if reward.tier else [reward.offer]


def as_grown(reward: Reward, offer: Offer) -> Offer:
    """What one of a reward's options is worth to its holder; with a boost, not in the database."""
    return growing.grown(offer, reward.boost_percent)


class NotOffered(Exception):
    """That offer is not among what this reward may become, or it was chosen before."""


def choose(reward: Reward, offer: Offer, *, at: datetime) -> Reward:
    """The holder picks one of `options_of`: the reward becomes that, grown as all of them are. Raises NotOffered."""
    if offer.pk not in {one.pk for one in options_of(reward)}:
        raise NotOffered(reward.public_id)
    with transaction.atomic():
        became = growing.kept(as_grown(reward, offer))
        amount = worth(became, reward.terms, reward.order_minor)
        waiting = Reward.objects.filter(pk=reward.pk, store_id=reward.store_id, status=Reward.Status.CHOOSING)
        before = waiting.select_for_update().first()
        if before is None:
            raise NotOffered(reward.public_id)
        chosen = {"status": Reward.Status.GRANTED, "offer": became, "amount_minor": amount, "reduced_minor": 0}
        waiting.update(**chosen)
        for name, value in chosen.items():
            setattr(reward, name, value)
        reserved = budgets.commitment_of(reward.store, reducing.key_of(reward))
        if reserved:
            budgets.release(reserved, at=at)
        _give(reward, at, again=bool(reserved))
        # Part of the purchase had come back while they thought it over.
        reducing.reduce(reward, reducing.kept_of(before), at=at)
    return reward


def choose_due(store: Store, at: datetime) -> int:
    """Rewards nobody chose in time become the tier's own offer."""
    settings = RewardSettings.objects.for_store(store).first() or RewardSettings()
    since = at - timedelta(days=settings.choose_days)
    waiting = Reward.objects.for_store(store).filter(status=Reward.Status.CHOOSING, granted_at__lte=since)
    joined = waiting.select_related("offer", "tier__offer", "terms__budget", "customer", "store")
    due = list(joined.order_by("pk")[:500])
    for reward in due:
        choose(reward, options_of(reward)[0], at=at)
    return len(due)


def _reserve(reward: Reward, amount_minor: int, at: datetime, *, suffix: str = "") -> Commitment:
    return budgets.commit(
        reward.store,
        reducing.budget_of(reward),
        key=reducing.key_of(reward) + suffix,
        amount_minor=amount_minor,
        currency=reward.offer.currency,
        at=at,
    )


def _give(reward: Reward, at: datetime, *, again: bool = False) -> None:
    """Carry the reward out. `again`: its first commitment was for the choice, and is released."""
    kind, store = Kind(reward.offer.kind), reward.store
    if kind.is_code:
        voucher = vouchers.issue(
            store,
            reward.offer,
            key=reducing.key_of(reward),
            at=at,
            customer=reward.customer,
            reward=reward,
            budget=reducing.budget_of(reward),
            promised_minor=reward.amount_minor,
        )
        if kind == Kind.GIFT_CARD:
            promise = vouchers.promise_behind(voucher)
            assert promise is not None
            _earn(reward, promise, ledger.account(store, Account.Kind.GIFT, voucher.currency, card=voucher), at)
        return
    promise = _reserve(reward, reward.amount_minor, at, suffix=":chosen" if again else "")
    currency = reward.offer.currency
    if kind == Kind.CUSTOM:
        _hand_over_later(reward, at)
    elif kind == Kind.DONATION:
        _earn(reward, promise, ledger.account(store, Account.Kind.CHARITY, currency), at)
        _hand_over_later(reward, at)
    else:
        held = Account.Kind.CREDIT if kind == Kind.STORE_CREDIT else Account.Kind.PAYABLE
        _earn(reward, promise, ledger.account(store, held, currency, reward.customer), at)
        if kind == Kind.STORE_CREDIT:
            vouchers.credit_voucher(store, reward.customer, currency, at=at)


def _hand_over_later(reward: Reward, at: datetime) -> None:
    Fulfilment.objects.create(store=reward.store, reward=reward, due_at=at + HAND_OVER)


def _earn(reward: Reward, promise: Commitment, into: Account, at: datetime) -> None:
    """Post what is earned at once; what the person owes from an earlier clawback is settled first."""
    amount, store = reward.amount_minor, reward.store
    amounts = budgets.settle(promise, amount, at=at)
    cost = ledger.account(store, Account.Kind.COST, into.currency, budget=promise.budget)
    settled = 0
    if into.customer_id or into.card_id:
        debt, _ = ledger.held(ledger.account(store, Account.Kind.OWED, into.currency, reward.customer), into)
        settled = min(amount, -debt.balance_minor)
        amounts[debt] = settled
    amounts |= {cost: -amount, into: amount - settled}
    ledger.post(store, key=f"grant:{reward.pk}", kind="grant", amounts=amounts, at=at)


def take_back(reward: Reward, *, reason: str, at: datetime) -> bool:
    """Void a reward: an unused voucher is closed, what was used is owed, what is held goes back.

    Balances never go below zero: what is no longer there is posted as owed and netted against what
    the person earns next. What was given to a charity stays given. True if this call did it.
    """
    with transaction.atomic():
        alive = Reward.objects.filter(pk=reward.pk, store_id=reward.store_id).exclude(status=Reward.Status.VOIDED)
        if not alive.update(status=Reward.Status.VOIDED, reason=reason, voided_at=at):
            return False
        reward.refresh_from_db(fields=["status", "reason", "voided_at", "amount_minor", "reduced_minor"])
        reducing.undo(reward, at)
    return True


def settled(reward: Reward) -> int:
    """What of a reward settled, when it was given, what its holder owed from before; in minor units."""
    owed = Entry.objects.filter(store_id=reward.store_id, account__kind=Account.Kind.OWED)
    entries = owed.filter(transaction__key=f"grant:{reward.pk}")
    return int(entries.aggregate(total=Sum("amount_minor"))["total"] or 0)
