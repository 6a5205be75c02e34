"""Apology vouchers: what an unhappy person is given, up to the store's cap a person and calendar month."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Sum

from customers.models import Customer
from rewards.models import Account, Offer, Reward, Voucher
from rewards.services import granting, vouchers
from stores.models import Store, User
from stores.services import note

KINDS = (Offer.Kind.STORE_CREDIT, Offer.Kind.FIXED_OFF)  # amounts, so that a cap can be kept
PREFIX = "apology:"


class OverCap(Exception):
    """More than the store lets one person have in a month; `left_minor` is what may still be given."""

    def __init__(self, left_minor: int) -> None:
        super().__init__(left_minor)
        self.left_minor = left_minor


def give(
    customer: Customer,
    *,
    kind: Offer.Kind,
    amount_minor: int,
    key: str,
    at: datetime,
    by: User | None,
    valid_days: int = 90,
) -> Reward:
    """Give a person `amount_minor` of the store's currency, once for `key` ("<case>:<n>").

    Raises OverCap, and then nothing has changed. The person's row is locked while the month's sum is
    looked at, so of several at once none slips over the cap. `at` is aware UTC.
    """
    assert kind in KINDS
    assert amount_minor > 0
    store = customer.store
    with transaction.atomic():
        # NO KEY: orders and messages of this person, which only point to the row, need not wait.
        Customer.objects.select_for_update(no_key=True).get(pk=customer.pk, store_id=store.pk)
        known = Reward.objects.for_store(store).filter(key=f"{PREFIX}{key}").select_related("offer").first()
        if known:
            return known
        _look_at_cap(store, customer, amount_minor, at)
        offer = Offer.objects.create(
            store=store,
            kind=kind,
            amount_minor=amount_minor,
            currency=store.currency,
            valid_days=valid_days,
            created_at=at,
        )
        reward = granting.grant(customer, offer, side=Reward.Side.CUSTOMER, key=f"{PREFIX}{key}", at=at)
        after = {"kind": kind, "amount_minor": amount_minor, "currency": store.currency}
        note(store, "apology.given", subject=reward.key, after=after, by=by, at=at)
    return reward


def _look_at_cap(store: Store, customer: Customer, amount_minor: int, at: datetime) -> None:
    left = left_this_month(store, customer, at=at)
    if left is not None and amount_minor > left:
        raise OverCap(left)


def left_this_month(store: Store, customer: Customer, *, at: datetime) -> int | None:
    """What a person may still be given in the calendar month that holds `at` by the store's clock.

    Minor units of the store's currency; None where no cap is set.
    """
    if store.apology_cap_minor is None:
        return None
    start = at.astimezone(store.zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    given = Reward.objects.for_store(store).filter(
        customer=customer,
        key__startswith=PREFIX,
        status=Reward.Status.GRANTED,
        granted_at__gte=start,
        offer__currency=store.currency,
    )
    total = given.aggregate(total=Sum("offer__amount_minor"))["total"] or 0
    return max(store.apology_cap_minor - int(total), 0)


def is_unused(reward: Reward) -> bool:
    """Whether it can be taken back without a debt: nothing of it was used."""
    if reward.offer.kind == Offer.Kind.STORE_CREDIT:
        purse = Account.objects.for_store(reward.store).filter(
            kind=Account.Kind.CREDIT, customer=reward.customer_id, currency=reward.offer.currency
        )
        return purse.filter(balance_minor__gte=reward.offer.amount_minor).exists()
    voucher = vouchers.voucher_of(reward)
    return voucher is not None and voucher.status == Voucher.Status.ISSUED


def take_back(reward: Reward, *, at: datetime, by: User | None) -> bool:
    """Undo an apology that nobody has used; False when it was used or taken back before."""
    with transaction.atomic():
        Customer.objects.select_for_update(no_key=True).get(pk=reward.customer_id, store_id=reward.store_id)
        if not is_unused(reward) or not granting.take_back(reward, reason="staff", at=at):
            return False
        note(reward.store, "apology.taken_back", subject=reward.key, by=by, at=at)
    return True
