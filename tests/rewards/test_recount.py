"""The nightly recount finds what somebody damaged, says so, and stops payouts."""

import logging
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from customers.services import Person
from rewards.models import Recount
from rewards.services import recounting, vouchers
from rewards.services.recounting import Problem
from stores.tenancy import acting_for
from tests.conftest import NOW, make_order_of
from tests.rewards.books_world import Kind, earn, purse_of, terms_of, use


@pytest.fixture
def shop(committed_store):
    """A store with something of everything in its books, committed."""
    with acting_for(committed_store):
        sara = make_order_of(committed_store, Person("Sara Ahmadi", "sara@example.com"), at=NOW).customer
        terms = terms_of(committed_store)
        for kind in (Kind.FIXED_OFF, Kind.STORE_CREDIT, Kind.GIFT_CARD, Kind.CASH, Kind.DONATION, Kind.CUSTOM):
            earn(sara, kind, terms=terms)
        use(purse_of(sara), 200)
        vouchers.reverse(use(earn(sara, Kind.FIXED_OFF, terms=terms).voucher, 310), at=NOW)
    return committed_store


@contextmanager
def as_owner(store):
    """The database's owner, who can do what no code of ours can: triggers off, inside the store's wall."""
    owner = connections["owner"]
    with owner.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT set_config('app.store', %s, true)", [str(store.pk)])
        tables = ("rewards_entry", "rewards_ledgertransaction", "rewards_budget", "rewards_account")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield cursor
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("COMMIT")
    owner.close()


def found(store):
    with acting_for(store):
        return recounting.problems(store)


def test_all_is_well(shop):
    assert found(shop) == []


DAMAGE = {
    "an amount changed": (
        "UPDATE rewards_entry SET amount_minor = amount_minor + 1 WHERE id = (SELECT max(id) FROM rewards_entry e"
        " WHERE EXISTS (SELECT FROM rewards_account a WHERE a.id = e.account_id AND a.kind = 'redeemed'))",
        [Problem.TOTAL, Problem.UNBALANCED],
    ),
    "two errors that hide each other": (
        "UPDATE rewards_entry SET amount_minor = amount_minor + CASE id WHEN (SELECT min(e.id) FROM rewards_entry e"
        " JOIN rewards_account a ON a.id = e.account_id WHERE a.kind = 'redeemed') THEN 1 ELSE -1 END WHERE id IN ("
        " (SELECT min(e.id) FROM rewards_entry e JOIN rewards_account a ON a.id = e.account_id"
        " WHERE a.kind = 'redeemed'), (SELECT max(e.id) FROM rewards_entry e"
        " JOIN rewards_account a ON a.id = e.account_id WHERE a.kind = 'redeemed'))",
        [Problem.UNBALANCED],
    ),
    "another currency within a transaction": (
        "UPDATE rewards_entry SET currency = 'JPY' WHERE id = (SELECT max(id) FROM rewards_entry)",
        [Problem.UNBALANCED],
    ),
    "a balance changed": (
        "UPDATE rewards_account SET balance_minor = balance_minor + 1 WHERE kind = 'credit'",
        [Problem.DRIFT],
    ),
    "a promise forgotten": (
        "UPDATE rewards_commitment SET promised_minor = promised_minor + 7 WHERE status = 'held'"
        " AND id = (SELECT min(id) FROM rewards_commitment WHERE status = 'held')",
        [Problem.PROMISED],
    ),
    "a budget's sum changed": ("UPDATE rewards_budget SET committed_minor = committed_minor + 1", [Problem.BUDGETS]),
    "a place too many": ("UPDATE rewards_budget SET places_taken = places_taken + 1", [Problem.PLACES]),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found(shop, damage):
    statement, expected = DAMAGE[damage]
    with as_owner(shop) as cursor:
        cursor.execute(statement)
        assert cursor.rowcount >= 1
    assert found(shop) == expected


def test_the_night_says_so_and_keeps_it(shop, caplog):
    with as_owner(shop) as cursor:
        cursor.execute(DAMAGE["a balance changed"][0])
    with caplog.at_level(logging.ERROR):
        tonight(shop)
    assert f"the books of store {shop.pk} are wrong: drift" in caplog.text
    with acting_for(shop):
        assert Recount.objects.get(store=shop).problems == ["drift"]
    with as_owner(shop) as cursor:
        cursor.execute("UPDATE rewards_account SET balance_minor = balance_minor - 1 WHERE kind = 'credit'")
    tonight(shop)
    with acting_for(shop):
        assert Recount.objects.get(store=shop).problems == []


def tonight(store):
    with acting_for(store):
        return recounting.recount(store, NOW)


def test_the_doctor_names_the_store(shop, capsys):
    with as_owner(shop) as cursor:
        cursor.execute(DAMAGE["a place too many"][0])
    with pytest.raises(SystemExit):
        call_command("doctor")
    assert f"{shop.slug} (places)" in capsys.readouterr().out


def test_it_costs_the_same_however_much_there_is(shop):
    def cost():
        with acting_for(shop), CaptureQueriesContext(connection) as seen:
            recounting.problems(shop)
        return len(seen)

    few = cost()
    with acting_for(shop):
        sara = make_order_of(shop, Person("Bea Cruz", "bea@example.com"), at=NOW).customer
        for _ in range(10):
            earn(sara, Kind.STORE_CREDIT, terms=terms_of(shop))
    assert cost() == few
