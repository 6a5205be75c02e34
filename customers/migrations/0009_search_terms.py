"""What customers are found by, kept in step with them by the database; and orders by their number.

Why a table of terms: docs/decisions/0015-customer-search.md.
"""

import django.db.models.deletion
from django.db import migrations, models

import stores.tenancy
from stores.walls import STORE

# `customers.searching` cuts what was typed at the same signs.
TERMS = r"""
CREATE FUNCTION goodword_search_terms(name text, email text, phone text) RETURNS TABLE (term text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT left(array_to_string(words[place:6] || words[:place - 1], ' '), 100)
    FROM (SELECT array_remove(string_to_array(translate(name, '-.,;:/()"_', '          '), ' '), '') AS words) AS cut,
        generate_series(1, least(cardinality(words), 6)) AS place
    UNION
    SELECT email WHERE email <> ''
    UNION
    SELECT phone WHERE phone <> ''
    UNION
    SELECT '<' || reverse(ltrim(phone, '+')) WHERE phone <> ''
    $$
"""
KEEP = """
CREATE FUNCTION goodword_keep_search_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM customers_searchterm AS kept USING gone JOIN fresh USING (id)
        WHERE kept.store_id = fresh.store_id AND kept.customer_id = fresh.id
          AND (gone.name_norm, gone.email_norm, gone.phone_norm)
              IS DISTINCT FROM (fresh.name_norm, fresh.email_norm, fresh.phone_norm);
        INSERT INTO customers_searchterm (store_id, customer_id, term)
        SELECT fresh.store_id, fresh.id, found.term
        FROM gone JOIN fresh USING (id),
            goodword_search_terms(fresh.name_norm, fresh.email_norm, fresh.phone_norm) AS found
        WHERE (gone.name_norm, gone.email_norm, gone.phone_norm)
              IS DISTINCT FROM (fresh.name_norm, fresh.email_norm, fresh.phone_norm);
    ELSE
        INSERT INTO customers_searchterm (store_id, customer_id, term)
        SELECT fresh.store_id, fresh.id, found.term
        FROM fresh, goodword_search_terms(fresh.name_norm, fresh.email_norm, fresh.phone_norm) AS found;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER search_terms_of_new AFTER INSERT ON customers_customer
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION goodword_keep_search_terms();
CREATE TRIGGER search_terms_of_changed AFTER UPDATE ON customers_customer
    REFERENCING OLD TABLE AS gone NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION goodword_keep_search_terms();
CREATE FUNCTION goodword_forget_search_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM customers_searchterm AS kept USING gone
    WHERE kept.store_id = gone.store_id AND kept.customer_id = gone.id;
    RETURN NULL;
END $$;
CREATE TRIGGER search_terms_of_gone AFTER DELETE ON customers_customer
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION goodword_forget_search_terms();
"""
DROP = """
DROP TRIGGER search_terms_of_new ON customers_customer;
DROP TRIGGER search_terms_of_changed ON customers_customer;
DROP TRIGGER search_terms_of_gone ON customers_customer;
DROP FUNCTION goodword_keep_search_terms();
DROP FUNCTION goodword_forget_search_terms();
"""
# The owner's role sees no customer through the wall: it is taken down for this one statement.
FILL = """
ALTER TABLE customers_customer NO FORCE ROW LEVEL SECURITY;
ALTER TABLE customers_searchterm NO FORCE ROW LEVEL SECURITY;
INSERT INTO customers_searchterm (store_id, customer_id, term)
SELECT known.store_id, known.id, found.term
FROM customers_customer AS known, goodword_search_terms(known.name_norm, known.email_norm, known.phone_norm) AS found;
ALTER TABLE customers_searchterm FORCE ROW LEVEL SECURITY;
ALTER TABLE customers_customer FORCE ROW LEVEL SECURITY;
"""
# As stores.walls.wall, without its unique key (store, id): this table has no id, and nothing points to it.
WALL = f"""
ALTER TABLE customers_searchterm ENABLE ROW LEVEL SECURITY;
ALTER TABLE customers_searchterm FORCE ROW LEVEL SECURITY;
CREATE POLICY own_store ON customers_searchterm USING (store_id = {STORE}) WITH CHECK (store_id = {STORE});
ALTER TABLE customers_searchterm ADD CONSTRAINT customers_searchterm_customer_id_own
    FOREIGN KEY (store_id, customer_id) REFERENCES customers_customer (store_id, id) DEFERRABLE INITIALLY DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0008_what_the_shop_said_when")]

    operations = [
        migrations.CreateModel(
            name="SearchTerm",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "store_id",
                        "customer_id",
                        "term",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("term", models.CharField(db_collation="C", max_length=254)),
                (
                    "customer",
                    stores.tenancy.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="search_terms",
                        to="customers.customer",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="stores.store",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        "store", "term", models.OrderBy(models.F("customer"), descending=True), name="searchterm_range"
                    )
                ]
            },
        ),
        migrations.AddIndex(
            model_name="order", index=models.Index(fields=["store", "external_id"], name="order_number")
        ),
        migrations.RunSQL(TERMS, "DROP FUNCTION goodword_search_terms(text, text, text)"),
        migrations.RunSQL(WALL, migrations.RunSQL.noop),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(KEEP, DROP),
    ]
