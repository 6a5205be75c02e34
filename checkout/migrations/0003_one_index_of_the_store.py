"""Indexes that another one serves go. Why: docs/decisions/0028-one-index-of-the-store.md."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("checkout", "0002_redeem_by_key"),
        ("stores", "0014_one_index_of_the_store"),
    ]

    operations = [
        migrations.AlterField(
            model_name="countersettings",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="held",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="pin",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
    ]
