"""The two walls around every store: `.for_store()` in code, row-level security in Postgres.

A tenant row is reached through `Model.objects.for_store(store)`, inside `acting_for(store)`, which
tells Postgres whose rows this transaction may see. Without a store both walls show nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from django.db import connection, models, transaction
from django.db.models.constants import OnConflict

from stores import logs
from stores.codes import public_id

if TYPE_CHECKING:
    from stores.models import Store


class NoStore(Exception):
    """A query on tenant rows did not say whose rows it wants."""


@contextmanager
def acting_for(store: Store | int) -> Iterator[None]:
    """Open a transaction that may see and write the rows of `store` only.

    Nests: the setting of the surrounding transaction is put back at the end. Inside a transaction
    that acts for this store already it adds nothing, not even a savepoint.
    """
    wanted = str(store if isinstance(store, int) else store.pk)
    nested = connection.in_atomic_block
    if nested and _store() == wanted:
        yield
        return
    with transaction.atomic(), logs.at_store(wanted):
        before = _set_store(wanted)
        yield
        # After an error the rollback restores the setting by itself; the end of a transaction, too.
        if nested:
            _set_store(before)


def act_for(store: Store | int) -> None:
    """For the rest of the current transaction (a web request), see the rows of `store` only."""
    wanted = str(store if isinstance(store, int) else store.pk)
    logs.stay_at_store(wanted)
    _set_store(wanted)


def act_as_user(user_id: int) -> None:
    """For the rest of the current transaction, also see which stores this user works for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.user', %s, true)", [str(user_id)])


def _store() -> str:
    """Whose rows the current transaction may see; '' means nobody's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('app.store', true), '')")
        return str(cursor.fetchone()[0])


def _set_store(value: str) -> str:
    """Set the transaction-local store and return what it was; '' means none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(current_setting('app.store', true), ''), set_config('app.store', %s, true)", [value]
        )
        return str(cursor.fetchone()[0])


class StoreQuerySet(models.QuerySet[Any]):
    """Rows of a tenant table."""

    def for_store(self, store: Store | None) -> Self:
        """The rows of `store`; raises NoStore for None, so that a lost tenant never means *all*."""
        if store is None:
            raise NoStore(f"{self.model.__name__} was asked for without a store")
        return self.filter(store_id=store.pk)


def insert_new(row: models.Model) -> bool:
    """Insert `row` unless a unique constraint says it is there; True, with its id, when it was new.

    One statement (ON CONFLICT DO NOTHING) where get_or_create takes four and a savepoint.
    """
    meta = type(row)._meta
    fields = [field for field in meta.concrete_fields if field is not meta.pk]
    query = type(row)._base_manager.all()
    inserted = query._insert(  # type: ignore[attr-defined]
        [row], fields, returning_fields=[meta.pk], on_conflict=OnConflict.IGNORE, using=connection.alias
    )
    is_new = bool(inserted and inserted[0])  # on a conflict Postgres returns no row, Django [None]
    if is_new:
        row.pk = inserted[0][0]
        row._state.adding, row._state.db = False, connection.alias
    return is_new


class StoreModel(models.Model):
    """A tenant row. Its table has forced row-level security (see `stores.walls`)."""

    # Its index is the key (store, id), or another that begins with the store.
    store = models.ForeignKey("stores.Store", models.PROTECT, related_name="+", db_index=False)

    objects: models.Manager[Any] = StoreQuerySet.as_manager()

    class Meta:
        abstract = True


class PublicModel(StoreModel):
    """A tenant row that URLs and the API name by an opaque id."""

    public_id = models.CharField(max_length=20, default=public_id, editable=False)

    class Meta:
        abstract = True


class TenantKey(models.ForeignKey):
    """A link between two rows of one store.

    The database constraint is the composite (store_id, id) made by `stores.walls`: a plain foreign
    key ignores row-level security and would accept another store's row (RELIABILITY rule 40).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(*args, **kwargs)


class TenantOneToOne(models.OneToOneField):
    """A TenantKey that at most one row may hold."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(*args, **kwargs)
