"""Row-level security and links that stay within a store."""

from django.db import migrations

from stores.walls import append_only, wall


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial"), ("stores", "0002_walls")]

    operations = [
        wall("customers_customer"),
        wall("customers_consent", customer_id="customers_customer"),
        append_only("customers_consent"),
        wall("customers_category"),
        wall("customers_product", category_id="customers_category"),
        wall("customers_order", customer_id="customers_customer", location_id="stores_location"),
        wall("customers_orderline", order_id="customers_order", product_id="customers_product"),
        wall("customers_event", customer_id="customers_customer"),
    ]
