"""When the checks last looked, and where visitors came from."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("referrals", "0007_credit_by_hand")]

    operations = [
        migrations.AddField(model_name="referral", name="examined_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="visit", name="referrer", field=models.CharField(blank=True, max_length=80)),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(
                condition=models.Q(("status__in", ["pending", "flagged"])),
                fields=["store", "examined_at"],
                name="referral_examined",
            ),
        ),
        migrations.AddIndex(
            model_name="claim",
            index=models.Index(
                condition=models.Q(("device", ""), _negated=True), fields=["store", "device"], name="claim_of_device"
            ),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(
                condition=models.Q(("referrer", ""), _negated=True), fields=["store", "link"], name="visit_referred"
            ),
        ),
    ]
