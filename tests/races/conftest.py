"""Fixtures for races: real commits, many connections, nothing rolled back."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, connections

from referrals.services.programs import open_store
from stores.models import Store
from stores.tenancy import acting_for
from tests.conftest import NOW


@pytest.fixture
def committed(django_db_setup, django_db_blocker) -> Iterator[None]:
    """The database without a transaction around the test.

    Not pytest's `transaction=True`: that empties every table by TRUNCATE, which the application's role
    may not do (the books are append-only). What the test writes stays, in a store of its own.
    """
    with django_db_blocker.unblock():
        cache.clear()
        yield
        for one in connections.all():
            one.close()


@pytest.fixture
def committed_store(committed) -> Store:
    """A store of this test's own, committed; use rows inside `acting_for(store)`."""
    slug = f"race-{secrets.token_hex(4)}"
    facts = {"currency": "PHP", "timezone": "Asia/Manila", "country": "PH"}
    return open_store(slug=slug, name="Race", at=NOW - timedelta(days=400), **facts)


@pytest.fixture
def at_once(committed) -> Callable[..., list[Any]]:
    """`at_once(12, work)`: call `work(number)` in as many threads at the same moment; the answers in order.

    An exception is an answer, too.
    """

    def run(count: int, work: Callable[[int], Any]) -> list[Any]:
        gate = Barrier(count)

        def one(number: int) -> Any:
            gate.wait(timeout=30)
            try:
                return work(number)
            except Exception as error:
                return error
            finally:
                connection.close()

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    return run


@pytest.fixture
def in_store(committed_store) -> Callable[[Callable[[], Any]], Any]:
    """`in_store(lambda: rows.count())`: run something inside the store's wall, committed."""

    def run(work: Callable[[], Any]) -> Any:
        with acting_for(committed_store):
            return work()

    return run
