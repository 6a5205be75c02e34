"""What referrals and rewards need: programs by version, budgets, payouts, pools, merges."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import stores.codes
import stores.tenancy


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0004_message_walls"),
        ("stores", "0006_jobs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CustomerMerge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=stores.codes.public_id, editable=False, max_length=20)),
                ("moved", models.JSONField(default=dict)),
                ("filled", models.JSONField(default=dict)),
                ("at", models.DateTimeField()),
                ("split_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="customer",
            name="address_norm",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name="customer",
            name="email_alias",
            field=models.CharField(blank=True, max_length=254),
        ),
        migrations.AddField(
            model_name="customer",
            name="found_by_name",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="customer",
            name="merged_into",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merged",
                to="customers.customer",
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="on_leaderboard",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="order",
            name="card_hash",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="order",
            name="named",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="order",
            name="visit",
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("email_alias", ""), _negated=True),
                fields=["store", "email_alias"],
                name="customer_alias",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("address_norm", ""), _negated=True),
                fields=["store", "address_norm"],
                name="customer_address",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("merged_into", None), _negated=True),
                fields=["store", "merged_into"],
                name="customer_merged",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("card_hash", ""), _negated=True),
                fields=["store", "card_hash"],
                name="order_of_card",
            ),
        ),
        migrations.AddField(
            model_name="customermerge",
            name="by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="customermerge",
            name="gone",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.customer",
            ),
        ),
        migrations.AddField(
            model_name="customermerge",
            name="split_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="customermerge",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="customermerge",
            name="survivor",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merges",
                to="customers.customer",
            ),
        ),
        migrations.AddConstraint(
            model_name="customermerge",
            constraint=models.UniqueConstraint(fields=("store", "public_id"), name="customermerge_public_id"),
        ),
        migrations.AddConstraint(
            model_name="customermerge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("split_at", None)), fields=("store", "gone"), name="customermerge_once"
            ),
        ),
    ]
