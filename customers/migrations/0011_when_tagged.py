"""When a customer got a tag; of those that stand, nobody knows."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0010_imports")]

    operations = [
        migrations.AddField(model_name="customertag", name="at", field=models.DateTimeField(null=True)),
        migrations.AlterField(
            model_name="customertag",
            name="at",
            field=models.DateTimeField(default=django.utils.timezone.now, null=True),
        ),
    ]
