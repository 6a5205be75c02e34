"""Several programs with terms by version, checks, appeals, contests, partners."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import referrals.models.programs
import stores.codes
import stores.tenancy


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0005_referrals_and_rewards"),
        ("referrals", "0003_index_what_messages_tell"),
        ("rewards", "0006_reward_walls"),
        ("stores", "0006_jobs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Appeal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=stores.codes.public_id, editable=False, max_length=20)),
                (
                    "kind",
                    models.CharField(
                        choices=[("missing", "a friend is missing"), ("decision", "this should count")], max_length=8
                    ),
                ),
                ("friend_name", models.CharField(blank=True, max_length=120)),
                ("friend_contact", models.CharField(blank=True, max_length=254)),
                ("order_number", models.CharField(blank=True, max_length=120)),
                ("words", models.TextField(blank=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "waits for an answer"), ("accepted", "accepted"), ("declined", "declined")],
                        default="open",
                        max_length=8,
                    ),
                ),
                ("answer", models.TextField(blank=True)),
                ("at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Block",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=stores.codes.public_id, editable=False, max_length=20)),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("email", "e-mail"),
                            ("phone", "phone"),
                            ("domain", "mail domain"),
                            ("device", "device"),
                            ("card", "payment card"),
                        ],
                        max_length=6,
                    ),
                ),
                ("value_hash", models.CharField(max_length=64)),
                ("shown", models.CharField(max_length=80)),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Boost",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=stores.codes.public_id, editable=False, max_length=20)),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("percent", models.PositiveSmallIntegerField(default=200, verbose_name="percent of the usual reward")),
                ("starts_at", models.DateTimeField(verbose_name="from")),
                ("ends_at", models.DateTimeField(verbose_name="until")),
                ("stopped_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="CheckSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hold_at", models.PositiveSmallIntegerField(default=40, verbose_name="a person looks from")),
                ("refuse_at", models.PositiveSmallIntegerField(default=100, verbose_name="refused from")),
                ("weights", models.JSONField(default=dict)),
                (
                    "weights_follow",
                    models.BooleanField(default=False, verbose_name="weights follow what people decide"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Contest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=stores.codes.public_id, editable=False, max_length=20)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("rules", models.TextField(blank=True, verbose_name="rules")),
                ("starts_at", models.DateTimeField(verbose_name="from")),
                ("ends_at", models.DateTimeField(verbose_name="until")),
                (
                    "settle_days",
                    models.PositiveSmallIntegerField(default=14, verbose_name="days after the end until it is closed"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("open", "announced"),
                            ("closed", "closed"),
                            ("cancelled", "called off"),
                        ],
                        default="draft",
                        max_length=9,
                    ),
                ),
                ("closed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Partnership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=stores.codes.public_id, editable=False, max_length=20)),
                ("agreement", models.CharField(max_length=20)),
                ("other_id", models.BigIntegerField()),
                ("other_name", models.CharField(max_length=120)),
                ("percent", models.PositiveSmallIntegerField(verbose_name="commission (percent)")),
                ("months", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="months")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("offered", "waits for the other store"),
                            ("invited", "waits for you"),
                            ("agreed", "agreed"),
                            ("ended", "ended"),
                        ],
                        max_length=7,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="PartnerStatement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField()),
                ("is_payer", models.BooleanField()),
                ("currency", models.CharField(max_length=3)),
                ("friends", models.PositiveIntegerField()),
                ("orders", models.PositiveIntegerField()),
                ("sales_minor", models.BigIntegerField()),
                ("commission_minor", models.BigIntegerField()),
                ("made_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Prize",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first", models.PositiveSmallIntegerField(verbose_name="from place")),
                ("last", models.PositiveSmallIntegerField(verbose_name="to place")),
            ],
        ),
        migrations.CreateModel(
            name="Signal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=24)),
                ("weight", models.PositiveSmallIntegerField()),
                ("detail", models.JSONField(default=dict)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Standing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.PositiveIntegerField()),
                ("friends", models.PositiveIntegerField()),
                ("reached_at", models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="program",
            name="program_one_a_store",
        ),
        migrations.AddField(
            model_name="claim",
            name="address",
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name="claim",
            name="device",
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name="claim",
            name="program",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="referrals.program",
            ),
        ),
        migrations.AddField(
            model_name="claim",
            name="promise",
            field=stores.tenancy.TenantOneToOne(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="claim",
                to="rewards.commitment",
            ),
        ),
        migrations.AddField(
            model_name="claim",
            name="terms",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="rewards.terms",
            ),
        ),
        migrations.AddField(
            model_name="program",
            name="audience",
            field=models.PositiveSmallIntegerField(
                choices=[(1, "all customers"), (2, "partners"), (3, "staff")], default=1, verbose_name="for"
            ),
        ),
        migrations.AddField(
            model_name="program",
            name="budget",
            field=stores.tenancy.TenantOneToOne(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="program",
                to="rewards.budget",
            ),
        ),
        migrations.AddField(
            model_name="program",
            name="ends_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="until"),
        ),
        migrations.AddField(
            model_name="program",
            name="starts_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="from"),
        ),
        migrations.AddField(
            model_name="program",
            name="terms",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="programs",
                to="rewards.terms",
            ),
        ),
        migrations.AddField(
            model_name="referral",
            name="candidates",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="referral",
            name="promise",
            field=stores.tenancy.TenantOneToOne(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="referral",
                to="rewards.commitment",
            ),
        ),
        migrations.AddField(
            model_name="referral",
            name="score",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="referral",
            name="terms",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="referrals",
                to="rewards.terms",
            ),
        ),
        migrations.AddField(
            model_name="sharelink",
            name="expires_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="sharelink",
            name="is_main",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="sharelink",
            name="order",
            field=stores.tenancy.TenantOneToOne(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="receipt_link",
                to="customers.order",
            ),
        ),
        migrations.AddField(
            model_name="visit",
            name="token",
            field=models.CharField(default=stores.codes.public_id, max_length=20),
        ),
        migrations.AlterField(
            model_name="program",
            name="status",
            field=models.CharField(
                choices=[("draft", "draft"), ("live", "running"), ("paused", "paused"), ("ended", "ended")],
                default="live",
                max_length=6,
                verbose_name="status",
            ),
        ),
        migrations.AlterField(
            model_name="referral",
            name="evidence",
            field=models.CharField(
                choices=[
                    ("voucher", "used the gift they had taken"),
                    ("code", "gave the code"),
                    ("receipt", "gave the code from a receipt or parcel"),
                    ("claim", "had taken the gift with this e-mail or phone"),
                    ("visit", "came to the shop by the link"),
                    ("name", "named the customer"),
                    ("staff", "the store says so"),
                ],
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="referral",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", ""),
                    ("own_code", "it was their own code"),
                    ("known_customer", "the friend had bought here before"),
                    ("refunded", "the order was refunded"),
                    ("cancelled", "the order was cancelled"),
                    ("staff", "the store decided so"),
                    ("undone", "the redemption was undone"),
                    ("paused", "the program was paused"),
                    ("full", "the program's budget or places were used up"),
                    ("too_small", "the purchase was below the smallest that counts"),
                    ("other_products", "nothing was bought that counts"),
                    ("household", "somebody of the same household was here before"),
                    ("checks", "the checks refused it"),
                    ("blocked", "the store has blocked them"),
                    ("limit", "the customer had reached the most that is rewarded"),
                    ("merged", "both are the same person"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="referralevent",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", ""),
                    ("own_code", "it was their own code"),
                    ("known_customer", "the friend had bought here before"),
                    ("refunded", "the order was refunded"),
                    ("cancelled", "the order was cancelled"),
                    ("staff", "the store decided so"),
                    ("undone", "the redemption was undone"),
                    ("paused", "the program was paused"),
                    ("full", "the program's budget or places were used up"),
                    ("too_small", "the purchase was below the smallest that counts"),
                    ("other_products", "nothing was bought that counts"),
                    ("household", "somebody of the same household was here before"),
                    ("checks", "the checks refused it"),
                    ("blocked", "the store has blocked them"),
                    ("limit", "the customer had reached the most that is rewarded"),
                    ("merged", "both are the same person"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="sharelink",
            name="customer",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="share_links",
                to="customers.customer",
            ),
        ),
        migrations.AddIndex(
            model_name="sharelink",
            index=models.Index(fields=["store", "customer"], name="sharelink_of_customer"),
        ),
        migrations.AddConstraint(
            model_name="program",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_at", None), ("starts_at", None), ("ends_at__gt", models.F("starts_at")), _connector="OR"
                ),
                name="program_ends_later",
            ),
        ),
        migrations.AddConstraint(
            model_name="program",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("status", "live")),
                expressions=[
                    (referrals.models.programs.Alone("store_id"), "&&"),
                    (referrals.models.programs.Alone("audience"), "&&"),
                    (
                        models.Func(
                            "starts_at",
                            "ends_at",
                            function="tstzrange",
                            output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField(),
                        ),
                        "&&",
                    ),
                ],
                name="program_one_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="sharelink",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_main", True)), fields=("store", "customer"), name="sharelink_one_a_person"
            ),
        ),
        migrations.AddField(
            model_name="appeal",
            name="by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="appeal",
            name="customer",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="appeals",
                to="customers.customer",
            ),
        ),
        migrations.AddField(
            model_name="appeal",
            name="referral",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="appeals",
                to="referrals.referral",
            ),
        ),
        migrations.AddField(
            model_name="appeal",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="block",
            name="by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="block",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="boost",
            name="program",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="boosts",
                to="referrals.program",
            ),
        ),
        migrations.AddField(
            model_name="boost",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="checksettings",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="contest",
            name="consolation",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="rewards.offer",
            ),
        ),
        migrations.AddField(
            model_name="contest",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="partnership",
            name="by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="partnership",
            name="customer",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="partnerships",
                to="customers.customer",
            ),
        ),
        migrations.AddField(
            model_name="partnership",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="partnerstatement",
            name="partnership",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="statements",
                to="referrals.partnership",
            ),
        ),
        migrations.AddField(
            model_name="partnerstatement",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="prize",
            name="contest",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="prizes",
                to="referrals.contest",
            ),
        ),
        migrations.AddField(
            model_name="prize",
            name="offer",
            field=stores.tenancy.TenantKey(
                db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="rewards.offer"
            ),
        ),
        migrations.AddField(
            model_name="prize",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="signal",
            name="referral",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="signals",
                to="referrals.referral",
            ),
        ),
        migrations.AddField(
            model_name="signal",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="standing",
            name="contest",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="standings",
                to="referrals.contest",
            ),
        ),
        migrations.AddField(
            model_name="standing",
            name="customer",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="standings",
                to="customers.customer",
            ),
        ),
        migrations.AddField(
            model_name="standing",
            name="reward",
            field=stores.tenancy.TenantOneToOne(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="standing",
                to="rewards.reward",
            ),
        ),
        migrations.AddField(
            model_name="standing",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddIndex(
            model_name="appeal",
            index=models.Index(condition=models.Q(("status", "open")), fields=["store", "at"], name="appeal_open"),
        ),
        migrations.AddConstraint(
            model_name="appeal",
            constraint=models.UniqueConstraint(fields=("store", "public_id"), name="appeal_public_id"),
        ),
        migrations.AddConstraint(
            model_name="appeal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "decision")), fields=("store", "referral"), name="appeal_once_a_referral"
            ),
        ),
        migrations.AddConstraint(
            model_name="block",
            constraint=models.UniqueConstraint(fields=("store", "public_id"), name="block_public_id"),
        ),
        migrations.AddConstraint(
            model_name="block",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at", None)), fields=("store", "what", "value_hash"), name="block_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="boost",
            constraint=models.UniqueConstraint(fields=("store", "public_id"), name="boost_public_id"),
        ),
        migrations.AddConstraint(
            model_name="boost",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))), name="boost_ends_later"
            ),
        ),
        migrations.AddConstraint(
            model_name="boost",
            constraint=models.CheckConstraint(
                condition=models.Q(("percent__gt", 100), ("percent__lte", 1000)), name="boost_is_more"
            ),
        ),
        migrations.AddConstraint(
            model_name="checksettings",
            constraint=models.UniqueConstraint(fields=("store",), name="checksettings_once"),
        ),
        migrations.AddConstraint(
            model_name="checksettings",
            constraint=models.CheckConstraint(
                condition=models.Q(("refuse_at__gte", models.F("hold_at"))), name="checksettings_in_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="contest",
            constraint=models.UniqueConstraint(fields=("store", "public_id"), name="contest_public_id"),
        ),
        migrations.AddConstraint(
            model_name="contest",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))), name="contest_ends_later"
            ),
        ),
        migrations.AddConstraint(
            model_name="partnership",
            constraint=models.UniqueConstraint(fields=("store", "public_id"), name="partnership_public_id"),
        ),
        migrations.AddConstraint(
            model_name="partnership",
            constraint=models.UniqueConstraint(fields=("store", "agreement"), name="partnership_agreement"),
        ),
        migrations.AddConstraint(
            model_name="partnership",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "ended"), _negated=True),
                fields=("store", "other_id"),
                name="partnership_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerstatement",
            constraint=models.UniqueConstraint(
                fields=("store", "partnership", "month", "currency", "is_payer"), name="partnerstatement_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="prize",
            constraint=models.CheckConstraint(
                condition=models.Q(("first__gte", 1), ("last__gte", models.F("first"))), name="prize_places"
            ),
        ),
        migrations.AddConstraint(
            model_name="prize",
            constraint=models.UniqueConstraint(fields=("store", "contest", "first"), name="prize_once"),
        ),
        migrations.AddIndex(
            model_name="signal",
            index=models.Index(fields=["store", "name", "-at"], name="signal_of_name"),
        ),
        migrations.AddConstraint(
            model_name="signal",
            constraint=models.UniqueConstraint(fields=("store", "referral", "name"), name="signal_once"),
        ),
        migrations.AddConstraint(
            model_name="standing",
            constraint=models.UniqueConstraint(fields=("store", "contest", "customer"), name="standing_once"),
        ),
        migrations.AddConstraint(
            model_name="standing",
            constraint=models.UniqueConstraint(fields=("store", "contest", "place"), name="standing_place"),
        ),
    ]
