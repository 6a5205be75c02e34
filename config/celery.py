"""Celery carries nudges; what is due stands in Postgres (docs/architecture.md)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("goodword")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Run two beats on purpose: each tick is a row, and the second one finds it taken (stores.ticks).
app.conf.beat_scheduler = "config.beat.SelfReliant"
