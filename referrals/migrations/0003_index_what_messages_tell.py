"""Indexes for the sweeps that start messages."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("referrals", "0002_walls")]

    operations = [
        migrations.AddIndex(
            model_name="claim",
            index=models.Index(fields=["store", "-at"], name="claim_recent"),
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(
                condition=models.Q(("status", "approved")), fields=["store", "-decided_at"], name="referral_counted"
            ),
        ),
    ]
