"""What was printed, who scanned it, and which share links stand on it or were got by it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import stores.codes
import stores.tenancy
from stores.walls import directory_function, link, wall


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0008_what_the_shop_said_when"),
        ("referrals", "0012_partner_stores"),
        ("stores", "0007_erasing_history"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PrintScan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("visitor", models.CharField(max_length=32)),
                ("hour", models.DateTimeField()),
                ("at", models.DateTimeField()),
                ("is_bot", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="PrintSheets",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                ("made_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="PrintRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=stores.codes.public_id, editable=False, max_length=20)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "material",
                    models.CharField(
                        choices=[
                            ("cards", "Cards, 8 a sheet"),
                            ("poster", "Poster, A4"),
                            ("poster5", "Poster, A5"),
                            ("tent", "Table tent"),
                            ("parcel", "Parcel slip"),
                            ("receipt", "End of the receipt"),
                            ("square", "Picture for posts, square"),
                            ("story", "Picture for stories, upright"),
                            ("banner", "Picture for links, wide"),
                            ("sign", "E-mail signature"),
                        ],
                        max_length=8,
                        verbose_name="what",
                    ),
                ),
                ("language", models.CharField(max_length=5, verbose_name="language")),
                (
                    "whom",
                    models.CharField(
                        choices=[
                            ("store", "The shop"),
                            ("location", "A location"),
                            ("staff", "A member of staff"),
                            ("customer", "A customer"),
                            ("segment", "A segment"),
                        ],
                        max_length=8,
                        verbose_name="for",
                    ),
                ),
                ("code", models.CharField(blank=True, max_length=24)),
                ("code_norm", models.CharField(blank=True, max_length=24)),
                ("copies", models.PositiveIntegerField()),
                ("each", models.PositiveSmallIntegerField(default=1)),
                ("cost_minor", models.BigIntegerField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("made_at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                    "staff",
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
        ),
        migrations.AddField(
            model_name="sharelink",
            name="run",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="links",
                to="referrals.printrun",
            ),
        ),
        migrations.AddIndex(
            model_name="sharelink",
            index=models.Index(
                condition=models.Q(("run", None), _negated=True), fields=["store", "run"], name="sharelink_of_run"
            ),
        ),
        migrations.AddField(
            model_name="printscan",
            name="run",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="scans",
                to="referrals.printrun",
            ),
        ),
        migrations.AddField(
            model_name="printscan",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddField(
            model_name="printsheets",
            name="run",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sheets",
                to="referrals.printrun",
            ),
        ),
        migrations.AddField(
            model_name="printsheets",
            name="store",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddIndex(
            model_name="printrun",
            index=models.Index(fields=["store", "-made_at"], name="printrun_recent"),
        ),
        migrations.AddConstraint(
            model_name="printrun",
            constraint=models.UniqueConstraint(fields=("store", "public_id"), name="printrun_public_id"),
        ),
        migrations.AddConstraint(
            model_name="printrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("code_norm", ""), _negated=True), fields=("code_norm",), name="printrun_code"
            ),
        ),
        migrations.AddConstraint(
            model_name="printrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("code_norm", ""), ("whom__in", ("customer", "segment"))),
                    models.Q(("whom__in", ("store", "location", "staff")), models.Q(("code_norm", ""), _negated=True)),
                    _connector="OR",
                ),
                name="printrun_gift_or_invitation",
            ),
        ),
        migrations.AddConstraint(
            model_name="printscan",
            constraint=models.UniqueConstraint(fields=("store", "run", "visitor", "hour"), name="printscan_once"),
        ),
        migrations.AddConstraint(
            model_name="printsheets",
            constraint=models.UniqueConstraint(fields=("store", "run", "number"), name="printsheets_once"),
        ),
        wall("referrals_printrun", location_id="stores_location"),
        wall("referrals_printscan", run_id="referrals_printrun"),
        wall("referrals_printsheets", run_id="referrals_printrun"),
        link("referrals_sharelink", run_id="referrals_printrun"),
        directory_function(
            "goodword_store_by_print_code(text)",
            "bigint",
            "SELECT store_id FROM referrals_printrun WHERE code_norm = $1 AND code_norm <> ''",
        ),
    ]
