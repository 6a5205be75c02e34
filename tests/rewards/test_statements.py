"""Months, what is owed at a date: the sums agree with the entries, whatever happens; by the index."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.services import Person
from rewards import spans
from rewards.models import Account, Entry, LedgerTransaction
from rewards.services import fulfilling, granting, ledger, recounting, statements, vouchers
from rewards.services.ledger import Fact
from stores.tenancy import acting_for
from tests.conftest import NOW, make_order_of
from tests.rewards.books_world import Kind, earn, purse_of, terms_of, use

DAY = timedelta(days=1)


@pytest.fixture
def sara(make_customer):
    return make_customer("Sara Ahmadi", at=NOW - 100 * DAY)


def month(store, at=NOW):
    return statements.month_of(store, *spans.month_of(at.astimezone(store.zone).date()).bounds(store.zone))[0]


def test_a_month_with_what_was_owed_before(store, sara):
    earn(sara, Kind.STORE_CREDIT, 900, at=NOW - 40 * DAY)
    earn(sara, Kind.STORE_CREDIT, 500)
    use(purse_of(sara), 200)
    fulfilling.done(earn(sara, Kind.DONATION, 300).fulfilment, by=None, at=NOW)
    found = month(store)
    by_kind = {sums.kind: sums for sums in found.owed}
    credit = by_kind[Account.Kind.CREDIT]
    assert (credit.opening_minor, credit.moved["earned"], credit.moved["used"], credit.closing_minor) == (
        900,
        500,
        -200,
        1200,
    )
    charity = by_kind[Account.Kind.CHARITY]
    assert (charity.moved["earned"], charity.moved["given"], charity.closing_minor) == (300, -300, 0)
    assert (found.cost_minor, found.total.closing_minor) == (800, 1200)


def test_a_month_ends_at_the_stores_midnight(store, sara):
    start, end = spans.month_of(NOW.date()).bounds(store.zone)
    earn(sara, Kind.CASH, 100, at=start - timedelta(microseconds=1))
    earn(sara, Kind.CASH, 10, at=start)
    earn(sara, Kind.CASH, 1, at=end)
    [found] = statements.month_of(store, start, end)
    assert (found.total.opening_minor, found.total.closing_minor) == (100, 110)


def test_breakage_is_the_months_it_expired_in(store, sara):
    card = earn(sara, Kind.GIFT_CARD, 500, at=NOW - 60 * DAY, valid_days=59).voucher
    use(card, 120, at=NOW - 50 * DAY)
    vouchers.expire_due(store, NOW)
    found = month(store)
    assert (found.breakage_minor, found.total.moved["expired"], found.total.closing_minor) == (380, -380, 0)


DEEDS = ["credit", "cash", "card", "gift", "custom", "use", "void"]
ACTS = st.lists(
    st.tuples(st.sampled_from(DEEDS), st.integers(1, 999), st.integers(0, 80)),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(acts=ACTS)
def test_months_follow_each_other_and_agree_with_the_entries(make_store_once, acts):
    """Each month opens with what the one before closed with; closings are what is owed; budgets agree."""
    store, customer = make_store_once()
    play(customer, acts)
    first = spans.month_of((NOW - 90 * DAY).date())
    months, span = [], first
    for _ in range(5):
        months.append(statements.month_of(store, *span.bounds(store.zone))[0])
        span = spans.month_of(span.after)
    for one, following in pairwise(months):
        assert one.total.closing_minor == following.total.opening_minor
    owed = statements.liabilities(store, NOW + DAY).get(store.currency, {})
    assert sum(owed.values()) == months[-1].total.closing_minor
    lines = statements.lines_of(store, customer)
    last = {}
    for line in lines:
        if line.balance_minor is not None:
            last[line.kind, line.card] = line.balance_minor
    held = Account.objects.for_store(store).filter(kind__in=Account.PERSONAL)
    assert sum(last.values()) == sum(held.values_list("balance_minor", flat=True))
    assert recounting.problems(store) == []
    assert budget_agrees(store)


def budget_agrees(store):
    budget = terms_of(store).budget
    standing = statements.budget_standing(budget, NOW + DAY)
    budget.refresh_from_db()
    debts = Entry.objects.for_store(store).filter(account__kind="owed").values_list("amount_minor", flat=True)
    return (
        standing.used_minor == budget.committed_minor
        and standing.earned_minor == standing.paid_minor + standing.held_minor + standing.kept_minor + sum(debts)
    )


KINDS = {
    "credit": Kind.STORE_CREDIT,
    "cash": Kind.CASH,
    "card": Kind.GIFT_CARD,
    "gift": Kind.FIXED_OFF,
    "custom": Kind.CUSTOM,
}


def play(customer, acts):
    rewards = []
    for what, amount, days in sorted(acts, key=lambda act: -act[2]):
        at = NOW - days * DAY
        if what in KINDS:
            rewards.append(earn(customer, KINDS[what], amount, at=at, terms=terms_of(customer.store)))
        elif what == "use" and rewards:
            step(rewards[amount % len(rewards)], amount, at)
        elif what == "void" and rewards:
            granting.take_back(rewards[amount % len(rewards)], reason="staff", at=at)


def step(reward, amount, at):
    """Use what a reward is used by."""
    reward.refresh_from_db()
    if reward.offer.kind == Kind.CUSTOM:
        if reward.status == "granted":
            fulfilling.done(reward.fulfilment, by=None, at=at)
        return
    voucher = vouchers.voucher_of(reward)
    if voucher and not vouchers.quote(voucher, vouchers.Bill(amount, voucher.currency), at=at).reason:
        use(voucher, amount, at=at)


@pytest.fixture
def make_store_once(make_store):
    """A fresh store with a customer for each example."""

    def make():
        store = make_store()
        return store, make_order_of(store, Person("Sara Ahmadi", "sara@example.com"), at=NOW - 100 * DAY).customer

    return make


def test_every_posted_fact_has_a_name(store, sara):
    """A transaction whose kind no statement knows would stand in "other" without words."""
    earn(sara, Kind.CASH)
    kinds = set(ledger.LedgerTransaction.objects.for_store(store).values_list("kind", flat=True))
    assert kinds <= set(Fact.values)


def test_queries_are_the_same_however_much_happened(store, sara):
    def cost():
        with CaptureQueriesContext(connection) as seen:
            month(store), statements.liabilities(store, NOW), list(statements.bookkeeping(store, NOW - DAY, NOW + DAY))
        return len(seen)

    earn(sara, Kind.CASH)
    few = cost()
    for _ in range(10):
        earn(sara, Kind.STORE_CREDIT)
    assert cost() == few


def long_ago(store, days: int) -> None:
    """Ten transactions a day that came to nothing, for so many days before yesterday."""
    moments = [NOW - 2 * DAY - number * DAY / 10 for number in range(days * 10)]
    facts = [
        LedgerTransaction(store=store, key=f"old:{number}", kind=Fact.GRANT, at=at) for number, at in enumerate(moments)
    ]
    account = Entry.objects.for_store(store).earliest("pk").account
    both = [
        Entry(store=store, transaction=fact, account=account, amount_minor=amount, currency=account.currency)
        for fact in LedgerTransaction.objects.bulk_create(facts)
        for amount in (1, -1)
    ]
    Entry.objects.bulk_create(both)


def test_a_months_file_enters_by_the_index_of_dates(committed_store):
    """A month of a long history must not read all of it."""
    store = committed_store
    with acting_for(store):
        earn(make_order_of(store, Person("Sara", "sara@example.com"), at=NOW).customer, Kind.CASH)
        long_ago(store, days=300)
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE rewards_ledgertransaction, rewards_entry, rewards_account")
    with acting_for(store), CaptureQueriesContext(connection) as seen:
        assert list(statements.bookkeeping(store, NOW - DAY, NOW + DAY))
    query = next(one["sql"] for one in seen.captured_queries if "rewards_entry" in one["sql"])
    statement = query[query.index("SELECT") :]
    with acting_for(store), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "ledger_at" in plan, plan
