"""What is typed into an editor and not published yet."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from stores.walls import wall


class Migration(migrations.Migration):
    dependencies = [("stores", "0008_samples_and_setting_up")]

    operations = [
        migrations.CreateModel(
            name="Draft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.CharField(max_length=80)),
                ("typed", models.JSONField(default=dict)),
                ("base", models.CharField(max_length=32)),
                ("revision", models.CharField(max_length=20)),
                ("saved_at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
                ),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("store", "subject"), name="draft_once")]},
        ),
        wall("stores_draft"),
    ]
