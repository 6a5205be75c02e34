"""What a promise did not need, kept with it until the budget's running number is brought down by it."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("rewards", "0010_settled_accounts")]

    operations = [
        migrations.AddField("commitment", "leftover_minor", models.BigIntegerField(default=0, db_default=0)),
        migrations.AddIndex(
            "commitment",
            models.Index(fields=["store", "budget"], condition=Q(leftover_minor__gt=0), name="commitment_leftover"),
        ),
    ]
