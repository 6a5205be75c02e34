"""Row-level security: the catalogue, and the web's role against another store's rows."""

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, connection, connections, transaction

from customers.models import Customer, Order
from outreach.models import Message
from rewards.models import Account, Entry, LedgerTransaction
from rewards.services import ledger
from stores.models import Store
from stores.tenancy import NoStore, StoreModel, acting_for
from tests.conftest import NOW

TENANT_MODELS = [model for model in apps.get_models() if issubclass(model, StoreModel)]


def rows(query: str, *parameters) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()


def tables_without_a_wall() -> set[str]:
    """Tables with a store_id (and the stores themselves) that lack a forced policy."""
    found = rows(
        """
        SELECT c.relname FROM pg_class c
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
          AND (c.relname = 'stores_store' OR EXISTS (
              SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'store_id' AND NOT a.attisdropped))
          AND NOT (c.relrowsecurity AND c.relforcerowsecurity
                   AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*'))
        """
    )
    return {name for (name,) in found}


@pytest.mark.django_db
def test_every_tenant_table_has_a_forced_policy():
    tables = {model._meta.db_table for model in TENANT_MODELS}
    in_catalogue = {
        name
        for (name,) in rows(
            "SELECT table_name FROM information_schema.columns"
            " WHERE column_name = 'store_id' AND table_schema = 'public'"
        )
    }
    assert tables == in_catalogue
    assert tables_without_a_wall() == set()


@pytest.mark.django_db
def test_every_tenant_table_can_be_read_by_store_and_is_counted_often():
    """An index over all of its rows begins with the store; statistics know a shop soon after it came."""
    tenants = {model._meta.db_table for model in TENANT_MODELS}
    by_store = rows(
        """
        SELECT DISTINCT indrelid::regclass::text FROM pg_index
        JOIN pg_attribute a ON a.attrelid = indrelid AND a.attnum = indkey[0] AND a.attname = 'store_id'
        WHERE indpred IS NULL
        """
    )
    assert tenants - {name for (name,) in by_store} == set()
    counted = rows("SELECT relname FROM pg_class WHERE 'autovacuum_analyze_scale_factor=0.01' = ANY(reloptions)")
    assert tenants - {name for (name,) in counted} == set()


@pytest.mark.django_db(databases=["default", "owner"])
def test_a_table_without_a_wall_would_be_found():
    with transaction.atomic("owner"), connections["owner"].cursor() as owner:
        owner.execute("CREATE TABLE forgotten (id bigint, store_id bigint)")
        owner.execute("SELECT relname FROM pg_class WHERE relname = 'forgotten' AND NOT relforcerowsecurity")
        assert owner.fetchall() == [("forgotten",)]
        transaction.set_rollback(True, "owner")


@pytest.mark.django_db
def test_links_between_tenant_rows_stay_within_a_store():
    """Each link to a tenant row has a composite key, and none a plain one that would accept a stranger's row."""
    keys = {
        (table, tuple(columns))
        for table, columns in rows(
            """
            SELECT conrelid::regclass::text, array_agg(a.attname::text ORDER BY k.place)
            FROM pg_constraint, unnest(conkey) WITH ORDINALITY AS k(number, place)
            JOIN pg_attribute a ON a.attnum = k.number
            WHERE contype = 'f' AND a.attrelid = conrelid GROUP BY oid, conrelid
            """
        )
    }
    for model in TENANT_MODELS:
        for field in model._meta.concrete_fields:
            if field.is_relation and issubclass(field.related_model, StoreModel):
                assert (model._meta.db_table, ("store_id", field.column)) in keys, field
                assert (model._meta.db_table, (field.column,)) not in keys, field


@pytest.mark.django_db
def test_the_web_role_owns_nothing_and_bypasses_nothing():
    assert rows("SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user") == [
        ("goodword_app", False, False)
    ]
    assert rows("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole") == [(0,)]


def test_no_store_shows_no_rows_and_raises_in_code(make_customer, store):
    make_customer()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.store', '', true)")
    assert rows("SELECT count(*) FROM customers_customer") == [(0,)]
    with pytest.raises(NoStore):
        Customer.objects.for_store(None)


def test_raw_sql_sees_and_changes_nothing_of_another_store(make_customer, store, other_store):
    mine = make_customer("Mine")
    with acting_for(other_store):
        assert rows("SELECT count(*) FROM customers_customer") == [(0,)]
        assert rows("SELECT count(*) FROM customers_order WHERE store_id = %s", store.pk) == [(0,)]
        with connection.cursor() as cursor:
            cursor.execute("UPDATE customers_customer SET name = 'stolen'")
            assert cursor.rowcount == 0
            cursor.execute("DELETE FROM customers_orderline")
            assert cursor.rowcount == 0
    mine.refresh_from_db()
    assert mine.name == "Mine"


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)
def test_no_table_shows_another_stores_rows(model, make_order, store, other_store):
    make_order()
    with acting_for(other_store):
        assert not model.objects.filter(store_id=store.pk).exists()


def test_a_row_cannot_be_written_into_another_store(store, other_store):
    with pytest.raises(DatabaseError, match="row-level security"), acting_for(other_store), transaction.atomic():
        Customer.objects.create(store=store, name="Smuggled")


def test_a_link_to_another_stores_row_is_refused(make_customer, store, other_store):
    theirs = make_customer()
    with pytest.raises(IntegrityError), transaction.atomic(), acting_for(other_store):
        Order.objects.create(
            store=other_store,
            customer_id=theirs.pk,
            source="x",
            external_id="1",
            currency="PHP",
            total_minor=1,
            placed_at=NOW,
        )
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_acting_for_a_store_ends_with_its_block(store, other_store):
    with acting_for(other_store):
        assert list(Store.objects.values_list("slug", flat=True)) == ["elsewhere"]
    assert list(Store.objects.values_list("slug", flat=True)) == ["rosewater"]


def test_acting_for_a_store_ends_with_an_error(store, other_store):
    with pytest.raises(ZeroDivisionError), acting_for(other_store):
        1 / 0  # noqa: B018
    assert list(Store.objects.values_list("slug", flat=True)) == ["rosewater"]


@pytest.mark.parametrize(
    "statement", ["UPDATE rewards_entry SET amount_minor = 1", "DELETE FROM rewards_entry", "TRUNCATE rewards_entry"]
)
def test_the_books_cannot_be_changed(store, statement):
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(databases=["default", "owner"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE rewards_entry SET amount_minor = 1", "DELETE FROM rewards_entry", "TRUNCATE rewards_entry CASCADE"],
)
def test_not_even_by_their_owner(statement):
    """The trigger stands behind the privilege; TRUNCATE is the one that a row trigger would let through."""
    with transaction.atomic("owner"):
        triggers = connections["owner"].cursor()
        triggers.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'rewards_entry'::regclass AND tgname LIKE '%append_only%'"
        )
        assert triggers.fetchone() == (2,)
        if "TRUNCATE" in statement:
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic("owner"):
                triggers.execute(statement)


def test_an_unbalanced_transaction_is_refused(make_customer, store):
    purse = ledger.account(store, Account.Kind.CREDIT, "PHP", make_customer())
    with pytest.raises(IntegrityError, match="sum to zero"), transaction.atomic():
        posted = LedgerTransaction.objects.create(store=store, key="broken", kind="grant", at=NOW)
        Entry.objects.create(store=store, transaction=posted, account=purse, amount_minor=5, currency="PHP")
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_purse_cannot_go_below_zero(make_customer, store):
    purse = ledger.account(store, Account.Kind.CREDIT, "PHP", make_customer())
    cost = ledger.account(store, Account.Kind.COST, "PHP")
    with pytest.raises(IntegrityError, match="account_not_overdrawn"), transaction.atomic():
        ledger.post(store, key="overdraw", kind="redeem", amounts={purse: -1, cost: 1}, at=NOW)


def test_hot_look_ups_use_their_index_under_row_level_security(make_order, store):
    make_order()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in (
            Customer.objects.for_store(store).filter(email_norm="sara@example.com"),
            Order.objects.for_store(store).filter(source="api", external_id="1"),
            Message.objects.for_store(store).filter(status="pending", due_at__lte=NOW),
        ):
            plan = query.explain()
            assert "Index Scan" in plan or "Bitmap Index Scan" in plan, plan
            assert "Seq Scan" not in plan, plan
