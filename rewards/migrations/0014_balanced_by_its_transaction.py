"""The check of a ledger transaction reads its entries by their transaction alone.

With the store in the same question Postgres may look through every entry of the store, where its statistics are older
than the store: measured 80,000 rows a redemption. A transaction is of one store; its entries' composite key says so.
"""

from django.db import migrations

CHECK = """
DROP TRIGGER rewards_entry_balanced ON rewards_entry;
DROP FUNCTION goodword_check_balanced();
CREATE FUNCTION goodword_check_balanced() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    IF (SELECT sum(amount_minor) FROM rewards_entry WHERE transaction_id = NEW.transaction_id) IS DISTINCT FROM 0 THEN
        RAISE EXCEPTION 'ledger transaction % does not sum to zero', NEW.transaction_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER rewards_entry_balanced AFTER INSERT ON rewards_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION goodword_check_balanced();
-- As ops: the check must see the entries even after the transaction has left its store.
ALTER FUNCTION goodword_check_balanced() OWNER TO goodword_ops;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("rewards", "0013_one_index_of_the_store"),
    ]

    operations = [migrations.RunSQL(CHECK, migrations.RunSQL.noop)]
