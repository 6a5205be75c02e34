"""Indexes that another one serves go. Why: docs/decisions/0028-one-index-of-the-store.md."""

import django.db.models.deletion
from django.db import migrations, models

import stores.tenancy
from stores.walls import leaves


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0013_one_index_of_the_store"),
        ("stores", "0014_one_index_of_the_store"),
        ("surveys", "0006_fewer_keys_and_indexes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="caseevent",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="customer",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to="customers.customer",
            ),
        ),
        migrations.AlterField(
            model_name="recoverycase",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="replytemplate",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="response",
            name="customer",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="responses",
                to="customers.customer",
            ),
        ),
        migrations.AlterField(
            model_name="response",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="responseevent",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="survey",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="testimonial",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="testimonialevent",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="theme",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="thememention",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="thememention",
            name="theme",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="mentions",
                to="surveys.theme",
            ),
        ),
        leaves("surveys_thememention"),
    ]
