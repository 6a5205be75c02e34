"""Apology vouchers: what they are, the cap, undo, the books, the counter."""

from datetime import timedelta

import pytest

from rewards.models import Account, Offer, Redemption, Reward, Voucher
from rewards.services import apologies, ledger, vouchers
from rewards.services.vouchers import Bill
from stores.models import AuditEvent, Store

CREDIT, FIXED = Offer.Kind.STORE_CREDIT, Offer.Kind.FIXED_OFF


@pytest.fixture
def bea(make_customer):
    return make_customer("Bea Cruz", "bea@example.com")


@pytest.fixture
def cap(store):
    def put(minor):
        Store.objects.filter(pk=store.pk).update(apology_cap_minor=minor)
        store.refresh_from_db()

    return put


def give(customer, key, amount=500_00, kind=FIXED, *, at):
    customer.refresh_from_db()
    customer.store.refresh_from_db()
    return apologies.give(customer, kind=kind, amount_minor=amount, key=key, at=at, by=None)


def test_an_amount_off_is_a_voucher_for_the_counter(store, bea, now):
    reward = give(bea, "1:0", at=now)
    assert (reward.side, reward.key, reward.customer) == (Reward.Side.CUSTOMER, "apology:1:0", bea)
    voucher = vouchers.voucher_of(reward)
    used = vouchers.redeem(voucher, Bill(800_00, "PHP"), at=now)
    assert used.discount_minor == 500_00
    assert ledger.total(store) == 0


def test_store_credit_is_posted_and_spent_at_the_counter(store, bea, now):
    reward = give(bea, "1:0", kind=CREDIT, at=now)
    assert ledger.credit_balance(store, bea, "PHP") == 500_00
    used = vouchers.redeem(vouchers.voucher_of(reward), Bill(200_00, "PHP"), at=now)
    assert (used.discount_minor, ledger.credit_balance(store, bea, "PHP")) == (200_00, 300_00)
    assert ledger.total(store) == 0
    assert ledger.drift(store) == {}


def test_the_same_key_gives_once(store, bea, now):
    assert give(bea, "1:0", at=now) == give(bea, "1:0", at=now)
    assert Voucher.objects.for_store(store).count() == 1
    assert AuditEvent.objects.for_store(store).filter(action="apology.given").count() == 1


def test_the_cap_holds_over_both_kinds_and_all_cases(store, bea, now, cap):
    cap(900_00)
    give(bea, "1:0", at=now)
    with pytest.raises(apologies.OverCap) as refused:
        give(bea, "2:0", kind=CREDIT, at=now)
    assert refused.value.left_minor == 400_00
    assert Reward.objects.for_store(store).count() == 1
    assert Offer.objects.for_store(store).filter(kind=CREDIT).count() == 0
    give(bea, "2:0", 400_00, CREDIT, at=now)
    assert apologies.left_this_month(store, bea, at=now) == 0


def test_the_cap_is_each_persons_own(store, bea, now, cap, make_customer):
    cap(500_00)
    give(bea, "1:0", at=now)
    assert apologies.left_this_month(store, make_customer("Leo"), at=now) == 500_00


def test_a_month_is_the_calendars_by_the_stores_clock(store, bea, now, cap):
    cap(500_00)
    # In Manila this is 1 December, in Greenwich still November.
    edge = now.replace(day=30, hour=16, minute=30)
    give(bea, "1:0", at=edge - timedelta(hours=1))
    assert apologies.left_this_month(store, bea, at=edge - timedelta(minutes=31)) == 0
    assert apologies.left_this_month(store, bea, at=edge) == 500_00


def test_no_cap_and_a_cap_of_nothing(store, bea, now, cap):
    assert apologies.left_this_month(store, bea, at=now) is None
    cap(0)
    with pytest.raises(apologies.OverCap):
        give(bea, "1:0", 1, at=now)


def test_what_the_cap_does_not_count(store, bea, now, cap):
    """Rewards for friends, what was taken back, another currency."""
    cap(500_00)
    taken = give(bea, "1:0", at=now)
    assert apologies.take_back(taken, at=now, by=None)
    assert apologies.left_this_month(store, bea, at=now) == 500_00


@pytest.mark.parametrize("kind", [FIXED, CREDIT])
def test_an_unused_one_is_taken_back_once(store, bea, now, kind):
    reward = give(bea, "1:0", kind=kind, at=now)
    assert apologies.take_back(reward, at=now, by=None)
    assert not apologies.take_back(reward, at=now, by=None)
    assert ledger.credit_balance(store, bea, "PHP") == 0
    assert not Voucher.objects.for_store(store).filter(kind="offer", status="issued").exists()
    assert ledger.total(store) == 0


@pytest.mark.parametrize("kind", [FIXED, CREDIT])
def test_a_used_one_stays(store, bea, now, kind):
    reward = give(bea, "1:0", kind=kind, at=now)
    vouchers.redeem(vouchers.voucher_of(reward), Bill(600_00, "PHP"), at=now)
    assert not apologies.take_back(reward, at=now, by=None)
    assert Redemption.objects.for_store(store).count() == 1
    assert not Account.objects.for_store(store).filter(kind="owed", balance_minor__lt=0).exists()
