"""What the web processes count for /metrics; everything else there is read from Postgres (insights.operation).

Where several processes answer, PROMETHEUS_MULTIPROC_DIR names a folder of theirs (the Procfile makes one at each
start): each process counts in a file of its own, and whoever is asked adds them up.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Histogram(
    "goodword_request_seconds",
    "Requests by the template of their address and their status, with the time until the answer began.",
    ["route", "status"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10),
)


def request_done(route: str, status: int, seconds: float) -> None:
    """Count a request. `route` is the template, never the address itself: that may hold somebody's token."""
    REQUESTS.labels("/" + route if route else "none", str(status)).observe(seconds)


def registry() -> CollectorRegistry:
    """What the processes of this web server have counted together, to be written out."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        found = CollectorRegistry()
        MultiProcessCollector(found)
        return found
    return _alone()


def _alone() -> CollectorRegistry:
    """One process alone: its own counts."""
    found = CollectorRegistry()
    found.register(REQUESTS)
    return found
