"""Indexes for the sweeps that start messages."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rewards", "0003_messages_and_surveys")]

    operations = [
        migrations.RemoveIndex(
            model_name="voucher",
            name="voucher_expiry",
        ),
        migrations.AddIndex(
            model_name="reward",
            index=models.Index(
                condition=models.Q(("status", "voided")), fields=["store", "-voided_at"], name="reward_taken_back"
            ),
        ),
        migrations.AddIndex(
            model_name="voucher",
            index=models.Index(
                condition=models.Q(("status", "issued")), fields=["store", "expires_at"], name="voucher_ends"
            ),
        ),
    ]
