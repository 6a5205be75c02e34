"""The one look-up of a landing page, as a function: its plan is kept by the connection, through PgBouncer too.

It runs with the caller's rights: the directory names the store, the rest is read behind that store's wall, which
stands until the end of the transaction. No row: unknown, over, erased, blocked perhaps, or not everybody's program;
the view decides about those.
"""

from django.db import migrations

LOOK_UP = """
CREATE FUNCTION goodword_landing(typed text, moment timestamptz)
RETURNS TABLE (store_id bigint, link_id bigint, code text, name text, locale text, store_locale text)
LANGUAGE plpgsql AS $$
DECLARE
    shop bigint := goodword_store_by_share_code(typed);
BEGIN
    PERFORM set_config('app.store', shop::text, true) WHERE shop IS NOT NULL;
    RETURN QUERY
        SELECT link.store_id, link.id, link.code::text, advocate.name::text, advocate.locale::text, store.locale::text
        FROM referrals_sharelink link
        JOIN customers_customer advocate ON advocate.store_id = shop AND advocate.id = link.customer_id
        JOIN stores_store store ON store.id = shop
        WHERE link.store_id = shop AND link.code_norm = typed
          AND (link.expires_at IS NULL OR link.expires_at > moment)
          AND advocate.erased_at IS NULL
          AND advocate.external_id NOT LIKE 'partner:%'
          AND NOT EXISTS (
              SELECT FROM customers_customertag tag
              WHERE tag.store_id = shop AND tag.customer_id = advocate.id AND tag.tag IN ('partner', 'staff'))
          AND NOT EXISTS (
              SELECT FROM referrals_block block WHERE block.store_id = shop AND block.lifted_at IS NULL);
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("referrals", "0017_redeem_at_once"),
        ("customers", "0011_when_tagged"),
    ]

    operations = [migrations.RunSQL(LOOK_UP, "DROP FUNCTION goodword_landing(text, timestamptz)")]
