"""What the owner allows a device without a line, what devices brought back, people's PINs."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import stores.codes
import stores.tenancy
from stores.walls import wall


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("rewards", "0010_settled_accounts"),
        ("stores", "0007_erasing_history"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Pin",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hash", models.CharField(max_length=128)),
                ("changed_at", models.DateTimeField()),
                (
                    "membership",
                    stores.tenancy.TenantOneToOne(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pin",
                        to="stores.membership",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CounterSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("works_offline", models.BooleanField(default=True, verbose_name="redeem without internet")),
                (
                    "most_held",
                    models.PositiveSmallIntegerField(
                        default=20,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="codes that one device may hold, at most",
                    ),
                ),
                (
                    "most_minor",
                    models.BigIntegerField(
                        blank=True, null=True, verbose_name="what they may take off together, at most"
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("store",), name="countersettings_once")],
            },
        ),
        migrations.CreateModel(
            name="Held",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=stores.codes.public_id, editable=False, max_length=20)),
                ("device", models.CharField(max_length=20)),
                ("permit", models.CharField(max_length=20)),
                ("digest", models.CharField(max_length=64)),
                ("code", models.CharField(max_length=40)),
                ("amount_minor", models.BigIntegerField()),
                ("discount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("given_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("status", models.CharField(choices=[("done", "done"), ("refused", "refused")], max_length=7)),
                ("reason", models.CharField(blank=True, max_length=20)),
                (
                    "odd",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("over", "more than you allow"),
                            ("permit", "what this device was allowed could not be read"),
                            ("late", "sent a week after it was given, or later"),
                            ("left", "by somebody who works here no more"),
                        ],
                        max_length=6,
                    ),
                ),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "location",
                    stores.tenancy.TenantKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="stores.location",
                    ),
                ),
                (
                    "redemption",
                    stores.tenancy.TenantKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="held",
                        to="rewards.redemption",
                    ),
                ),
                (
                    "settled_by",
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
            options={
                "indexes": [
                    models.Index(fields=["store", "permit"], name="held_of_permit"),
                    models.Index(
                        condition=models.Q(
                            ("settled_at", None),
                            models.Q(("status", "refused"), models.Q(("odd", ""), _negated=True), _connector="OR"),
                        ),
                        fields=["store", "-received_at"],
                        name="held_conflicts",
                    ),
                    models.Index(fields=["store", "-received_at"], name="held_recent"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "public_id"), name="held_public_id"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_minor__gte", models.F("discount_minor")), ("discount_minor__gte", 0)
                        ),
                        name="held_within_bill",
                    ),
                ],
            },
        ),
        wall("checkout_countersettings"),
        wall("checkout_held", location_id="stores_location", redemption_id="rewards_redemption"),
        wall("checkout_pin", membership_id="stores_membership"),
    ]
