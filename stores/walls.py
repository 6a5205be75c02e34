"""Migration operations that wall a tenant table in: forced row-level security, composite keys.

The policy compares a plain column with a transaction-local setting. It calls no plpgsql (that
forced full scans) and survives '' (what SET LOCAL leaves behind), as measured in RELIABILITY E3.
"""

from django.db.migrations import RunSQL

# How many rows change until a table is counted again. By Postgres's own measure, a tenth, a new shop is not in the
# statistics of a large server: its rows seem to be one, and a customer is looked up by reading all of the shop's.
COUNTED = "autovacuum_analyze_scale_factor = 0.01, autovacuum_analyze_threshold = 500"
STORE = "nullif(current_setting('app.store', true), '')::bigint"
USER = "nullif(current_setting('app.user', true), '')::bigint"


def wall(table: str, *, also_visible: str = "", **references: str) -> RunSQL:
    """Force row-level security on `table` and make each reference stay within the store.

    `references` maps a column to the tenant table it points to: `customer_id="customers_customer"`.
    `also_visible` is an SQL condition under which a row may be read (not written) besides.
    """
    forward = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY own_store ON {table} USING (store_id = {STORE}) WITH CHECK (store_id = {STORE})",
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_store_key UNIQUE (store_id, id)",
        f"ALTER TABLE {table} SET ({COUNTED})",
    ]
    if also_visible:
        forward.append(f"CREATE POLICY also_visible ON {table} FOR SELECT USING ({also_visible})")
    for column, target in references.items():
        forward.append(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_own FOREIGN KEY (store_id, {column}) "
            f"REFERENCES {target} (store_id, id) DEFERRABLE INITIALLY DEFERRED"
        )
    return RunSQL(";\n".join(forward), RunSQL.noop)


def link(table: str, **references: str) -> RunSQL:
    """Keep a column added later within its store: `link("outreach_message", journey_id="outreach_journey")`."""
    return RunSQL(
        ";\n".join(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_own FOREIGN KEY (store_id, {column}) "
            f"REFERENCES {target} (store_id, id) DEFERRABLE INITIALLY DEFERRED"
            for column, target in references.items()
        ),
        RunSQL.noop,
    )


def leaves(*tables: str) -> RunSQL:
    """Take from these tables the key (store_id, id): nothing points to their rows, and they are written often.

    Each of them has another index that begins with the store.
    """
    return RunSQL(
        ";\n".join(f"ALTER TABLE {table} DROP CONSTRAINT {table}_store_key" for table in tables),
        ";\n".join(f"ALTER TABLE {table} ADD CONSTRAINT {table}_store_key UNIQUE (store_id, id)" for table in tables),
    )


def counted_often() -> RunSQL:
    """What `wall` says about statistics, for the tables that were walled in before it did."""
    return RunSQL(
        f"""
        DO $$ DECLARE tenant regclass; BEGIN
            FOR tenant IN SELECT attrelid FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
                WHERE attname = 'store_id' AND relkind = 'r' AND relnamespace = 'public'::regnamespace
            LOOP
                EXECUTE format('ALTER TABLE %s SET ({COUNTED})', tenant);
            END LOOP;
        END $$
        """,  # noqa: S608  # our own words
        RunSQL.noop,
    )


def append_only(table: str) -> RunSQL:
    """Let rows of `table` be written once: no UPDATE, DELETE or TRUNCATE, by privilege and by trigger.

    A row trigger does not fire on TRUNCATE, so there is a statement trigger as well (RELIABILITY E10).
    """
    return RunSQL(
        f"""
        REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM goodword_app;
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION goodword_refuse_change();
        CREATE TRIGGER {table}_append_only_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION goodword_refuse_change();
        """,
        RunSQL.noop,
    )


def directory_function(signature: str, returns: str, body: str) -> RunSQL:
    """A look-up that must happen before the store is known (RELIABILITY rule 43).

    It runs with the rights of goodword_ops, so `body` returns ids only, never a customer's data. Who
    may call it is set by default privileges (config/sql/roles.sql): the application, not PUBLIC.
    """
    name = signature.split("(", maxsplit=1)[0]
    return RunSQL(
        f"""
        CREATE FUNCTION {signature} RETURNS {returns} LANGUAGE sql STABLE SECURITY DEFINER
            SET search_path = pg_catalog, public AS $$ {body} $$;
        ALTER FUNCTION {signature} OWNER TO goodword_ops;
        """,
        f"DROP FUNCTION {name}",
    )
