"""Each message is written three times on its way: indexes that no look-up needs are left out of it."""

import django.db.models.deletion
from django.db import migrations, models

import stores.tenancy


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0011_when_tagged"),
        ("outreach", "0006_report_walls"),
        ("stores", "0011_job_files"),
    ]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="customer",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="customers.customer",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="journey",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="outreach.journey",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="messageevent",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("journey", None), _negated=True),
                fields=["store", "journey"],
                name="message_of_journey",
            ),
        ),
    ]
