"""What the store does by hand: done, undone, given to charities together."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rewards.models import Commitment, Fulfilment
from rewards.services import fulfilling, granting, recounting
from tests.conftest import NOW
from tests.rewards.books_world import Kind, balances, budget_of, earn, terms_of

DAY = timedelta(days=1)


@pytest.fixture
def sara(make_customer):
    return make_customer("Sara Ahmadi", at=NOW - 100 * DAY)


def task_of(customer, kind=Kind.CUSTOM, **fields):
    return earn(customer, kind, terms=terms_of(customer.store), **fields).fulfilment


def test_done_and_undone_and_done_again(store, sara):
    task = task_of(sara)
    assert fulfilling.done(task, by=None, at=NOW, words="on Monday")
    assert not fulfilling.done(task, by=None, at=NOW)
    assert fulfilling.undo(task, by=None, at=NOW)
    assert not fulfilling.undo(task, by=None, at=NOW)
    assert balances(store) == {"promised": 500, "contingent": -500}
    assert Commitment.objects.for_store(store).get(key=f"reward:{task.reward_id}").status == "held"
    assert fulfilling.done(task, by=None, at=NOW)
    assert balances(store) == {"cost": -500, "delivered": 500}
    assert recounting.problems(store) == []


def test_the_budget_follows(store, sara):
    task = task_of(sara)
    fulfilling.done(task, by=None, at=NOW)
    assert budget_of(store).committed_minor == 500
    fulfilling.undo(task, by=None, at=NOW)
    assert budget_of(store).committed_minor == 500


def test_what_was_taken_back_is_not_done(store, sara):
    task = task_of(sara)
    granting.take_back(task.reward, reason="refunded", at=NOW)
    with pytest.raises(fulfilling.Gone):
        fulfilling.done(task, by=None, at=NOW)
    assert balances(store) == {}


def test_what_was_done_and_taken_back_cannot_be_undone(store, sara):
    task = task_of(sara)
    fulfilling.done(task, by=None, at=NOW)
    granting.take_back(task.reward, reason="refunded", at=NOW)
    with pytest.raises(fulfilling.Gone):
        fulfilling.undo(task, by=None, at=NOW)


def test_a_donation_undone_lies_with_the_store_again(store, sara):
    task = task_of(sara, Kind.DONATION)
    fulfilling.done(task, by=None, at=NOW)
    fulfilling.undo(task, by=None, at=NOW)
    assert balances(store) == {"cost": -500, "charity": 500}
    fulfilling.done(task, by=None, at=NOW)
    assert balances(store) == {"cost": -500, "donated": 500}


def test_charities_are_given_together(store, sara, make_customer):
    task_of(sara, Kind.DONATION), task_of(make_customer("Bea Cruz"), Kind.DONATION, amount_minor=700)
    task_of(sara, Kind.DONATION, words="The school")
    groups = {one["words"]: one for one in fulfilling.charities(store)}
    shelter = groups["The animal shelter"]
    assert (shelter["people"], shelter["total_minor"], groups["The school"]["total_minor"]) == (2, 1200, 500)
    late = task_of(sara, Kind.DONATION)  # came in after the sum was read
    given = fulfilling.give_to_charity(store, "The animal shelter", "PHP", until=shelter["last"], by=None, at=NOW)
    assert given == (2, 1200)
    late.refresh_from_db()
    assert late.status == Fulfilment.Status.OPEN
    again = fulfilling.give_to_charity(store, "The animal shelter", "PHP", until=shelter["last"], by=None, at=NOW)
    assert again == (0, 0)
    assert balances(store) == {"cost": -2200, "charity": 1000, "donated": 1200}


def test_queries_do_not_grow_with_the_gifts(store, sara):
    def cost(number):
        tasks = [task_of(sara, Kind.DONATION) for _ in range(number)]
        with CaptureQueriesContext(connection) as seen:
            assert (
                fulfilling.give_to_charity(store, "The animal shelter", "PHP", until=tasks[-1].pk, by=None, at=NOW)[0]
                == number
            )
        return len(seen)

    cost(1)
    assert cost(1) == cost(9)
