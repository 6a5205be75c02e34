"""What a reward's worth hangs on: the purchase that brought it, and the boost it was earned in."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rewards", "0008_recount")]

    operations = [
        migrations.AddField(model_name="reward", name="order_minor", field=models.BigIntegerField(null=True)),
        migrations.AddField(
            model_name="reward", name="boost_percent", field=models.PositiveSmallIntegerField(default=100)
        ),
    ]
