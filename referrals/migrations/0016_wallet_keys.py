"""A store's keys for passes in the wallets of phones."""

import django.db.models.deletion
from django.db import migrations, models

from stores.walls import wall


class Migration(migrations.Migration):
    dependencies = [
        ("referrals", "0015_erasing_and_search_terms"),
        ("stores", "0010_site_addresses"),
    ]

    operations = [
        migrations.CreateModel(
            name="WalletKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "wallet",
                    models.CharField(choices=[("apple", "Apple Wallet"), ("google", "Google Wallet")], max_length=6),
                ),
                ("names", models.JSONField(default=dict)),
                ("secrets", models.TextField()),
                ("changed_at", models.DateTimeField()),
                (
                    "store",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("store", "wallet"), name="walletkey_once")],
            },
        ),
        wall("referrals_walletkey"),
    ]
