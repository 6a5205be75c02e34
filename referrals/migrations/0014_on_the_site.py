"""The invitation on the shop's own site."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("referrals", "0013_print_runs"),
    ]

    operations = [
        migrations.AddField(
            model_name="printrun",
            name="on_site",
            field=models.BooleanField(default=False),
        ),
        migrations.AddConstraint(
            model_name="printrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("on_site", True)), fields=("store",), name="printrun_one_on_the_site"
            ),
        ),
    ]
