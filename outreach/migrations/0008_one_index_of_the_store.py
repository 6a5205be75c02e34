"""Indexes that another one serves go. Why: docs/decisions/0028-one-index-of-the-store.md."""

import django.db.models.deletion
from django.db import migrations, models

import stores.tenancy
from stores.walls import leaves


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0013_one_index_of_the_store"),
        ("outreach", "0007_fewer_indexes_of_messages"),
        ("stores", "0014_one_index_of_the_store"),
    ]

    operations = [
        migrations.AlterField(
            model_name="channelaccount",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="hold",
            name="customer",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="holds",
                to="customers.customer",
            ),
        ),
        migrations.AlterField(
            model_name="hold",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="journey",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="outboxitem",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="providerevent",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="stop",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="stoplift",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="task",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="taskevent",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="template",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        leaves("outreach_hold", "outreach_providerevent"),
    ]
