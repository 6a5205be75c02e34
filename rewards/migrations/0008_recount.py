"""What the nightly recount of the books found."""

import django.db.models.deletion
from django.db import migrations, models

from stores.walls import wall


class Migration(migrations.Migration):
    dependencies = [("rewards", "0007_voucher_conditions"), ("stores", "0006_jobs")]

    operations = [
        migrations.CreateModel(
            name="Recount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("problems", models.JSONField(default=list)),
                (
                    "store",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("store",), name="recount_once")],
            },
        ),
        wall("rewards_recount"),
    ]
