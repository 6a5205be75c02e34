"""Indexes that another one serves go. Why: docs/decisions/0028-one-index-of-the-store.md."""

import django.db.models.deletion
from django.db import migrations, models

import stores.tenancy
from stores.walls import leaves


class Migration(migrations.Migration):
    dependencies = [
        ("stores", "0013_owners_second_factor"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apikey",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="auditevent",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="draft",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="idempotentcall",
            name="api_key",
            field=stores.tenancy.TenantKey(
                db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to="stores.apikey"
            ),
        ),
        migrations.AlterField(
            model_name="idempotentcall",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="job",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="jobfile",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="location",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        leaves("stores_auditevent", "stores_idempotentcall"),
    ]
