"""Personal codes, codes for one place, codes of the shop's own."""

import django.db.models.deletion
from django.db import migrations, models

import stores.tenancy
from stores.walls import link


class Migration(migrations.Migration):
    dependencies = [
        ("rewards", "0006_reward_walls"),
        ("stores", "0006_jobs"),
    ]

    operations = [
        migrations.AddField(
            model_name="offer",
            name="is_personal",
            field=models.BooleanField(default=False, verbose_name="only its holder may use it"),
        ),
        migrations.AddField(
            model_name="offer",
            name="location",
            field=stores.tenancy.TenantKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="stores.location",
            ),
        ),
        migrations.AddField(
            model_name="voucher",
            name="shown",
            field=models.CharField(blank=True, max_length=60),
        ),
        link("rewards_offer", location_id="stores_location"),
    ]
