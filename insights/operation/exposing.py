"""The figures in Prometheus's words; names and meanings stand in docs/operate.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db import Error
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from insights.operation import figures
from insights.operation.figures import Figures, StoreFigures
from stores import metrics


def page(at: datetime) -> bytes:
    """The text of /metrics: what the web processes counted, and what Postgres says, if it answers."""
    registry = metrics.registry()
    registry.register(_Collected(at))
    return generate_latest(registry)


class _Collected(Collector):
    """The figures of the moment."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: Postgres is asked once, when the page is written."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        try:
            found = figures.read(self.at)
        except Error:
            yield _gauge("database_up", "Whether Postgres answers.", 0)
            return
        yield _gauge("database_up", "Whether Postgres answers.", 1)
        yield from _whole(found)
        yield from _by_store(found)
        yield from _by_job(found)


def _whole(found: Figures) -> Iterator[Metric]:
    yield _gauge("oldest_due_seconds", "For how long the oldest due message waits.", found.oldest_due.total_seconds())
    yield _gauge("inbox_age_seconds", "For how long long work has been left alone.", found.inbox_age.total_seconds())
    yield _gauge("held", "Whether nothing is sent until manage.py release.", int(found.held_since is not None))
    yield _gauge("ledger_drift_stores", "Stores whose books did not add up when last counted.", len(found.drifting))
    yield _gauge("disk_free_bytes", "Free on the disk of DATA_DIR.", found.disk.free)
    yield _gauge("disk_total_bytes", "Size of the disk of DATA_DIR.", found.disk.total)


def _by_store(found: Figures) -> Iterator[Metric]:
    due = GaugeMetricFamily("goodword_messages_due", "Messages past their time.", labels=["store"])
    unknown = GaugeMetricFamily(
        "goodword_messages_unknown", "Messages of which nobody knows whether they arrived.", labels=["store"]
    )
    hour = GaugeMetricFamily(
        "goodword_messages_last_hour", "What became of what was due within the hour.", labels=["store", "status"]
    )
    for one in found.stores:
        due.add_metric([one.slug], one.due)
        unknown.add_metric([one.slug], one.unknown)
        for status, number in (("sent", one.sent), ("failed", one.failed)):
            hour.add_metric([one.slug, status], number)
    yield from (due, unknown, hour, _counted(found.stores))


def _counted(stores: list[StoreFigures]) -> Metric:
    """When the books were last counted; no line before the first night."""
    family = GaugeMetricFamily(
        "goodword_books_counted_timestamp_seconds", "When the books were last counted.", labels=["store"]
    )
    for one in stores:
        if one.counted_at:
            family.add_metric([one.slug], one.counted_at.timestamp())
    return family


def _by_job(found: Figures) -> Iterator[Metric]:
    ended = GaugeMetricFamily("goodword_job_last_end_timestamp_seconds", "When it last ended.", labels=["job"])
    good = GaugeMetricFamily(
        "goodword_job_last_good_end_timestamp_seconds", "When it last ended without an error.", labels=["job"]
    )
    last = GaugeMetricFamily("goodword_job_last_seconds", "How long its last run took.", labels=["job"])
    failed = CounterMetricFamily("goodword_job_failures", "Runs that ended with an error.", labels=["job"])
    took = SummaryMetricFamily("goodword_job_seconds", "Runs, and how long they took together.", labels=["job"])
    for run in found.runs:
        ended.add_metric([run.job], run.at.timestamp())
        if run.good_at:
            good.add_metric([run.job], run.good_at.timestamp())
        last.add_metric([run.job], run.seconds)
        failed.add_metric([run.job], run.failures)
        took.add_metric([run.job], count_value=run.runs, sum_value=run.total_seconds)
    yield from (ended, good, last, failed, took)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"goodword_{name}", meaning, value=value)
