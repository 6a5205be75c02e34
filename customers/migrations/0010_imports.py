"""Files that were brought, and what became of each of their rows."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import stores.codes
import stores.tenancy
from stores.walls import wall

KINDS = [("customers", "Customers"), ("orders", "Orders")]
OUTCOMES = [
    ("created", "new"),
    ("updated", "known, something added"),
    ("unchanged", "known already"),
    ("refused", "refused"),
]


def key() -> tuple[str, models.Field]:
    return "id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def link(to: str, **options: object) -> models.ForeignKey:
    return models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=to, **options)


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0009_search_terms"),
        ("stores", "0007_erasing_history"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Import",
            fields=[
                key(),
                ("public_id", models.CharField(default=stores.codes.public_id, editable=False, max_length=20)),
                ("kind", models.CharField(choices=KINDS, max_length=9)),
                ("name", models.CharField(max_length=120)),
                ("content", models.BinaryField(default=bytes)),
                ("encoding", models.CharField(max_length=20)),
                ("delimiter", models.CharField(max_length=1)),
                ("mapping", models.JSONField(default=dict)),
                ("columns", models.JSONField(default=list)),
                ("consent", models.JSONField(default=list)),
                ("language", models.CharField(max_length=5)),
                ("total", models.PositiveIntegerField(default=0)),
                ("made_at", models.DateTimeField()),
                ("begun_at", models.DateTimeField(null=True)),
                ("by", link(settings.AUTH_USER_MODEL, related_name="+")),
                ("store", link("stores.store", related_name="+")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("store", "public_id"), name="import_public_id")],
                "indexes": [models.Index(fields=["store", "-made_at"], name="import_recent")],
            },
        ),
        migrations.CreateModel(
            name="ImportRow",
            fields=[
                key(),
                ("number", models.PositiveIntegerField()),
                ("outcome", models.CharField(choices=OUTCOMES, max_length=9)),
                ("problem", models.CharField(blank=True, max_length=500)),
                ("cells", models.JSONField(default=list)),
                ("made", models.JSONField(default=dict)),
                ("undone_at", models.DateTimeField(null=True)),
                ("stays", models.CharField(blank=True, max_length=60)),
                (
                    "run",
                    stores.tenancy.TenantKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rows",
                        to="customers.import",
                    ),
                ),
                ("store", link("stores.store", related_name="+")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("store", "run", "number"), name="importrow_once")],
            },
        ),
        wall("customers_import"),
        wall("customers_importrow", run_id="customers_import"),
    ]
