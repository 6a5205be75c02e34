"""An ordinary call of vouchers/redeem/ in one statement. Why: docs/decisions/0027-redeeming-in-front.md."""

from django.db import migrations

# Only for the names of counters: what a caller may do is looked at inside the store's wall, at each call.
NAMES = """
CREATE FUNCTION goodword_names_of_key(p_hash text) RETURNS TABLE (key_id bigint, store_id bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM set_config('app.store', coalesce(goodword_store_by_api_key(p_hash)::text, ''), true);
    RETURN QUERY SELECT k.id, k.store_id FROM stores_apikey k WHERE k.hash = p_hash AND k.revoked_at IS NULL;
END $$
"""

# In the order of the plain way: api_auth.ApiKeyAuthentication, HasScope, idempotency.once, redeeming.redeem.
REDEEM = """
CREATE FUNCTION goodword_redeem_by_key(
    p_hash text, p_call text, p_request text, p_code text, p_bill bigint, p_currency text, p_at timestamptz,
    p_redemption text, p_order text, p_source text
) RETURNS TABLE (store_id bigint, answer text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    api record;
    used record;
    told text;
BEGIN
    PERFORM set_config('app.store', coalesce(goodword_store_by_api_key(p_hash)::text, ''), true);
    -- A key that was not used for a minute is noted as used by the plain way.
    SELECT k.id, k.store_id INTO api FROM stores_apikey k
        WHERE k.hash = p_hash AND k.revoked_at IS NULL AND k.scopes ? 'vouchers'
            AND k.last_used_at >= p_at - interval '1 minute';
    IF NOT FOUND
        OR NOT pg_try_advisory_xact_lock(hashtextextended(api.id || ':' || p_call, 20261122))
        OR EXISTS (SELECT FROM stores_idempotentcall c
            WHERE c.store_id = api.store_id AND c.api_key_id = api.id AND c.key = p_call)
    THEN RETURN; END IF;

    SELECT r.discount_minor INTO used FROM goodword_redeem(
        api.store_id, p_code, p_bill, p_currency, p_at, p_redemption, p_order, p_source, '', NULL, NULL) r;
    IF NOT FOUND THEN RETURN; END IF;

    told := format(
        '{"redemption": "%s", "discount_minor": %s, "payable_minor": %s, "currency": "%s", "referral": null}',
        p_redemption, used.discount_minor, p_bill - used.discount_minor, p_currency);
    INSERT INTO stores_idempotentcall (store_id, api_key_id, key, request_hash, status, body, at)
        VALUES (api.store_id, api.id, p_call, p_request, 201, to_jsonb(told), p_at);
    RETURN QUERY SELECT api.store_id, told;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("checkout", "0001_the_counter"),
        ("referrals", "0017_redeem_at_once"),
        ("stores", "0013_owners_second_factor"),
    ]

    operations = [
        migrations.RunSQL(NAMES, "DROP FUNCTION goodword_names_of_key(text)"),
        migrations.RunSQL(
            REDEEM,
            "DROP FUNCTION goodword_redeem_by_key(text, text, text, text, bigint, text, timestamptz, text, text, text)",
        ),
    ]
