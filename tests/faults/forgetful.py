"""A web server that keeps visits in memory until the next load: `granian tests.faults.forgetful:application`."""

from __future__ import annotations

from config.wsgi import application

written = application.visits.append
kept: list[dict[str, object]] = []


def append(facts: dict[str, object]) -> None:
    """Remember it; what is remembered is written down by hundreds."""
    kept.append(facts)
    if len(kept) == 100:
        for one in kept:
            written(one)
        kept.clear()


application.visits.append = append
