"""The worked examples of the chart of accounts (services.ledger), and what the database refuses."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from rewards.models import Account, Entry, LedgerTransaction, PayoutAddress
from rewards.services import fulfilling, granting, ledger, payouts, vouchers
from tests.conftest import NOW
from tests.rewards.books_world import Kind, balances, earn, last_entries, offer, purse_of, use

DAY = timedelta(days=1)


@pytest.fixture
def sara(make_customer):
    person = make_customer("Sara Ahmadi", at=NOW - 100 * DAY)
    PayoutAddress.objects.create(
        store=person.store, customer=person, method="gcash", sealed="x", hint="…4567", changed_at=NOW
    )
    return person


def test_a_gift_is_promised(store, sara):
    earn(sara, Kind.FIXED_OFF)
    assert last_entries(store) == {"promised": 500, "contingent": -500}


def test_it_takes_310_off_a_bill(store, sara):
    use(earn(sara, Kind.FIXED_OFF).voucher, 310)
    assert last_entries(store) == {"promised": -500, "contingent": 500, "cost": -310, "redeemed": 310}


def test_it_is_not_used_in_time(store, sara):
    earn(sara, Kind.FIXED_OFF, valid_days=10)
    vouchers.expire_due(store, NOW + 11 * DAY)
    assert last_entries(store) == {"promised": -500, "contingent": 500}
    assert balances(store) == {}


def test_it_is_taken_back_unused(store, sara):
    granting.take_back(earn(sara, Kind.FIXED_OFF), reason="staff", at=NOW)
    assert last_entries(store) == {"promised": -500, "contingent": 500}


def test_a_use_is_undone(store, sara):
    vouchers.reverse(use(earn(sara, Kind.FIXED_OFF).voucher, 310), at=NOW)
    assert last_entries(store) == {"promised": 500, "contingent": -500, "cost": 310, "redeemed": -310}
    assert LedgerTransaction.objects.for_store(store).get(kind="reverse").reverses.kind == "redeem"


def test_credit_is_earned_and_used_in_parts(store, sara):
    earn(sara, Kind.STORE_CREDIT)
    assert last_entries(store) == {"promised": -500, "contingent": 500, "cost": -500, "credit": 500}
    use(purse_of(sara), 200)
    assert last_entries(store) == {"credit": -200, "redeemed": 200}
    use(purse_of(sara), 900)
    assert last_entries(store) == {"credit": -300, "redeemed": 300}
    assert balances(store) == {"cost": -500, "redeemed": 500}


def test_credit_is_taken_back_when_300_are_left(store, sara):
    reward = earn(sara, Kind.STORE_CREDIT)
    use(purse_of(sara), 200)
    granting.take_back(reward, reason="refunded", at=NOW)
    assert last_entries(store) == {"credit": -300, "owed": -200, "cost": 500}


def test_what_is_owed_is_netted_from_what_is_earned_next(store, sara):
    test_credit_is_taken_back_when_300_are_left(store, sara)
    earn(sara, Kind.STORE_CREDIT, 400)
    entries = last_entries(store)
    assert {kind: entries[kind] for kind in ("cost", "owed", "credit")} == {"cost": -400, "owed": 200, "credit": 200}


def test_a_gift_card_is_used_in_parts_and_the_rest_expires(store, sara):
    card = earn(sara, Kind.GIFT_CARD, valid_days=10).voucher
    assert last_entries(store) == {"promised": -500, "contingent": 500, "cost": -500, "gift": 500}
    use(card, 120)
    assert last_entries(store) == {"gift": -120, "redeemed": 120}
    vouchers.expire_due(store, NOW + 11 * DAY)
    assert last_entries(store) == {"gift": -380, "breakage": 380}


@pytest.mark.parametrize("kind", [Kind.CASH, Kind.COMMISSION])
def test_cash_is_earned_paid_out_and_comes_back(store, sara, kind):
    if kind == Kind.COMMISSION:
        earn_commission(sara)
    else:
        earn(sara, kind)
    assert last_entries(store) == {"promised": -500, "contingent": 500, "cost": -500, "payable": 500}
    paid = pay_out(store)
    assert last_entries(store) == {"payable": -500, "paid": 500}
    payouts.mark_failed(store, paid, by=None, at=NOW)
    assert last_entries(store) == {"paid": -500, "payable": 500}


def earn_commission(customer):
    promised = offer(customer.store, Kind.COMMISSION, None, percent=10)
    earned = granting.Earned(promised, "advocate", "test:commission", order_minor=5_000)
    return granting.grant_earned(customer, earned, at=NOW)


def pay_out(store):
    batch = payouts.make_list(store, store.currency, by=None, at=NOW)
    payout = batch.payouts.get()
    payouts.mark_paid(store, [payout.pk], by=None, at=NOW)
    return payout


def test_a_charity_is_given(store, sara):
    task = earn(sara, Kind.DONATION).fulfilment
    assert last_entries(store) == {"promised": -500, "contingent": 500, "cost": -500, "charity": 500}
    fulfilling.done(task, by=None, at=NOW)
    assert last_entries(store) == {"charity": -500, "donated": 500}


def test_something_of_the_owners_own_is_handed_over(store, sara):
    task = earn(sara, Kind.CUSTOM).fulfilment
    assert last_entries(store) == {"promised": 500, "contingent": -500}
    fulfilling.done(task, by=None, at=NOW)
    assert last_entries(store) == {"promised": -500, "contingent": 500, "cost": -500, "delivered": 500}


def test_a_used_gift_is_clawed_back(store, sara):
    reward = earn(sara, Kind.FIXED_OFF)
    use(reward.voucher, 310)
    granting.take_back(reward, reason="refunded", at=NOW)
    assert last_entries(store) == {"cost": 310, "owed": -310}


# What the database holds whatever the code does.


def refused(statement: str, *parameters: object) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@pytest.mark.parametrize("kind", ["credit", "payable"])
def test_no_account_is_overdrawn(store, sara, kind):
    earn(sara, Kind.STORE_CREDIT if kind == "credit" else Kind.CASH)
    refused("UPDATE rewards_account SET balance_minor = -1 WHERE kind = %s", kind)
    purse = Account.objects.get(store=store, kind=kind, customer=sara)
    paid = ledger.account(store, Account.Kind.PAID, store.currency)
    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.post(store, key="too-much", kind="payout", amounts={purse: -501, paid: 501}, at=NOW)
    assert not ledger.is_posted(store, "too-much")


def test_no_card_is_overdrawn(store, sara):
    earn(sara, Kind.GIFT_CARD)
    refused("UPDATE rewards_account SET balance_minor = -1 WHERE kind = 'gift'")


def test_nobody_owes_less_than_nothing(store, sara):
    ledger.account(store, Account.Kind.OWED, store.currency, sara)
    refused("UPDATE rewards_account SET balance_minor = 1 WHERE kind = 'owed'")


@pytest.mark.parametrize("table", ["rewards_entry", "rewards_ledgertransaction"])
def test_what_is_written_stays(store, sara, table):
    earn(sara, Kind.CASH)
    column = "amount_minor = 1" if table == "rewards_entry" else "kind = 'x'"
    refused(f"UPDATE {table} SET {column}")
    refused(f"DELETE FROM {table}")
    refused(f"TRUNCATE {table} CASCADE")


def test_a_transaction_that_does_not_sum_to_zero_is_refused(store, sara):
    cost = ledger.account(store, Account.Kind.COST, store.currency)
    with pytest.raises(DatabaseError), transaction.atomic():
        ledger.post(store, key="crooked", kind="grant", amounts={cost: -5}, at=NOW)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not Entry.objects.for_store(store).exists()


def test_a_fact_is_posted_once(store, sara):
    cost, charity = (ledger.account(store, kind, store.currency) for kind in (Account.Kind.COST, Account.Kind.CHARITY))
    posting = ledger.Posting("once", "grant", {cost: -5, charity: 5}, NOW)
    ledger.post_all(store, [posting])
    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.post_all(store, [posting])
    assert balances(store) == {"cost": -5, "charity": 5}
