"""Cash: who is due, lists, payments that left and came back."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rewards.addresses import Method
from rewards.models import Account, PayoutList, Recount
from rewards.services import granting, ledger, payouts
from rewards.services.addresses import Details, details_of, save_address
from stores import secrets
from stores.models import AuditEvent
from tests.conftest import NOW
from tests.rewards.books_world import Kind, balances, earn

DAY = timedelta(days=1)


@pytest.fixture
def person(make_customer):
    """A function that makes somebody with an address and cash earned."""

    def make(name="Sara Ahmadi", earned=500, address=True, currency=""):
        customer = make_customer(name, at=NOW - 100 * DAY)
        if earned:
            earn(customer, Kind.CASH, earned, **({"currency": currency} if currency else {}))
        if address:
            give_address(customer)
        return customer

    return make


def give_address(customer, number="+639171234567"):
    return save_address(customer, Method.GCASH, Details(number, customer.name), at=NOW)


def due(store, at=NOW):
    return payouts.due(store, payouts.purses(store).select_related("customer"), at=at)


def settle(store, **values):
    payouts.change_settings(store, values, by=None, at=NOW)


def listed(store, currency="", at=NOW):
    return payouts.make_list(store, currency or store.currency, by=None, at=at)


def test_who_has_an_address_is_due(store, person):
    person("Sara Ahmadi")
    person("Bea Cruz", address=False)
    found = {one.customer.name: (one.now_minor, one.why) for one in due(store)}
    assert found == {"Sara Ahmadi": (500, ""), "Bea Cruz": (0, "no_address")}


def test_too_little_waits(store, person):
    settle(store, smallest_payout_minor=501)
    person()
    assert [(one.now_minor, one.why) for one in due(store)] == [(0, "too_small")]
    assert listed(store) is None


def test_above_the_years_limit_waits_until_the_next_year(store, person):
    settle(store, cash_limit_minor=300, year_starts_month=3)
    sara = person()
    assert [(one.now_minor, one.waits_minor, one.why) for one in due(store)] == [(300, 200, "year_limit")]
    payouts.mark_paid(store, listed(store).payouts.values_list("pk", flat=True), by=None, at=NOW)
    assert [(one.now_minor, one.why) for one in due(store)] == [(0, "year_limit")]
    new_year = datetime(2027, 2, 28, 16, 0, tzinfo=UTC)  # 1 March, 00:00 in Manila
    assert due(store, new_year - timedelta(seconds=1))[0].now_minor == 0
    assert due(store, new_year)[0].now_minor == 200
    assert ledger.payable(store, sara, "PHP") == 200


def test_money_that_came_back_does_not_count_towards_the_limit(store, person):
    settle(store, cash_limit_minor=500)
    person()
    paid = listed(store).payouts.get()
    payouts.mark_paid(store, [paid.pk], by=None, at=NOW)
    payouts.mark_failed(store, paid, by=None, at=NOW)
    assert due(store)[0].now_minor == 500


def test_the_limits_are_the_stores_currencys(store, person):
    settle(store, cash_limit_minor=1, smallest_payout_minor=900)
    person(currency="JPY")
    assert [(one.currency, one.now_minor) for one in due(store)] == [("JPY", 500)]


def test_a_list_takes_everybody_once(store, person):
    person("Sara Ahmadi"), person("Bea Cruz"), person("No Address", address=False)
    batch = listed(store)
    assert {(one.customer.name, one.amount_minor) for one in batch.payouts.all()} == {
        ("Sara Ahmadi", 500),
        ("Bea Cruz", 500),
    }
    assert listed(store) is None
    assert AuditEvent.objects.for_store(store).get(action="payouts.listed").after["amount_minor"] == 1000


def test_each_currency_has_a_list_of_its_own(store, person):
    person("Sara Ahmadi"), person("Bea Cruz", currency="JPY"), person("Ola Farsi", currency="BHD")
    assert payouts.payable_by_currency(store) == {"PHP": 500, "JPY": 500, "BHD": 500}
    for currency in ("PHP", "JPY", "BHD"):
        batch = listed(store, currency)
        assert [one.currency for one in batch.payouts.all()] == [currency]
        payouts.mark_paid(store, batch.payouts.values_list("pk", flat=True), by=None, at=NOW)
    assert payouts.payable_by_currency(store) == {}
    assert ledger.total(store) == 0
    assert ledger.drift(store) == {}


def test_paid_twice_moves_once(store, person):
    sara = person()
    ids = [listed(store).payouts.get().pk]
    assert payouts.mark_paid(store, ids, by=None, at=NOW) == 1
    assert payouts.mark_paid(store, ids, by=None, at=NOW) == 0
    assert ledger.payable(store, sara, "PHP") == 0
    assert balances(store) == {"cost": -500, "paid": 500}


def test_what_was_taken_back_meanwhile_is_owed(store, person):
    sara = person(earned=0)
    reward = earn(sara, Kind.CASH, 500)
    batch = listed(store)
    granting.take_back(reward, reason="refunded", at=NOW)
    payouts.mark_paid(store, [batch.payouts.get().pk], by=None, at=NOW)
    assert balances(store) == {"paid": 500, "owed": -500}
    earn(sara, Kind.CASH, 700)
    assert ledger.payable(store, sara, "PHP") == 200


def test_money_that_came_back_settles_what_is_owed_first(store, person):
    sara = person(earned=0)
    reward = earn(sara, Kind.CASH, 500)
    paid = listed(store).payouts.get()
    payouts.mark_paid(store, [paid.pk], by=None, at=NOW)
    granting.take_back(reward, reason="refunded", at=NOW)
    assert balances(store) == {"paid": 500, "owed": -500}
    assert payouts.mark_failed(store, paid, by=None, at=NOW, words="account closed")
    assert balances(store) == {}
    assert ledger.payable(store, sara, "PHP") == 0


def test_a_payment_left_out_is_due_again(store, person):
    person()
    payout = listed(store).payouts.get()
    assert payouts.mark_failed(store, payout, by=None, at=NOW)
    assert not payouts.mark_failed(store, payout, by=None, at=NOW)
    assert balances(store) == {"cost": -500, "payable": 500}
    assert listed(store).payouts.get().amount_minor == 500


def test_a_list_with_open_payments_stays_open(store, person):
    person()
    batch = listed(store)
    with pytest.raises(payouts.StillOpen):
        payouts.close(batch, by=None, at=NOW)
    payouts.mark_paid(store, batch.payouts.values_list("pk", flat=True), by=None, at=NOW)
    assert payouts.close(batch, by=None, at=NOW)
    assert not payouts.close(batch, by=None, at=NOW)


def test_nothing_is_paid_while_the_books_are_wrong(store, person):
    person()
    Recount.objects.create(store=store, at=NOW, problems=["drift"])
    with pytest.raises(payouts.BooksBroken):
        listed(store)
    assert not PayoutList.objects.for_store(store).exists()


def test_the_address_opens_for_its_person_only(store, person):
    person("Sara Ahmadi"), person("Bea Cruz")
    first, second = listed(store).payouts.order_by("pk")
    assert details_of(first).number == "+639171234567"
    second.sealed = first.sealed
    with pytest.raises(secrets.Unreadable):
        details_of(second)


def test_queries_do_not_grow_with_the_people(store, person):
    def cost(names):
        for name in names:
            person(name)
        with CaptureQueriesContext(connection) as listing:
            batch = listed(store)
        ids = list(batch.payouts.values_list("pk", flat=True))
        with CaptureQueriesContext(connection) as paying:
            assert payouts.mark_paid(store, ids, by=None, at=NOW) == len(names)
        return len(listing), len(paying)

    cost(["First Ofall"])  # makes the store's own accounts
    assert cost(["One Person"]) == cost([f"Person {letter}" for letter in "ABCDEFGH"])


def test_a_debt_of_the_person_found_to_be_the_same(store, person, make_customer):
    """After two became one, what is on a list of the one is paid from the account of the other."""
    sara = person()
    payout = listed(store).payouts.get()
    other = make_customer("Sara A.", at=NOW - 50 * DAY)
    type(sara).objects.filter(pk=sara.pk, store=store).update(merged_into=other)
    old, new = (ledger.account(store, Account.Kind.PAYABLE, "PHP", one) for one in (sara, other))
    ledger.post(store, key="merge", kind="merge", amounts={old: -500, new: 500}, at=NOW)
    payouts.mark_paid(store, [payout.pk], by=None, at=NOW)
    assert ledger.payable(store, other, "PHP") == 0
    assert balances(store) == {"cost": -500, "paid": 500}
