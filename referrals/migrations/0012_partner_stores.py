"""What partner stores owe each other: a program of their own, numbers of this month, where to pay."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import referrals.models.programs
import stores.tenancy
from stores.walls import link


class Migration(migrations.Migration):
    dependencies = [("referrals", "0011_erasing"), ("rewards", "0010_settled_accounts")]

    operations = [
        migrations.AddField("partnership", "other_currency", models.CharField(default="", max_length=3), False),
        migrations.AddField(
            "partnership", "other_code", models.CharField(blank=True, max_length=24, default=""), False
        ),
        migrations.AddField("partnership", "paid_to", models.CharField(blank=True, max_length=60, default=""), False),
        migrations.AddField("partnership", "brought", models.JSONField(default=dict)),
        migrations.AddField("partnership", "sent", models.JSONField(default=dict)),
        migrations.AddField(
            "partnership",
            "program",
            stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="partnerships",
                to="referrals.program",
            ),
        ),
        migrations.AddField("partnerstatement", "corrections_minor", models.BigIntegerField(default=0)),
        migrations.AlterField(
            "program",
            "audience",
            models.PositiveSmallIntegerField(
                choices=[(1, "all customers"), (2, "partners"), (3, "staff"), (4, "a partner store")],
                default=1,
                verbose_name="for",
            ),
        ),
        migrations.RemoveConstraint("program", "program_one_at_a_time"),
        migrations.AddConstraint(
            "program",
            django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("status", "live"), models.Q(("audience", 4), _negated=True)),
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
        link("referrals_partnership", program_id="referrals_program"),
    ]
