"""The browsers that opened an advocate's page, as keyed hashes."""

import django.db.models.deletion
from django.db import migrations, models

import stores.tenancy
from stores.walls import wall


class Migration(migrations.Migration):
    dependencies = [("referrals", "0008_when_checks_looked")]

    operations = [
        migrations.CreateModel(
            name="Device",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("device", models.CharField(max_length=32)),
                ("at", models.DateTimeField()),
                (
                    "customer",
                    stores.tenancy.TenantKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="devices",
                        to="customers.customer",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["store", "device"], name="device_whose"),
                    models.Index(fields=["store", "at"], name="device_old"),
                ],
                "constraints": [models.UniqueConstraint(fields=("store", "customer", "device"), name="device_once")],
            },
        ),
        wall("referrals_device", customer_id="customers_customer"),
    ]
