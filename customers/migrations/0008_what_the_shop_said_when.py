"""When the shop last changed an order, by its own clock; and which told names somebody has put aside."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0007_orders_that_name_somebody")]

    operations = [
        migrations.AddField(model_name="order", name="changed_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="order", name="name_aside_at", field=models.DateTimeField(null=True)),
    ]
