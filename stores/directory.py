"""Look-ups that come before the store is known; each answers with ids only (stores.walls)."""

from collections.abc import Iterator

from django.db import connection

from stores import logs
from stores.models import Store
from stores.tenancy import act_for, acting_for


def _first(query: str, value: str) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(query, [value])
        row = cursor.fetchone()
    return row[0] if row else None


def all_store_ids() -> list[int]:
    """Every store's id, for sweeps."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM goodword_store_ids()")
        return [row[0] for row in cursor.fetchall()]


def store_id_by_slug(slug: str) -> int | None:
    """The id of the store with that slug."""
    return _first("SELECT goodword_store_by_slug(%s)", slug)


def enter_by_api_key(key_hash: str) -> int | None:
    """Bind the current transaction to the store that owns the key with that hash, and return its id."""
    bound = (
        "SELECT nullif(set_config('app.store', coalesce(goodword_store_by_api_key(%s)::text, ''), true), '')::bigint"
    )
    found = _first(bound, key_hash)
    if found:
        logs.stay_at_store(str(found))
    return found


def store_id_by_share_code(code: str) -> int | None:
    """The id of the store whose share link has that normalised code."""
    return _first("SELECT goodword_store_by_share_code(%s)", code)


def store_id_by_print_code(code: str) -> int | None:
    """The id of the store whose print run has that normalised code."""
    return _first("SELECT goodword_store_by_print_code(%s)", code)


def stores_with_jobs(kind: str) -> list[int]:
    """Ids of the stores where long work of this kind goes on, or is to begin."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM goodword_stores_with_jobs(%s)", [kind])
        return [row[0] for row in cursor.fetchall()]


def sample_of(store: Store) -> int | None:
    """The id of the store's sample, if there is one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT goodword_sample_of(%s)", [store.pk])
        row = cursor.fetchone()
    return row[0] if row else None


def named(slug: str) -> Store | None:
    """The store with that slug, read inside its own wall: for management commands."""
    store_id = store_id_by_slug(slug)
    if store_id is None:
        return None
    with acting_for(store_id):
        return Store.objects.get(pk=store_id)


def enter(store_id: int) -> Store | None:
    """Bind the current transaction to the store and return it."""
    act_for(store_id)
    return Store.objects.filter(pk=store_id).first()


def each_store() -> Iterator[Store]:
    """Every store in turn, each inside its own transaction bound to it: for sweeps."""
    for store_id in all_store_ids():
        with acting_for(store_id):
            store = Store.objects.get(pk=store_id)
        yield store
