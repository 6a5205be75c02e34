"""Accounts that are paid out as they are settled, not as they are earned."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rewards", "0009_boosted_rewards")]

    operations = [
        migrations.AddField("account", "settled_minor", models.BigIntegerField(null=True)),
    ]
