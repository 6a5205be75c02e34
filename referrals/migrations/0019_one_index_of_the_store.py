"""Indexes that another one serves go. Why: docs/decisions/0028-one-index-of-the-store.md."""

import django.db.models.deletion
from django.db import migrations, models

import stores.tenancy
from stores.walls import leaves


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0013_one_index_of_the_store"),
        ("referrals", "0018_landing_look_up"),
        ("stores", "0014_one_index_of_the_store"),
    ]

    operations = [
        migrations.AlterField(
            model_name="appeal",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="block",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="boost",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="checksettings",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="claim",
            name="friend",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="claims",
                to="customers.customer",
            ),
        ),
        migrations.AlterField(
            model_name="claim",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="contest",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="device",
            name="customer",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="devices",
                to="customers.customer",
            ),
        ),
        migrations.AlterField(
            model_name="device",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="partnership",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="partnerstatement",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="printrun",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="printscan",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="printsheets",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="prize",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="program",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="referral",
            name="advocate",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="referrals_made",
                to="customers.customer",
            ),
        ),
        migrations.AlterField(
            model_name="referral",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="referralevent",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="sharelink",
            name="customer",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="share_links",
                to="customers.customer",
            ),
        ),
        migrations.AlterField(
            model_name="sharelink",
            name="run",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="links",
                to="referrals.printrun",
            ),
        ),
        migrations.AlterField(
            model_name="sharelink",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="signal",
            name="referral",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="signals",
                to="referrals.referral",
            ),
        ),
        migrations.AlterField(
            model_name="signal",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="standing",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="visit",
            name="link",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="visits",
                to="referrals.sharelink",
            ),
        ),
        migrations.AlterField(
            model_name="visit",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.AlterField(
            model_name="walletkey",
            name="store",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        leaves("referrals_visit", "referrals_claim", "referrals_device", "referrals_signal"),
    ]
