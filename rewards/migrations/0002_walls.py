"""Row-level security, links that stay within a store, and books that cannot be changed or unbalanced."""

from django.db import migrations

from stores.walls import append_only, wall


class Migration(migrations.Migration):
    dependencies = [("rewards", "0001_initial"), ("customers", "0002_walls")]

    operations = [
        wall("rewards_offer"),
        wall("rewards_ladder"),
        wall("rewards_tier", ladder_id="rewards_ladder", offer_id="rewards_offer"),
        wall(
            "rewards_reward",
            customer_id="customers_customer",
            offer_id="rewards_offer",
            tier_id="rewards_tier",
        ),
        wall(
            "rewards_voucher",
            offer_id="rewards_offer",
            customer_id="customers_customer",
            reward_id="rewards_reward",
        ),
        wall("rewards_account", customer_id="customers_customer"),
        wall("rewards_ledgertransaction", reverses_id="rewards_ledgertransaction"),
        wall("rewards_entry", transaction_id="rewards_ledgertransaction", account_id="rewards_account"),
        wall(
            "rewards_redemption",
            voucher_id="rewards_voucher",
            order_id="customers_order",
            transaction_id="rewards_ledgertransaction",
            location_id="stores_location",
        ),
        append_only("rewards_ledgertransaction"),
        append_only("rewards_entry"),
        append_only("rewards_offer"),
        # Checked at commit, so that the entries of one transaction may be written in any order.
        migrations.RunSQL(
            """
            CREATE FUNCTION goodword_check_balanced() RETURNS trigger LANGUAGE plpgsql
                SECURITY DEFINER SET search_path = pg_catalog, public AS $$
            BEGIN
                IF (SELECT sum(amount_minor) FROM rewards_entry
                    WHERE store_id = NEW.store_id AND transaction_id = NEW.transaction_id) IS DISTINCT FROM 0 THEN
                    RAISE EXCEPTION 'ledger transaction % does not sum to zero', NEW.transaction_id
                        USING ERRCODE = 'check_violation';
                END IF;
                RETURN NULL;
            END $$;
            CREATE CONSTRAINT TRIGGER rewards_entry_balanced AFTER INSERT ON rewards_entry
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION goodword_check_balanced();
            -- As ops: the check must see the entries even after the transaction has left its store.
            ALTER FUNCTION goodword_check_balanced() OWNER TO goodword_ops;
            """,
            "DROP TRIGGER rewards_entry_balanced ON rewards_entry; DROP FUNCTION goodword_check_balanced()",
        ),
    ]
