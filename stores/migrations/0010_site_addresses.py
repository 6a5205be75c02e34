"""Where the shop's own site lives besides its first address: our frames stand there and nowhere else."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stores", "0009_drafts"),
    ]

    operations = [
        migrations.AddField(
            model_name="store",
            name="site_addresses",
            field=models.JSONField(default=list, verbose_name="other addresses of your site"),
        ),
    ]
