"""Files that jobs make, in pieces, for some days."""

import django.db.models.deletion
from django.db import migrations, models

import stores.tenancy
from stores.walls import wall


class Migration(migrations.Migration):
    dependencies = [("stores", "0010_site_addresses")]

    operations = [
        migrations.CreateModel(
            name="JobFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("number", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                ("made_at", models.DateTimeField()),
                (
                    "job",
                    stores.tenancy.TenantKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="stores.job",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("store", "job", "name", "number"), name="jobfile_once")
                ],
                "indexes": [models.Index(fields=["store", "made_at"], name="jobfile_age")],
            },
        ),
        wall("stores_jobfile", job_id="stores_job"),
    ]
