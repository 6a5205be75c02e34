"""Erasing leaves the table of search terms to the database: terms go with the customer's own name and addresses.

Else each erasure would read every term of the store, and could write two terms of a customer into one.
"""

from django.db import migrations

ERASE = """
CREATE OR REPLACE FUNCTION goodword_erase(people bigint[], pattern text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    store constant bigint := nullif(current_setting('app.store', true), '')::bigint;
    place record;
BEGIN
    PERFORM set_config('app.erasing', 'on', true);
    -- What they wrote themselves, or was noted about them.
    UPDATE surveys_responseevent SET comment = '' WHERE store_id = store AND comment <> '' AND response_id IN
        (SELECT id FROM surveys_response WHERE store_id = store AND customer_id = ANY (people));
    UPDATE surveys_caseevent SET note = '' WHERE store_id = store AND note <> '' AND case_id IN
        (SELECT id FROM surveys_recoverycase WHERE store_id = store AND customer_id = ANY (people));
    UPDATE surveys_testimonialevent SET text = '' WHERE store_id = store AND text <> '' AND testimonial_id IN
        (SELECT id FROM surveys_testimonial WHERE store_id = store AND customer_id = ANY (people));
    UPDATE outreach_taskevent SET note = '' WHERE store_id = store AND note <> '' AND task_id IN
        (SELECT id FROM outreach_task WHERE store_id = store AND customer_id = ANY (people));
    -- Wherever else their name, addresses and codes stand: in every text and document of the store's tables.
    FOR place IN
        SELECT t.relname AS tab, a.attname AS col, a.atttypid = 'jsonb'::regtype AS is_json
        FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace
          AND a.atttypid IN ('text'::regtype, 'varchar'::regtype, 'jsonb'::regtype)
          AND EXISTS (SELECT FROM pg_attribute s WHERE s.attrelid = t.oid AND s.attname = 'store_id')
          AND t.relname NOT IN
              ('customers_customer', 'customers_searchterm', 'rewards_entry', 'rewards_ledgertransaction')
    LOOP
        EXECUTE format(
            'UPDATE %1$I SET %2$I = regexp_replace(%2$I::text, $1, %3$L, ''gi'')%4$s
             WHERE store_id = $2 AND %2$I::text ~* $1',
            place.tab, place.col, '…', CASE WHEN place.is_json THEN '::jsonb' ELSE '' END
        ) USING pattern, store;
    END LOOP;
    PERFORM set_config('app.erasing', '', true);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("referrals", "0014_on_the_site"), ("customers", "0009_search_terms")]

    operations = [migrations.RunSQL(ERASE, migrations.RunSQL.noop)]
