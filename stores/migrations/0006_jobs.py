"""Long work with its progress."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import stores.codes
from stores.walls import directory_function, wall


class Migration(migrations.Migration):
    dependencies = [
        ("stores", "0005_drop_review_page"),
    ]

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=stores.codes.public_id, editable=False, max_length=20)),
                ("kind", models.CharField(max_length=40)),
                ("key", models.CharField(max_length=120)),
                ("subject", models.CharField(blank=True, max_length=80)),
                ("total", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "at work"),
                            ("done", "done"),
                            ("stopped", "stopped"),
                            ("failed", "failed"),
                        ],
                        default="running",
                        max_length=8,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=250)),
                ("data", models.JSONField(default=dict)),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("touched_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "running")), fields=["store", "touched_at"], name="job_running"
                    ),
                    models.Index(fields=["store", "kind", "-started_at"], name="job_recent"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "public_id"), name="job_public_id"),
                    models.UniqueConstraint(fields=("store", "key"), name="job_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "running"), models.Q(("subject", ""), _negated=True)),
                        fields=("store", "subject"),
                        name="job_one_at_a_time",
                    ),
                ],
            },
        ),
        wall("stores_job"),
        directory_function(
            "goodword_stores_with_jobs(text)",
            "SETOF bigint",
            "SELECT DISTINCT store_id FROM stores_job WHERE state = 'running' AND kind = $1",
        ),
    ]
