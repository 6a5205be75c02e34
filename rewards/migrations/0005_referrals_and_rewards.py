"""What referrals and rewards need: programs by version, budgets, payouts, pools, merges."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import stores.codes
import stores.tenancy


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0005_referrals_and_rewards"),
        ("rewards", "0004_index_what_messages_tell"),
        ("stores", "0006_jobs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Budget",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(max_length=3)),
                ("ceiling_minor", models.BigIntegerField(blank=True, null=True, verbose_name="budget")),
                ("places", models.PositiveIntegerField(blank=True, null=True, verbose_name="first friends")),
                ("committed_minor", models.BigIntegerField(default=0)),
                ("places_taken", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Commitment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=120)),
                ("currency", models.CharField(max_length=3)),
                ("promised_minor", models.BigIntegerField()),
                ("amount_minor", models.BigIntegerField()),
                ("places", models.PositiveSmallIntegerField(default=0)),
                (
                    "status",
                    models.CharField(
                        choices=[("held", "Held"), ("spent", "Spent"), ("released", "Released")],
                        default="held",
                        max_length=8,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Fulfilment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=stores.codes.public_id, editable=False, max_length=20)),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "to do"), ("done", "done"), ("voided", "taken back")],
                        default="open",
                        max_length=6,
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("note", models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="Payout",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=stores.codes.public_id, editable=False, max_length=20)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("method", models.CharField(max_length=20)),
                ("sealed", models.TextField()),
                ("hint", models.CharField(max_length=40)),
                (
                    "status",
                    models.CharField(
                        choices=[("listed", "to be paid"), ("paid", "paid"), ("failed", "came back")],
                        default="listed",
                        max_length=6,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="PayoutAddress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("method", models.CharField(max_length=20, verbose_name="how")),
                ("sealed", models.TextField()),
                ("hint", models.CharField(max_length=40)),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="PayoutList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=stores.codes.public_id, editable=False, max_length=20)),
                ("currency", models.CharField(max_length=3)),
                ("made_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Pool",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=stores.codes.public_id, editable=False, max_length=20)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("is_imported", models.BooleanField(default=False)),
                ("is_given_out", models.BooleanField(default=False)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="RewardSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "cash_limit_minor",
                    models.BigIntegerField(
                        blank=True, null=True, verbose_name="cash to one person in a tax year, at most"
                    ),
                ),
                (
                    "year_starts_month",
                    models.PositiveSmallIntegerField(default=1, verbose_name="the tax year starts in month"),
                ),
                ("smallest_payout_minor", models.BigIntegerField(default=0, verbose_name="pay out from")),
                (
                    "stacking",
                    models.CharField(
                        choices=[
                            ("one", "one code a bill"),
                            ("credit", "one code, and store credit"),
                            ("any", "any number"),
                        ],
                        default="credit",
                        max_length=6,
                        verbose_name="codes on one bill",
                    ),
                ),
                (
                    "with_shop_discount",
                    models.BooleanField(default=True, verbose_name="also on bills with another discount of the shop"),
                ),
                (
                    "choose_days",
                    models.PositiveSmallIntegerField(default=14, verbose_name="days to choose among rewards"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Terms",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(default=1)),
                (
                    "hold_days",
                    models.PositiveSmallIntegerField(default=14, verbose_name="days until a referral counts"),
                ),
                ("claim_days", models.PositiveSmallIntegerField(default=60, verbose_name="days a friend may take")),
                (
                    "visit_days",
                    models.PositiveSmallIntegerField(default=30, verbose_name="days a visit leads to a purchase"),
                ),
                (
                    "refund",
                    models.CharField(
                        choices=[
                            ("keep", "kept, unless everything is sent back"),
                            ("proportion", "made smaller in proportion"),
                            ("take_back", "taken back, whatever is sent back"),
                        ],
                        default="proportion",
                        max_length=10,
                        verbose_name="when part is sent back",
                    ),
                ),
                (
                    "touch",
                    models.CharField(
                        choices=[("first", "who was there first"), ("last", "who was there last")],
                        default="last",
                        max_length=5,
                        verbose_name="of several advocates",
                    ),
                ),
                (
                    "is_sticky",
                    models.BooleanField(default=True, verbose_name="who took a gift stays that advocate's friend"),
                ),
                ("evidence", models.JSONField(default=list)),
                (
                    "most_rewards",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="rewarded friends of one advocate, at most"
                    ),
                ),
                (
                    "most_in_period",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="rewarded friends in a period, at most"
                    ),
                ),
                ("period_days", models.PositiveSmallIntegerField(default=30, verbose_name="period (days)")),
                (
                    "minimum_order_minor",
                    models.BigIntegerField(default=0, verbose_name="smallest purchase that counts"),
                ),
                ("new_only", models.BooleanField(default=True, verbose_name="new customers only")),
                (
                    "look_back_days",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="new means: no purchase in (days)"
                    ),
                ),
                ("one_a_household", models.BooleanField(default=False, verbose_name="one friend a household")),
                ("only_products", models.JSONField(default=list)),
                ("not_products", models.JSONField(default=list)),
                ("typical_minor", models.BigIntegerField(default=0)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="TierChoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="account",
            name="account_once",
        ),
        migrations.RemoveConstraint(
            model_name="account",
            name="account_not_overdrawn",
        ),
        migrations.RemoveConstraint(
            model_name="offer",
            name="offer_has_its_value",
        ),
        migrations.AddField(
            model_name="account",
            name="card",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="accounts",
                to="rewards.voucher",
            ),
        ),
        migrations.AddField(
            model_name="offer",
            name="months",
            field=models.PositiveSmallIntegerField(blank=True, default=0, null=True, verbose_name="months"),
        ),
        migrations.AddField(
            model_name="offer",
            name="most_minor",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="at most"),
        ),
        migrations.AddField(
            model_name="offer",
            name="product",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.product",
            ),
        ),
        migrations.AddField(
            model_name="offer",
            name="words",
            field=models.CharField(blank=True, max_length=120, verbose_name="in words"),
        ),
        migrations.AddField(
            model_name="reward",
            name="amount_minor",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="reward",
            name="reduced_minor",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="tier",
            name="within_days",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="within (days)"),
        ),
        migrations.AddField(
            model_name="voucher",
            name="is_personal",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="voucher",
            name="location",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="stores.location",
            ),
        ),
        migrations.AddField(
            model_name="voucher",
            name="most_minor",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="voucher",
            name="starts_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="voucher",
            name="used",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="voucher",
            name="uses",
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AlterField(
            model_name="account",
            name="kind",
            field=models.CharField(
                choices=[
                    ("credit", "Credit"),
                    ("gift", "gift card"),
                    ("payable", "Payable"),
                    ("owed", "Owed"),
                    ("cost", "Cost"),
                    ("redeemed", "Redeemed"),
                    ("charity", "Charity"),
                    ("donated", "Donated"),
                    ("paid", "Paid"),
                    ("delivered", "Delivered"),
                    ("breakage", "Breakage"),
                    ("promised", "Promised"),
                    ("contingent", "Contingent"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="offer",
            name="kind",
            field=models.CharField(
                choices=[
                    ("percent_off", "percent off"),
                    ("fixed_off", "amount off"),
                    ("store_credit", "store credit"),
                    ("gift_card", "gift card"),
                    ("cash", "cash"),
                    ("commission", "commission"),
                    ("free_product", "free product"),
                    ("donation", "donation"),
                    ("custom", "something of your own"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="reward",
            name="status",
            field=models.CharField(
                choices=[("choosing", "to be chosen"), ("granted", "given"), ("voided", "taken back")],
                default="granted",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="tier",
            name="gives",
            field=models.CharField(
                choices=[
                    ("each", "for each friend from here on"),
                    ("once", "once, when reached"),
                    ("every", "each time so many are full"),
                ],
                default="each",
                max_length=5,
                verbose_name="gives",
            ),
        ),
        migrations.AlterField(
            model_name="voucher",
            name="kind",
            field=models.CharField(
                choices=[("offer", "Offer"), ("credit", "Credit"), ("gift", "Gift")], default="offer", max_length=6
            ),
        ),
        migrations.AlterField(
            model_name="voucher",
            name="status",
            field=models.CharField(
                choices=[
                    ("waiting", "not given out yet"),
                    ("issued", "ready to use"),
                    ("redeemed", "used"),
                    ("expired", "expired"),
                    ("voided", "taken back"),
                ],
                default="issued",
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("amount_minor", None),
                        ("kind__in", ("percent_off", "commission")),
                        ("percent__gte", 1),
                        ("percent__lte", 100),
                    ),
                    models.Q(
                        models.Q(("kind__in", ("percent_off", "commission")), _negated=True),
                        ("amount_minor__gt", 0),
                        ("percent", None),
                    ),
                    _connector="OR",
                ),
                name="offer_has_its_value",
            ),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.CheckConstraint(
                condition=models.Q(("most_minor", None), ("most_minor__gt", 0), _connector="OR"),
                name="offer_most_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "free_product"), _negated=True), ("product__isnull", False), _connector="OR"
                ),
                name="offer_names_its_product",
            ),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ("donation", "custom")), _negated=True),
                    models.Q(("words", ""), _negated=True),
                    _connector="OR",
                ),
                name="offer_has_its_words",
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="account",
            name="budget",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="accounts",
                to="rewards.budget",
            ),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(fields=["store", "customer"], name="account_of_customer"),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(
                fields=("store", "kind", "customer", "card", "budget", "currency"),
                name="account_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ("credit", "gift", "payable")), _negated=True),
                    ("balance_minor__gte", 0),
                    _connector="OR",
                ),
                name="account_not_overdrawn",
            ),
        ),
        migrations.AddField(
            model_name="commitment",
            name="budget",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="commitments",
                to="rewards.budget",
            ),
        ),
        migrations.AddField(
            model_name="commitment",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="fulfilment",
            name="by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="fulfilment",
            name="reward",
            field=stores.tenancy.TenantOneToOne(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="fulfilment",
                to="rewards.reward",
            ),
        ),
        migrations.AddField(
            model_name="fulfilment",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="payout",
            name="customer",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payouts",
                to="customers.customer",
            ),
        ),
        migrations.AddField(
            model_name="payout",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="payoutaddress",
            name="customer",
            field=stores.tenancy.TenantOneToOne(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payout_address",
                to="customers.customer",
            ),
        ),
        migrations.AddField(
            model_name="payoutaddress",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="payoutlist",
            name="by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="payoutlist",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="payout",
            name="batch",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payouts",
                to="rewards.payoutlist",
            ),
        ),
        migrations.AddField(
            model_name="pool",
            name="by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="pool",
            name="offer",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="pools",
                to="rewards.offer",
            ),
        ),
        migrations.AddField(
            model_name="pool",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="voucher",
            name="pool",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="vouchers",
                to="rewards.pool",
            ),
        ),
        migrations.AddIndex(
            model_name="voucher",
            index=models.Index(
                condition=models.Q(("status", "waiting")), fields=["store", "pool", "id"], name="voucher_in_pool"
            ),
        ),
        migrations.AddConstraint(
            model_name="voucher",
            constraint=models.CheckConstraint(
                condition=models.Q(("uses", 0), ("used__lte", models.F("uses")), _connector="OR"),
                name="voucher_not_overused",
            ),
        ),
        migrations.AddField(
            model_name="rewardsettings",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="terms",
            name="budget",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="terms",
                to="rewards.budget",
            ),
        ),
        migrations.AddField(
            model_name="terms",
            name="friend_ladder",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="rewards.ladder",
            ),
        ),
        migrations.AddField(
            model_name="terms",
            name="friend_offer",
            field=stores.tenancy.TenantKey(
                db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="rewards.offer"
            ),
        ),
        migrations.AddField(
            model_name="terms",
            name="ladder",
            field=stores.tenancy.TenantKey(
                db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="rewards.ladder"
            ),
        ),
        migrations.AddField(
            model_name="terms",
            name="second_offer",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="rewards.offer",
            ),
        ),
        migrations.AddField(
            model_name="terms",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="reward",
            name="terms",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="rewards.terms",
            ),
        ),
        migrations.AddConstraint(
            model_name="reward",
            constraint=models.CheckConstraint(
                condition=models.Q(("reduced_minor__gte", 0), ("reduced_minor__lte", models.F("amount_minor"))),
                name="reward_reduced_within",
            ),
        ),
        migrations.AddField(
            model_name="tierchoice",
            name="offer",
            field=stores.tenancy.TenantKey(
                db_constraint=False, on_delete=django.db.models.deletion.PROTECT, to="rewards.offer"
            ),
        ),
        migrations.AddField(
            model_name="tierchoice",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="tierchoice",
            name="tier",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="choices",
                to="rewards.tier",
            ),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ceiling_minor", None), ("committed_minor__lte", models.F("ceiling_minor")), _connector="OR"
                ),
                name="budget_not_exceeded",
            ),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.CheckConstraint(
                condition=models.Q(("places", None), ("places_taken__lte", models.F("places")), _connector="OR"),
                name="places_not_exceeded",
            ),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.CheckConstraint(
                condition=models.Q(("committed_minor__gte", 0)), name="budget_committed_positive"
            ),
        ),
        migrations.AddIndex(
            model_name="commitment",
            index=models.Index(fields=["store", "budget", "status"], name="commitment_of_budget"),
        ),
        migrations.AddConstraint(
            model_name="commitment",
            constraint=models.UniqueConstraint(fields=("store", "key"), name="commitment_once"),
        ),
        migrations.AddConstraint(
            model_name="commitment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gte", 0), ("promised_minor__gte", 0)), name="commitment_positive"
            ),
        ),
        migrations.AddIndex(
            model_name="fulfilment",
            index=models.Index(
                condition=models.Q(("status", "open")), fields=["store", "due_at"], name="fulfilment_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="fulfilment",
            constraint=models.UniqueConstraint(fields=("store", "public_id"), name="fulfilment_public_id"),
        ),
        migrations.AddIndex(
            model_name="payoutlist",
            index=models.Index(fields=["store", "-made_at"], name="payoutlist_recent"),
        ),
        migrations.AddConstraint(
            model_name="payoutlist",
            constraint=models.UniqueConstraint(fields=("store", "public_id"), name="payoutlist_public_id"),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.UniqueConstraint(fields=("store", "public_id"), name="payout_public_id"),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "listed")),
                fields=("store", "customer", "currency"),
                name="payout_listed_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(condition=models.Q(("amount_minor__gt", 0)), name="payout_positive"),
        ),
        migrations.AddConstraint(
            model_name="pool",
            constraint=models.UniqueConstraint(fields=("store", "name"), name="pool_name"),
        ),
        migrations.AddConstraint(
            model_name="pool",
            constraint=models.UniqueConstraint(fields=("store", "public_id"), name="pool_public_id"),
        ),
        migrations.AddConstraint(
            model_name="rewardsettings",
            constraint=models.UniqueConstraint(fields=("store",), name="rewardsettings_once"),
        ),
        migrations.AddConstraint(
            model_name="rewardsettings",
            constraint=models.CheckConstraint(
                condition=models.Q(("year_starts_month__gte", 1), ("year_starts_month__lte", 12)),
                name="rewardsettings_month",
            ),
        ),
        migrations.AddConstraint(
            model_name="terms",
            constraint=models.UniqueConstraint(fields=("store", "budget", "number"), name="terms_once"),
        ),
        migrations.AddConstraint(
            model_name="tierchoice",
            constraint=models.UniqueConstraint(fields=("store", "tier", "offer"), name="tierchoice_once"),
        ),
    ]
