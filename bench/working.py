"""What the bench's worker is started with: the application's own Celery, and the tasks of the bench."""

from config.celery import app

app.conf.include = ["bench.tasks"]  # read when Django is up
