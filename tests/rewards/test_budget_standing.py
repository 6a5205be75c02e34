"""How a budget stands: promised, earned, paid, expired, at any date."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rewards.models import Voucher
from rewards.services import budgets, granting, recounting, vouchers
from rewards.services.statements import budget_standing
from tests.conftest import NOW
from tests.rewards.books_world import Kind, budget_of, earn, purse_of, terms_of, use

DAY = timedelta(days=1)


def standing(store, at=NOW):
    return budget_standing(budget_of(store), at)


def numbers(one):
    return (one.promised_minor, one.earned_minor, one.paid_minor, one.held_minor, one.expired_minor)


@pytest.fixture
def terms(store):
    return terms_of(store)


@pytest.fixture
def sara(make_customer):
    return make_customer("Sara Ahmadi", at=NOW - 100 * DAY)


def test_nothing_happened(store):
    assert numbers(standing(store)) == (0, 0, 0, 0, 0)


def test_a_promise_is_no_cost_until_it_is_used(store, sara, terms):
    reward = earn(sara, Kind.FIXED_OFF, 500, terms=terms)
    assert numbers(standing(store)) == (500, 0, 0, 0, 0)
    use(reward.voucher, 310)
    assert numbers(standing(store)) == (0, 310, 310, 0, 0)


def test_a_use_undone_is_a_promise_again(store, sara, terms):
    reward = earn(sara, Kind.FIXED_OFF, 500, terms=terms)
    vouchers.reverse(use(reward.voucher, 310), at=NOW)
    assert numbers(standing(store)) == (500, 0, 0, 0, 0)


def test_a_promise_nobody_used_has_expired(store, sara, terms):
    earn(sara, Kind.FIXED_OFF, 500, terms=terms, valid_days=10)
    later = NOW + 11 * DAY
    vouchers.expire_due(store, later)
    assert numbers(standing(store, later)) == (0, 0, 0, 0, 500)
    assert numbers(standing(store, NOW)) == (500, 0, 0, 0, 0)  # as it stood then


def test_what_was_taken_back_unused_did_not_expire(store, sara, terms):
    granting.take_back(earn(sara, Kind.FIXED_OFF, 500, terms=terms), reason="staff", at=NOW)
    assert numbers(standing(store)) == (0, 0, 0, 0, 0)


def test_credit_is_owed_until_it_is_used(store, sara, terms):
    earn(sara, Kind.STORE_CREDIT, 500, terms=terms)
    use(purse_of(sara), 200, at=NOW + DAY)
    assert numbers(standing(store)) == (0, 500, 0, 500, 0)
    assert numbers(standing(store, NOW + DAY)) == (0, 500, 200, 300, 0)


def test_what_was_earned_first_is_used_first(store, sara, terms):
    earn(sara, Kind.STORE_CREDIT, 300, at=NOW - DAY)  # an apology: of no program
    earn(sara, Kind.STORE_CREDIT, 500, terms=terms)
    use(purse_of(sara), 400)
    assert numbers(standing(store)) == (0, 500, 100, 400, 0)


def test_the_rest_of_a_card_expires(store, sara, terms):
    card = earn(sara, Kind.GIFT_CARD, 500, terms=terms, valid_days=10).voucher
    use(card, 120)
    later = NOW + 11 * DAY
    vouchers.expire_due(store, later)
    found = standing(store, later)
    assert numbers(found) == (0, 500, 120, 0, 380)
    assert found.used_minor == 120
    assert Voucher.objects.get(pk=card.pk, store=store).status == Voucher.Status.EXPIRED


def test_a_clawback_makes_it_less(store, sara, terms):
    reward = earn(sara, Kind.STORE_CREDIT, 500, terms=terms)
    use(purse_of(sara), 200)
    granting.take_back(reward, reason="refunded", at=NOW)
    assert numbers(standing(store)) == (0, 0, 200, 0, 0)  # 200 were paid and are owed


def test_places_at_a_date(store):
    """A place that was given back was taken until then."""
    budget = budget_of(store)
    facts = {"amount_minor": 0, "currency": "PHP", "places": 1}
    gone = budgets.commit(store, budget, key="one", at=NOW - 3 * DAY, **facts)
    budgets.commit(store, budget, key="two", at=NOW - DAY, **facts)
    budgets.release(gone, at=NOW)
    assert [standing(store, NOW - days * DAY).places_taken for days in (4, 3, 1, 0)] == [0, 1, 2, 1]
    budget.refresh_from_db()
    assert budget.places_taken == 1
    assert recounting.problems(store) == []


def test_it_agrees_with_what_the_budget_counts(store, sara, terms):
    earn(sara, Kind.FIXED_OFF, 500, terms=terms)
    earn(sara, Kind.STORE_CREDIT, 700, terms=terms)
    use(earn(sara, Kind.FIXED_OFF, 900, terms=terms).voucher, 650)
    budget = budget_of(store)
    budget.refresh_from_db()
    assert standing(store).used_minor == budget.committed_minor == 500 + 700 + 650


def test_two_queries_however_much_happened(store, sara, terms):
    for _ in range(5):
        earn(sara, Kind.STORE_CREDIT, 100, terms=terms)
    budget = budget_of(store)
    budget.store = store
    with CaptureQueriesContext(
        connection,
    ) as seen:
        budget_standing(budget, NOW)
    assert len(seen) == 2, [one["sql"][:90] for one in seen.captured_queries]
