"""Fixtures for races: real commits, many connections, nothing rolled back."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from stores.api_auth import hash_key
from stores.models import ApiKey
from stores.tenancy import acting_for


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


@pytest.fixture
def key_header(committed_store, in_store):
    """The Authorization header of a key of the store."""
    key = f"gw_{secrets.token_hex(20)}"
    fields = {"prefix": key[:8], "hash": hash_key(key), "scopes": list(ApiKey.SCOPES)}
    in_store(lambda: ApiKey.objects.create(store=committed_store, **fields))
    return {"authorization": f"Bearer {key}"}
