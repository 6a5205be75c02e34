"""Behind PgBouncer in transaction mode a connection is another's after each transaction (RELIABILITY G13, E3d)."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from customers.models import Customer, Order
from customers.services import Person
from outreach.dispatch import dispatch
from outreach.models import Kind, Message, OutboxItem
from referrals.services.programs import open_store, program_of
from rewards.models import Redemption
from rewards.services import ledger, vouchers
from stores.api_auth import hash_key
from stores.models import ApiKey
from stores.tenancy import acting_for
from tests import databases
from tests.conftest import make_order_of
from tests.faults.pooler import PgBouncer
from tests.planned import plan_message

CLIENTS, TURNS, PEOPLE = 8, 100, 125  # 8 x 100 x 125 rows are read
BUSY_TURNS = 6


@pytest.fixture
def two_stores(committed):
    """Two stores with a key and so many customers each."""
    at = timezone.now() - timedelta(days=1)
    stores = [open_store(slug=f"shop-{secrets.token_hex(4)}", name="Shop", currency="PHP", at=at) for _ in range(2)]
    for store in stores:
        store.key = f"gw_{secrets.token_hex(20)}"
        emails = [f"{number}@{store.slug}.example" for number in range(PEOPLE)]
        with acting_for(store):
            ApiKey.objects.create(
                store=store, prefix=store.key[:8], hash=hash_key(store.key), scopes=list(ApiKey.SCOPES)
            )
            Customer.objects.bulk_create(
                [Customer(store=store, name="Sara", email=one, email_norm=one, recorded_at=at) for one in emails]
            )
    return stores


@pytest.fixture
def pooled(two_stores, _committed_database):
    """Every connection goes through PgBouncer."""
    with PgBouncer() as pooler, databases.looking_at(_committed_database, pooler.urls):
        yield


def all_clients(work):
    """Call `work(number)` for each client at the same moment; what they answer."""
    gate = Barrier(CLIENTS)

    def one(number):
        gate.wait(30)
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(one, range(CLIENTS)))


def stores_of_all_customers():
    """Whose customers there are: no word of a store in the query, only the wall of the database counts."""
    return Counter(Customer._base_manager.values_list("store_id", flat=True))


def read_all(two_stores, read) -> list[int]:
    """How many rows were read, how many were another store's, how many missing, how many were shown to nobody."""

    def work(number):
        store, rows, foreign, missing, shown = two_stores[number % 2], 0, 0, 0, 0
        for _ in range(TURNS):
            found = read(store)
            rows += found.total()
            foreign += found.total() - found[store.pk]
            missing += PEOPLE - found[store.pk]
            shown += stores_of_all_customers().total()
        return rows, foreign, missing, shown

    return [sum(numbers) for numbers in zip(*all_clients(work), strict=True)]


def test_eight_clients_of_two_stores_see_their_own_rows(two_stores, pooled):
    def read(store):
        with acting_for(store):
            return stores_of_all_customers()

    assert read_all(two_stores, read) == [CLIENTS * TURNS * PEOPLE, 0, 0, 0]


def test_control_a_setting_of_the_session_is_somebody_elses(two_stores, pooled):
    def read(store):
        with connection.cursor() as cursor:
            cursor.execute("SET app.store = %s", [str(store.pk)])
        return stores_of_all_customers()

    rows, foreign, _, shown = read_all(two_stores, read)
    print(f"control: {foreign} of {rows} rows were another's; {shown} were shown to who had said no store")
    assert foreign > PEOPLE
    assert shown > PEOPLE


def test_the_shop_works_behind_it(two_stores, pooled):
    """Orders, codes and letters at once: nothing in them lives longer than its transaction."""
    codes = {store.pk: prepare(store) for store in two_stores}

    def work(number):
        store = two_stores[number % 2]
        client = Client(headers={"authorization": f"Bearer {store.key}"})
        if number >= CLIENTS - 2:
            dispatch(seconds=20)
            return [200]
        answers = []
        for turn in range(BUSY_TURNS):
            name = f"{number}-{turn}"
            answers.append(post(client, "orders/", [order(f"{name}-{place}") for place in range(3)]))
            answers.append(
                post(client, "vouchers/redeem/", bill(codes[store.pk][number // 2 * BUSY_TURNS + turn]), name)
            )
        return answers

    answers = Counter(status for statuses in all_clients(work) for status in statuses)
    dispatch(seconds=20)
    assert answers == {200: 6 * BUSY_TURNS + 2, 201: 6 * BUSY_TURNS}
    for store in two_stores:
        with acting_for(store):
            assert Order.objects.for_store(store).filter(source="shop").count() == 3 * 3 * BUSY_TURNS
            assert Redemption.objects.for_store(store).count() == 3 * BUSY_TURNS
            assert ledger.total(store) == 0
            letters = Message.objects.for_store(store).filter(kind=Kind.SURVEY)
            assert set(letters.values_list("status", flat=True)) == {"sent"}
            assert OutboxItem.objects.for_store(store).filter(message__in=letters).count() == PEOPLE


def prepare(store):
    """Codes, and a letter for everybody."""
    at = timezone.now() - timedelta(seconds=1)
    context = {"product": "Mug", "links": {"survey": "http://testserver/s/x", "unsubscribe": "http://testserver/u/x"}}
    with acting_for(store):
        for person in Customer.objects.for_store(store):
            plan_message(person, Kind.SURVEY, key=f"survey:{person.pk}", due_at=at, context=context, at=at)
        sara = make_order_of(store, Person("Sara", "sara@example.com"), at=at).customer
        offer = program_of(store).terms.friend_offer
        names = range(3 * BUSY_TURNS)
        return [vouchers.issue(store, offer, key=f"{sara.pk}-{name}", at=at).code for name in names]


def post(client, path, body, key=""):
    headers = {"idempotency-key": key} if key else {}
    return client.post(
        f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers
    ).status_code


def bill(code):
    return {"code": code, "amount_minor": 100_00, "currency": "PHP"}


def order(name):
    return {
        "source": "shop",
        "external_id": name,
        "currency": "PHP",
        "total_minor": 155_000,
        "placed_at": (timezone.now() - timedelta(hours=1)).isoformat(),
        "customer": {"name": "Bea", "email": f"{name}@friends.example"},
        "lines": [{"sku": "MUG-1", "name": "Mug", "quantity": 1, "unit_price_minor": 155_000}],
    }
