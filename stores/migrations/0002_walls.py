"""Row-level security, append-only history, and the look-ups that come before a store is known."""

from django.db import migrations

from stores.walls import STORE, USER, append_only, directory_function, wall


class Migration(migrations.Migration):
    dependencies = [("stores", "0001_initial")]

    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION goodword_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION '% is append-only: correct it by a new row', TG_TABLE_NAME
                    USING ERRCODE = 'insufficient_privilege';
            END $$;
            """,
            "DROP FUNCTION goodword_refuse_change()",
        ),
        wall("stores_location"),
        wall("stores_membership", also_visible=f"user_id = {USER}"),
        wall("stores_apikey"),
        wall("stores_idempotentcall", api_key_id="stores_apikey"),
        wall("stores_auditevent"),
        append_only("stores_auditevent"),
        # A store sees itself; a person sees the stores they work for. Anybody logged in may open one.
        migrations.RunSQL(
            f"""
            ALTER TABLE stores_store ENABLE ROW LEVEL SECURITY;
            ALTER TABLE stores_store FORCE ROW LEVEL SECURITY;
            CREATE POLICY own_store ON stores_store USING (id = {STORE}) WITH CHECK (id = {STORE});
            CREATE POLICY also_visible ON stores_store FOR SELECT USING (
                id IN (SELECT store_id FROM stores_membership WHERE user_id = {USER})
            );
            """,
            migrations.RunSQL.noop,
        ),
        directory_function("goodword_store_ids()", "SETOF bigint", "SELECT id FROM stores_store ORDER BY id"),
        directory_function("goodword_store_by_slug(text)", "bigint", "SELECT id FROM stores_store WHERE slug = $1"),
        directory_function(
            "goodword_store_by_api_key(text)", "bigint", "SELECT store_id FROM stores_apikey WHERE hash = $1"
        ),
    ]
