"""The numbers of large stores' homes, kept between two counts."""

import django.db.models.deletion
from django.db import migrations, models

from stores.walls import wall


class Migration(migrations.Migration):
    dependencies = [("insights", "0001_operation"), ("stores", "0011_job_files")]

    operations = [
        migrations.CreateModel(
            name="KeptNumbers",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("days", models.PositiveSmallIntegerField()),
                ("at", models.DateTimeField()),
                ("values", models.JSONField()),
                (
                    "store",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
                ),
            ],
            options={"abstract": False},
        ),
        migrations.AddConstraint(
            model_name="keptnumbers",
            constraint=models.UniqueConstraint(fields=("store", "days"), name="keptnumbers_once"),
        ),
        wall("insights_keptnumbers"),
    ]
