"""A wall around merges, and links that stay within a store."""

from django.db import migrations

from stores.walls import link, wall


class Migration(migrations.Migration):
    dependencies = [("customers", "0005_referrals_and_rewards")]

    operations = [
        wall("customers_customermerge", survivor_id="customers_customer", gone_id="customers_customer"),
        link("customers_customer", merged_into_id="customers_customer"),
    ]
