"""What is owed to people: grant a reward once, take it back by opposite entries."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Sum

from customers.models import Customer
from rewards import rules
from rewards.models import Account, Ladder, Offer, Redemption, Reward, Tier, Voucher
from rewards.services import ledger, vouchers
from stores.models import Store


def steps_of(ladder: Ladder) -> dict[int, Tier]:
    """The ladder's tiers by id, lowest first."""
    return {tier.pk: tier for tier in ladder.tiers.select_related("offer").order_by("threshold", "gives")}


def as_steps(tiers: dict[int, Tier]) -> list[rules.Step]:
    """Tiers as the rules see them."""
    return [rules.Step(pk, tier.threshold, tier.gives == Tier.Gives.ONCE) for pk, tier in tiers.items()]


def grant_tiers(ladder: Ladder, customer: Customer, *, number: int, key: str, at: datetime) -> list[Reward]:
    """Grant an advocate what their `number`-th approved referral earns; `key` names the referral."""
    tiers = steps_of(ladder)
    return [
        grant(
            customer,
            tiers[step.pk].offer,
            side=Reward.Side.ADVOCATE,
            key=f"{key}:once:{step.pk}" if step.once else f"{key}:advocate",
            tier=tiers[step.pk],
            at=at,
        )
        for step in rules.earned_tiers(as_steps(tiers), number)
    ]


def take_back_tiers(customer: Customer, *, number: int, key: str, reason: str, at: datetime) -> int:
    """After a referral stopped counting: take back what it earned (`key` names it), and what was
    given once for a step that `number` approved referrals no longer reach."""
    given = Reward.objects.for_store(customer.store).filter(customer=customer, status=Reward.Status.GRANTED)
    lost = given.filter(key=f"{key}:advocate") | given.filter(tier__gives=Tier.Gives.ONCE, tier__threshold__gt=number)
    return sum(take_back(reward, reason=reason, at=at) for reward in lost.select_related("offer", "customer", "store"))


def grant(
    customer: Customer, offer: Offer, *, side: Reward.Side, key: str, at: datetime, tier: Tier | None = None
) -> Reward:
    """Owe a person what the offer promises, once for `key`; `at` is aware UTC.

    Percent and fixed offers become a voucher, store credit is posted to the person's account.
    """
    store = customer.store
    with transaction.atomic():
        reward, is_new = Reward.objects.get_or_create(
            store=store,
            key=key,
            defaults={"customer": customer, "side": side, "offer": offer, "tier": tier, "granted_at": at},
        )
        if is_new and offer.kind == Offer.Kind.STORE_CREDIT:
            _credit(store, reward, offer, at)
        elif is_new:
            vouchers.issue(store, offer, key=f"reward:{reward.pk}", at=at, customer=customer, reward=reward)
    return reward


def _credit(store: Store, reward: Reward, offer: Offer, at: datetime) -> None:
    """Post store credit; what the person owes from an earlier clawback is settled first."""
    assert offer.amount_minor is not None
    purse = ledger.account(store, Account.Kind.CREDIT, offer.currency, reward.customer)
    debt = ledger.locked(ledger.account(store, Account.Kind.OWED, offer.currency, reward.customer))
    settled = min(offer.amount_minor, -debt.balance_minor)
    cost = ledger.account(store, Account.Kind.COST, offer.currency)
    ledger.post(
        store,
        key=f"grant:{reward.pk}",
        kind="grant",
        amounts={cost: -offer.amount_minor, debt: settled, purse: offer.amount_minor - settled},
        at=at,
    )
    vouchers.credit_voucher(store, reward.customer, offer.currency, at=at)


def take_back(reward: Reward, *, reason: str, at: datetime) -> bool:
    """Void a reward: an unused voucher is closed, what was used is owed, credit goes back.

    Balances never go below zero: what is no longer there is posted as owed and netted against what
    the person earns next. True if this call did it.
    """
    with transaction.atomic():
        moved = Reward.objects.filter(pk=reward.pk, store_id=reward.store_id, status=Reward.Status.GRANTED).update(
            status=Reward.Status.VOIDED, reason=reason, voided_at=at
        )
        if not moved:
            return False
        if reward.offer.kind == Offer.Kind.STORE_CREDIT:
            _claw_back(reward, reward.offer.amount_minor or 0, from_credit=True, at=at)
        else:
            voucher = Voucher.objects.get(store_id=reward.store_id, reward=reward)
            if not vouchers.void(voucher, at=at):
                _claw_back(reward, _used(voucher), from_credit=False, at=at)
    return True


def _used(voucher: Voucher) -> int:
    """What live redemptions of the voucher took off bills."""
    live = Redemption.objects.filter(store_id=voucher.store_id, voucher=voucher, reversed_at=None)
    return int(live.aggregate(total=Sum("discount_minor"))["total"] or 0)


def _claw_back(reward: Reward, amount_minor: int, *, from_credit: bool, at: datetime) -> None:
    store, currency = reward.store, reward.offer.currency
    if not amount_minor:
        return
    debt = ledger.account(store, Account.Kind.OWED, currency, reward.customer)
    cost = ledger.account(store, Account.Kind.COST, currency)
    amounts = {cost: amount_minor, debt: -amount_minor}
    if from_credit:
        purse = ledger.locked(ledger.account(store, Account.Kind.CREDIT, currency, reward.customer))
        available = min(purse.balance_minor, amount_minor)
        amounts = {cost: amount_minor, purse: -available, debt: available - amount_minor}
    ledger.post(store, key=f"clawback:{reward.pk}", kind="clawback", amounts=amounts, at=at)
