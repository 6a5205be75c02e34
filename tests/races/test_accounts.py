"""Who moves money of one person holds that person's accounts in one order: nobody waits in a circle."""

from __future__ import annotations

import time
from threading import Event

import pytest
from django.db import OperationalError, connection

from customers.services import Person
from referrals.services.terms import OfferTerms, make_offer
from rewards.models import Account, Offer, Reward
from rewards.services import granting, ledger
from stores.tenancy import acting_for
from tests.conftest import NOW, make_order_of

HUNDRED = OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=100_00)


@pytest.fixture
def rewarded(committed_store, in_store):
    """A reward of 100, and its holder's accounts in order of their ids: the purse, what is owed."""

    def make():
        customer = make_order_of(committed_store, Person("Sara", "sara@example.com"), at=NOW).customer
        reward = granting.grant(
            customer, make_offer(committed_store, HUNDRED), side=Reward.Side.CUSTOMER, key="first", at=NOW
        )
        return reward, list(Account.objects.for_store(committed_store).filter(customer=customer).order_by("pk"))

    return in_store(make)


@pytest.fixture
def meet(at_once, committed_store, rewarded):
    """`meet(work)`: somebody holds the first account, waits until `work` is in the way, then wants the second."""
    reward, accounts = rewarded
    first, second = accounts
    is_held = Event()

    def hold(_reward):
        ledger.held(first)
        is_held.set()
        deadline = time.monotonic() + 20
        with connection.cursor() as cursor:
            while time.monotonic() < deadline:
                cursor.execute("SELECT pg_stat_clear_snapshot()")  # else the transaction sees the first answer for ever
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
                if cursor.fetchone()[0]:
                    break
                time.sleep(0.01)
        ledger.held(second)

    def act(work):
        def run(number):
            if number:
                is_held.wait(20)
            with acting_for(committed_store):
                (hold, work)[number](reward)

        return at_once(2, run)

    return act


def earn(reward):
    offer = make_offer(reward.store, HUNDRED)
    granting.grant(reward.customer, offer, side=Reward.Side.CUSTOMER, key="second", at=NOW)


def take_back(reward):
    granting.take_back(reward, reason="test", at=NOW)


@pytest.mark.parametrize("work", [earn, take_back])
def test_money_of_one_person_moves_in_one_order(meet, work, rewarded, committed_store, in_store):
    assert meet(work) == [None, None]
    left = {earn: 200_00, take_back: 0}[work]
    reward, _ = rewarded
    assert in_store(lambda: ledger.credit_balance(committed_store, reward.customer, "PHP")) == left


def test_the_control_waits_in_a_circle(meet, rewarded):
    """What is owed first, then the purse: one of the two is thrown out by the database."""
    _, (purse, debt) = rewarded

    def turned(_reward):
        ledger.held(debt)
        ledger.held(purse)

    answers = meet(turned)
    assert [type(one) for one in answers if one] == [OperationalError]
