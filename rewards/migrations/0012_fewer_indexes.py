"""Indexes that another one begins with, and keys that another one implies."""

import django.db.models.deletion
from django.db import migrations, models

import stores.tenancy


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0011_when_tagged"),
        ("rewards", "0011_leftovers"),
        ("stores", "0011_job_files"),
    ]

    operations = [
        migrations.AlterField(
            model_name="commitment",
            name="budget",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="commitments",
                to="rewards.budget",
            ),
        ),
        migrations.AlterField(
            model_name="commitment",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="entry",
            name="account",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="entries",
                to="rewards.account",
            ),
        ),
        migrations.AlterField(
            model_name="entry",
            name="store",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="stores.store",
            ),
        ),
        migrations.AlterField(
            model_name="ledgertransaction",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="redemption",
            name="location",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="stores.location",
            ),
        ),
        migrations.AlterField(
            model_name="redemption",
            name="store",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="stores.store",
            ),
        ),
        migrations.AlterField(
            model_name="voucher",
            name="customer",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="vouchers",
                to="customers.customer",
            ),
        ),
        migrations.AlterField(
            model_name="voucher",
            name="location",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="stores.location",
            ),
        ),
        migrations.AlterField(
            model_name="voucher",
            name="offer",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="rewards.offer",
            ),
        ),
        migrations.AlterField(
            model_name="voucher",
            name="store",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="stores.store",
            ),
        ),
        migrations.AddConstraint(
            model_name="voucher",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("offer", None), _negated=True),
                    models.Q(("customer", None), _negated=True),
                    _connector="OR",
                ),
                name="voucher_is_for_something",
            ),
        ),
    ]
