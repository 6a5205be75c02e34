"""Two customers found to be one exchange their claims in one statement: claim_once is looked at when it ends."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("referrals", "0009_devices")]

    operations = [
        migrations.RemoveConstraint("claim", "claim_once"),
        migrations.AddConstraint(
            "claim",
            models.UniqueConstraint(
                fields=["store", "friend"], name="claim_once", deferrable=models.Deferrable.IMMEDIATE
            ),
        ),
    ]
