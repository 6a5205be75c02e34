"""Who lifted a stop stays within the store, and stays written."""

from django.db import migrations

from stores.walls import append_only, wall


class Migration(migrations.Migration):
    dependencies = [("outreach", "0005_reports_and_complaints")]

    operations = [wall("outreach_stoplift"), append_only("outreach_stoplift")]
