"""Sample stores, which alone may be removed with everything in them, books included; how far an owner has set up.

A store is born as the sample of another, or never is one: the column takes no other value later. The append-only
tables let a row of a sample go, and only in the function below, which removes the whole store that the transaction
is bound to. Why: docs/decisions/0014-sample-data.md.
"""

import django.db.models.deletion
from django.db import migrations, models

from stores.walls import STORE, directory_function

OWNER = "(SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)"
ERASING = f"""
    IF TG_OP = 'UPDATE' AND current_setting('app.erasing', true) = 'on'
        AND TG_TABLE_NAME NOT IN ('rewards_entry', 'rewards_ledgertransaction')
        AND current_user = {OWNER}
    THEN
        RETURN NEW;
    END IF;
"""
LEAVING = f"""
    IF TG_OP = 'DELETE' AND current_setting('app.removing_sample', true) = 'on' AND current_user = {OWNER} THEN
        IF EXISTS (SELECT FROM stores_store WHERE id = OLD.store_id AND sample_of_id IS NOT NULL) THEN
            RETURN OLD;
        END IF;
    END IF;
"""
REFUSE = """
    RAISE EXCEPTION '% is append-only: correct it by a new row', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
"""


def refuse_change(*exceptions: str) -> str:
    """The trigger function of the append-only tables."""
    return f"""
        CREATE OR REPLACE FUNCTION goodword_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {"".join(exceptions)} {REFUSE} END $$;
    """


KEEP_KIND = """
CREATE FUNCTION goodword_keep_kind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.sample_of_id IS NOT DISTINCT FROM OLD.sample_of_id THEN
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' AND OLD.sample_of_id IS NOT NULL THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'a store is born as a sample or never is one, and only a sample may be removed'
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER stores_store_keep_kind BEFORE UPDATE OF sample_of_id OR DELETE ON stores_store
    FOR EACH ROW EXECUTE FUNCTION goodword_keep_kind();
"""

REMOVE = f"""
CREATE FUNCTION goodword_remove_sample() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    sample constant bigint := {STORE};
    place record;
    gone bigint;
    total bigint := 0;
BEGIN
    PERFORM FROM stores_store WHERE id = sample AND sample_of_id IS NOT NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    PERFORM set_config('app.removing_sample', 'on', true);
    FOR place IN
        SELECT t.relname AS tab FROM pg_class t
        WHERE t.relkind IN ('r', 'p') AND NOT t.relispartition AND t.relnamespace = 'public'::regnamespace
          AND EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = t.oid AND a.attname = 'store_id' AND NOT a.attisdropped)
    LOOP
        EXECUTE format('DELETE FROM %I WHERE store_id = $1', place.tab) USING sample;
        GET DIAGNOSTICS gone = ROW_COUNT;
        total := total + gone;
    END LOOP;
    DELETE FROM stores_store WHERE id = sample;
    PERFORM set_config('app.removing_sample', '', true);
    RETURN total + 1;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("stores", "0007_erasing_history")]

    operations = [
        migrations.AddField(
            model_name="store",
            name="sample_of",
            field=models.OneToOneField(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="stores.store",
            ),
        ),
        migrations.AddField(model_name="store", name="setup", field=models.JSONField(default=dict, editable=False)),
        directory_function(
            "goodword_sample_of(bigint)", "bigint", "SELECT id FROM stores_store WHERE sample_of_id = $1"
        ),
        migrations.RunSQL(refuse_change(ERASING, LEAVING), refuse_change(ERASING)),
        migrations.RunSQL(
            KEEP_KIND, "DROP TRIGGER stores_store_keep_kind ON stores_store; DROP FUNCTION goodword_keep_kind()"
        ),
        migrations.RunSQL(REMOVE, "DROP FUNCTION goodword_remove_sample()"),
    ]
