"""Audiences and tags stay within their store."""

from django.db import migrations

from stores.walls import wall


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_messages_and_surveys")]

    operations = [
        wall("customers_customertag", customer_id="customers_customer"),
        wall("customers_segment"),
        wall("customers_segmentmember", segment_id="customers_segment", customer_id="customers_customer"),
    ]
