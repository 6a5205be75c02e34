"""One order, reported many times at once (RELIABILITY G1), by callers who have all looked before anyone writes."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from contextlib import contextmanager
from random import Random
from threading import Barrier, local

import pytest
from django.db import connections, transaction
from django.test import Client

from customers.models import Customer, Order, OrderLine, Product
from customers.services import Line, OrderData, Person, people, record_orders
from stores.api_auth import hash_key
from stores.models import ApiKey
from stores.tenancy import acting_for
from tests.conftest import NOW, make_order_of

CALLERS = 12
PEOPLE = [Person(f"Bea {number}", f"bea{number}@example.com") for number in range(7)]
GUARDS = {"order_once": "customers_order", "customer_email": "customers_customer"}


@pytest.fixture
def all_look_first(monkeypatch):
    """Nobody writes before each caller has looked for the customer, and found none."""
    look, gate, mine = people._known, Barrier(CALLERS), local()

    def together(*args):
        found = look(*args)
        if not hasattr(mine, "looked"):
            mine.looked = True
            gate.wait(timeout=30)
        return found

    monkeypatch.setattr(people, "_known", together)


@pytest.fixture
def counts(committed_store, in_store):
    """How many rows of each kind there are."""
    models = (Customer, Order, OrderLine, Product)
    return lambda: in_store(lambda: [model.objects.for_store(committed_store).count() for model in models])


def report_order(store):
    with acting_for(store):
        return make_order_of(store, Person("Bea Cruz", "bea@example.com"), at=NOW, external_id="1001").pk


def test_an_order_reported_twelve_times_at_once_is_one(committed_store, at_once, all_look_first, counts):
    answers = at_once(CALLERS, lambda _: report_order(committed_store))
    assert len(set(answers)) == 1
    assert isinstance(answers[0], int)
    assert counts() == [1, 1, 1, 1]


def test_an_order_posted_twelve_times_at_once_is_one(committed_store, in_store, at_once, all_look_first, counts):
    keys = [f"gw_{secrets.token_hex(20)}" for _ in range(CALLERS)]  # a key's first use in a minute locks its row
    for key in keys:
        fields = {"prefix": key[:8], "hash": hash_key(key), "scopes": list(ApiKey.SCOPES)}
        in_store(lambda fields=fields: ApiKey.objects.create(store=committed_store, **fields))
    order = {
        "source": "pos",
        "external_id": "1001",
        "currency": "PHP",
        "total_minor": 155_000,
        "placed_at": "2026-11-20T10:00:00+08:00",
        "customer": {"name": "Bea Cruz", "email": "bea@example.com", "phone": "+639170000001"},
        "lines": [{"sku": "MUG-1", "name": "Mug", "category": "", "quantity": 1, "unit_price_minor": 155_000}],
    }

    def post(number):
        client = Client(headers={"authorization": f"Bearer {keys[number]}"})
        return client.post("/api/v1/orders/", json.dumps(order), content_type="application/json")

    answers = at_once(CALLERS, post)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 11}
    assert len({answer.json()["public_id"] for answer in answers}) == 1
    assert counts() == [1, 1, 1, 1]


def test_one_person_with_twelve_orders_at_once_is_one_customer(committed_store, at_once, all_look_first, counts):
    def order(number):
        with acting_for(committed_store):
            make_order_of(committed_store, Person("Bea Cruz", "bea@example.com"), at=NOW, external_id=f"{number}")

    assert at_once(CALLERS, order) == [None] * CALLERS
    assert counts() == [1, 12, 12, 1]


def report_list(store, seed):
    """Twenty orders of seven people, in an order of this caller's own; how each was recorded."""
    orders = [
        OrderData("api", f"{number}", "PHP", 155_000, NOW, person=PEOPLE[number % 7], lines=(Line("MUG-1", "Mug"),))
        for number in range(20)
    ]
    Random(seed).shuffle(orders)
    with acting_for(store):
        return [one.outcome for one in record_orders(store, orders, at=NOW)]


def test_twelve_lists_that_share_people_and_orders_make_each_once(committed_store, at_once, all_look_first, counts):
    answers = at_once(CALLERS, lambda number: report_list(committed_store, number))
    assert Counter(outcome for answer in answers for outcome in answer) == {"created": 20, "unchanged": 220}
    assert counts() == [7, 20, 20, 1]


def test_control_without_unique_keys_lists_double(committed_store, at_once, all_look_first, counts):
    with without_guards(committed_store):
        at_once(CALLERS, lambda number: report_list(committed_store, number))
        people, orders, lines, _ = counts()
        assert people > 7
        assert orders > 20
        assert lines == orders


@contextmanager
def without_guards(store):
    """Drop the unique keys as the owner, and put them back with this store's doubles removed."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE indexname = ANY(%s)", [list(GUARDS)])
        indexes = dict(cursor.fetchall())
        assert set(indexes) == set(GUARDS)
        for name, table in GUARDS.items():
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
            cursor.execute(f"DROP INDEX IF EXISTS {name}")
    try:
        yield
    finally:
        with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
            cursor.execute("SELECT set_config('app.store', %s, true)", [str(store.pk)])
            for table in ("customers_orderline", "customers_order", "customers_customer"):
                cursor.execute(f"DELETE FROM {table} WHERE store_id = %s", [store.pk])
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for definition in indexes.values():
                cursor.execute(definition)


def test_control_without_unique_keys_an_order_doubles(committed_store, at_once, all_look_first, counts):
    with without_guards(committed_store):
        at_once(CALLERS, lambda _: report_order(committed_store))
        assert counts() == [12, 12, 12, 1]
