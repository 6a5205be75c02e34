"""The ordinary redemption in one call. Why, and what it may leave out: docs/decisions/0021-redeeming-at-once.md."""

from django.db import migrations

# Written out as the statements of referrals.services.redeeming.redeem in their order; the rules stand in the first.
REDEEM = """
CREATE FUNCTION goodword_redeem(
    p_store bigint, p_code text, p_bill bigint, p_currency text, p_at timestamptz,
    p_redemption text, p_order text, p_source text, p_location text, p_shown bigint, p_by bigint
) RETURNS TABLE (
    redemption_id bigint, voucher_id bigint, order_id bigint, transaction_id bigint, customer_id bigint,
    location_id bigint, discount_minor bigint
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    place bigint;
    held record;
    promise record;
    books record;
    discount bigint;
BEGIN
    IF p_location <> '' THEN
        SELECT l.id INTO place FROM stores_location l WHERE l.store_id = p_store AND l.code = p_location;
        IF NOT FOUND THEN RETURN; END IF;
    END IF;

    -- Held until the end, and judged as it is then; by nothing but its code, so that this is always the unique index.
    SELECT * INTO held FROM rewards_voucher v WHERE v.store_id = p_store AND v.code = p_code AND v.kind = 'offer'
        FOR UPDATE;
    IF NOT FOUND OR held.status <> 'issued' OR held.uses <> 1 OR held.used <> 0 OR held.is_personal
        OR held.expires_at <= p_at OR held.starts_at > p_at
        OR (held.location_id IS NOT NULL AND held.location_id IS DISTINCT FROM place)
        OR held.currency <> p_currency
    THEN RETURN; END IF;
    SELECT least(CASE WHEN o.percent IS NULL THEN o.amount_minor ELSE p_bill * o.percent / 100 END,
            p_bill, o.most_minor, held.most_minor)
        INTO discount
        FROM rewards_offer o WHERE o.store_id = p_store AND o.id = held.offer_id
            AND o.kind IN ('percent_off', 'fixed_off') AND p_bill >= o.minimum_minor;
    IF NOT FOUND OR discount <= 0 OR discount <> p_shown THEN RETURN; END IF;

    -- Something may lead to an advocate, or a message about the voucher waits: there is more to do than this.
    IF EXISTS (SELECT FROM referrals_claim c WHERE c.store_id = p_store AND c.voucher_id = held.id)
        OR EXISTS (SELECT FROM referrals_sharelink l WHERE l.code_norm = p_code)
        OR EXISTS (SELECT FROM outreach_message m WHERE m.store_id = p_store AND m.status = 'pending'
            AND m.about <> '' AND m.about = 'voucher:' || held.id)
    THEN RETURN; END IF;
    IF held.customer_id IS NOT NULL AND (p_by IS NOT NULL
        OR EXISTS (SELECT FROM referrals_claim c WHERE c.store_id = p_store AND c.friend_id = held.customer_id)
        OR EXISTS (SELECT FROM customers_customer me
            JOIN customers_customer twin ON twin.store_id = p_store AND twin.email_alias = me.email_alias
                AND twin.email_alias <> ''
            JOIN referrals_claim c ON c.store_id = p_store AND c.friend_id = twin.id
            WHERE me.store_id = p_store AND me.id = held.customer_id)
        OR EXISTS (SELECT FROM outreach_task t
            JOIN outreach_message m ON m.store_id = p_store AND m.id = t.message_id
            WHERE t.store_id = p_store AND t.status = 'open' AND m.about = 'voucher:' || held.id))
    THEN RETURN; END IF;

    SELECT c.id, c.budget_id, c.status, c.promised_minor, c.amount_minor
        INTO promise
        FROM rewards_commitment c WHERE c.store_id = p_store AND c.key = 'voucher:' || held.key FOR UPDATE;
    IF FOUND AND (promise.status <> 'held'
        OR (promise.budget_id IS NOT NULL AND promise.amount_minor < discount))
    THEN RETURN; END IF;

    SELECT min(a.id) FILTER (WHERE a.kind = 'redeemed') AS redeemed,
            min(a.id) FILTER (WHERE a.kind = 'cost' AND a.budget_id IS NOT DISTINCT FROM promise.budget_id) AS cost,
            min(a.id) FILTER (WHERE a.kind = 'promised' AND a.budget_id IS NOT DISTINCT FROM promise.budget_id)
                AS promised,
            min(a.id) FILTER (WHERE a.kind = 'contingent' AND a.budget_id IS NOT DISTINCT FROM promise.budget_id)
                AS contingent
        INTO books
        FROM rewards_account a WHERE a.store_id = p_store AND a.currency = held.currency
            AND a.kind IN ('redeemed', 'cost', 'promised', 'contingent')
            AND a.customer_id IS NULL AND a.card_id IS NULL;
    IF books.redeemed IS NULL OR books.cost IS NULL
        OR (promise.promised_minor > 0 AND (books.promised IS NULL OR books.contingent IS NULL))
    THEN RETURN; END IF;

    -- From here on everything is written.
    UPDATE rewards_voucher v SET status = 'redeemed', used = 1 WHERE v.id = held.id;
    IF promise.id IS NOT NULL THEN
        UPDATE rewards_commitment c SET status = 'spent', amount_minor = discount, ended_at = p_at,
                leftover_minor = c.leftover_minor
                    + CASE WHEN c.budget_id IS NULL THEN 0 ELSE c.amount_minor - discount END
            WHERE c.id = promise.id;
    END IF;
    RETURN QUERY
    WITH sold AS (
        INSERT INTO customers_order (store_id, public_id, customer_id, source, external_id, currency, total_minor,
                refunded_minor, placed_at, code, visit, named, card_hash, location_id, recorded_at, updated_at)
            VALUES (p_store, p_order, held.customer_id, p_source, p_redemption, p_currency, p_bill - discount,
                0, p_at, p_code, '', '', '', place, p_at, p_at)
            RETURNING id
    ), posted AS (
        INSERT INTO rewards_ledgertransaction (store_id, key, kind, at, recorded_at)
            VALUES (p_store, 'redeem:' || p_redemption, 'redeem', p_at, clock_timestamp())
            RETURNING id
    ), entered AS (
        INSERT INTO rewards_entry (store_id, transaction_id, account_id, amount_minor, currency)
            SELECT p_store, posted.id, e.account, e.amount, held.currency
            FROM posted, (VALUES (books.cost, -discount), (books.redeemed, discount),
                (books.promised, -promise.promised_minor), (books.contingent, promise.promised_minor))
                AS e(account, amount)
            WHERE e.amount <> 0
    )
    INSERT INTO rewards_redemption AS r (store_id, public_id, voucher_id, single_use, order_id, amount_minor,
            discount_minor, currency, transaction_id, at, by_id, location_id)
        SELECT p_store, p_redemption, held.id, true, sold.id, p_bill, discount, p_currency, posted.id, p_at,
            p_by, place
        FROM sold, posted
        RETURNING r.id, r.voucher_id, r.order_id, r.transaction_id, held.customer_id, r.location_id, r.discount_minor;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("referrals", "0016_wallet_keys"),
        ("rewards", "0011_leftovers"),
        ("customers", "0011_when_tagged"),
        ("outreach", "0006_report_walls"),
        ("stores", "0011_job_files"),
    ]

    operations = [
        migrations.RunSQL(
            REDEEM,
            "DROP FUNCTION goodword_redeem("
            "bigint, text, bigint, text, timestamptz, text, text, text, text, bigint, bigint)",
        )
    ]
