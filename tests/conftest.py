"""Fixtures: a database made by the owner's role and used by the application's, stores, people, clients."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from customers.models import Customer, Order
from customers.services import Line, OrderData, Person, record_order
from referrals.models import ShareLink
from referrals.services.links import share_link_of
from referrals.services.programs import open_store
from stores.api_auth import hash_key
from stores.models import ApiKey, Membership, Role, Store, User
from stores.tenancy import act_for, acting_for
from tests import databases

# A busy machine is no fault of the code: no time limit for what Hypothesis plays.
# The same examples each time: who changes something else need not mend what nobody had drawn yet. FUZZ draws anew.
hypothesis_settings.register_profile(
    "goodword", deadline=None, derandomize="FUZZ" not in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("goodword")

# Hundreds of log-ins are made; how slow a hash is proves nothing here.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
PASSWORD = "a-long-test-password"


LONGEST_FIRST = ("flow", "faults", "browser", "races")  # folders: at the end no process waits for another's long one


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first; the rest stays in order."""
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.parent.name, len(places)))


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """A database of this process's own: tables by goodword_owner, tests as goodword_app."""
    with django_db_blocker.unblock(), databases.own() as name, databases.looking_at(name):
        yield


@pytest.fixture(autouse=True)
def _clean_counters(request):
    """Counters of tries live in Redis, not in the test's transaction."""
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        cache.clear()


@pytest.fixture(scope="module")
def _committed_database(django_db_setup, django_db_blocker) -> Iterator[str]:
    """What a file's tests commit stays in a database of their own: no sweep of another test ever meets it."""
    with django_db_blocker.unblock(), databases.own() as name:
        yield name


@pytest.fixture
def committed(_committed_database, django_db_blocker) -> Iterator[None]:
    """The database without a transaction around the test.

    Not pytest's `transaction=True`: that empties every table by TRUNCATE, which the application's role
    may not do (the books are append-only). What the test writes stays, in a store of its own.
    """
    with django_db_blocker.unblock(), databases.looking_at(_committed_database):
        cache.clear()
        yield


@pytest.fixture
def committed_store(committed) -> Store:
    """A store of this test's own, committed; use rows inside `acting_for(store)`."""
    slug = f"shop-{secrets.token_hex(4)}"
    facts = {"currency": "PHP", "timezone": "Asia/Manila", "country": "PH"}
    return open_store(slug=slug, name="Committed", at=NOW - timedelta(days=400), **facts)


@pytest.fixture
def now() -> datetime:
    """The moment a test plays at, aware UTC."""
    return NOW


@pytest.fixture
def make_store(db):
    """A function that opens a store; the test's transaction is bound to the last one opened."""

    def make(slug: str = "", **fields) -> Store:
        facts = {"name": "Rosewater Café", "currency": "PHP", "timezone": "Asia/Manila", "country": "PH", **fields}
        store = open_store(slug=slug or f"shop-{secrets.token_hex(4)}", at=NOW - timedelta(days=400), **facts)
        act_for(store)
        return store

    return make


@pytest.fixture
def store(make_store) -> Store:
    """The store of the test; the transaction is bound to it."""
    return make_store("rosewater")


@pytest.fixture
def other_store(make_store, store) -> Store:
    """A second store; the transaction stays bound to `store`."""
    other = make_store("elsewhere", name="Elsewhere")
    act_for(store)
    return other


@pytest.fixture
def make_user(db):
    """A function that makes a person with a role in a store (none: a stranger)."""

    def make(role: Role | None, store: Store | None, email: str = "") -> User:
        user = User.objects.create_user(email or f"{secrets.token_hex(4)}@example.com", PASSWORD, name="Leila Santos")
        if role and store:
            with acting_for(store):
                Membership.objects.create(store=store, user=user, role=role)
        return user

    return make


@pytest.fixture
def login(make_user, store):
    """A function that gives a logged-in client of that role in the store, or of nobody's."""

    def make(role: Role | None, of: Store | None = None) -> Client:
        client = Client()
        client.user = make_user(role, of or store)
        client.force_login(client.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return make


@pytest.fixture
def connection_stays_open() -> Iterator[None]:
    """As by Django's own test client: the end of a request does not end the test's transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def owner(login) -> Client:
    """The store's owner, logged in."""
    return login(Role.OWNER)


@pytest.fixture
def manager(login) -> Client:
    """A manager of the store, logged in."""
    return login(Role.MANAGER)


@pytest.fixture
def staff(login) -> Client:
    """Somebody at the store's counter, logged in."""
    return login(Role.STAFF)


@pytest.fixture
def stranger(login, other_store) -> Client:
    """The owner of another store, logged in."""
    return login(Role.OWNER, of=other_store)


@pytest.fixture
def api(store) -> Client:
    """A client with an API key of the store that has every scope."""
    return _client_with_key(store)


@pytest.fixture
def foreign_api(other_store, store) -> Client:
    """A client with another store's key."""
    client = _client_with_key(other_store)
    act_for(store)
    return client


def _client_with_key(store: Store) -> Client:
    key = f"gw_{secrets.token_hex(20)}"
    with acting_for(store):
        ApiKey.objects.create(store=store, prefix=key[:8], hash=hash_key(key), scopes=list(ApiKey.SCOPES))
    client = Client(headers={"authorization": f"Bearer {key}"})
    client.key = key
    return client


@pytest.fixture
def make_customer(store):
    """A function that makes a customer by an order they placed."""

    def make(name: str = "Sara Ahmadi", email: str = "", *, at: datetime = NOW, **person) -> Customer:
        address = email or f"{secrets.token_hex(4)}@example.com"
        return make_order_of(store, Person(name=name, email=address, **person), at=at).customer

    return make


@pytest.fixture
def make_order(store):
    """A function that records an order: `make_order(email="bea@example.com", days_ago=8, delivered=True)`."""

    def make(
        email: str = "sara@example.com",
        *,
        name: str = "Sara Ahmadi",
        days_ago: float = 10,
        delivered: bool = True,
        **facts,
    ) -> Order:
        placed = NOW - timedelta(days=days_ago)
        facts.setdefault("delivered_at", placed + timedelta(days=1) if delivered else None)
        facts.setdefault("recorded", placed)
        return make_order_of(store, Person(name=name, email=email), at=facts.pop("recorded"), placed_at=placed, **facts)

    return make


def make_order_of(store: Store, person: Person | None, *, at: datetime, **facts) -> Order:
    """Record an order of 1,550.00 for one mug."""
    values = {
        "source": "api",
        "external_id": secrets.token_hex(6),
        "currency": store.currency,
        "total_minor": 155_000,
        "placed_at": at,
        "person": person,
        "lines": (Line("MUG-1", "Mug", "kitchen", 1, 155_000),),
        **facts,
    }
    return record_order(store, OrderData(**values), at=at)[0]


@pytest.fixture
def share_link(make_customer) -> ShareLink:
    """The share link of an advocate named Sara Ahmadi."""
    return share_link_of(make_customer("Sara Ahmadi", "sara@example.com"), at=NOW)
