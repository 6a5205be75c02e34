"""Celery carries nudges; what is due stands in Postgres (docs/architecture.md)."""

import logging.config
import os
from typing import Any

from celery import Celery, signals
from django.conf import settings

from stores import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("goodword")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Run two beats on purpose: each tick is a row, and the second one finds it taken (stores.ticks).
app.conf.beat_scheduler = "config.beat.SelfReliant"


@signals.setup_logging.connect
def _log_as_the_web_does(**_: Any) -> None:
    """Lines of worker and beat are of the same form, instead of Celery's own."""
    logging.config.dictConfig(settings.LOGGING)


@signals.task_prerun.connect
def _begin(task_id: str, task: Any, **_: Any) -> None:
    logs.begin_task(task.name, task_id)


@signals.task_postrun.connect
def _end(**_: Any) -> None:
    logs.begin_task("", "")
