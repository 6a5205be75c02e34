"""Counting tries with one atomic operation (a read-then-write throttle let 50 to 91 of 120 pass a limit of 5:
RELIABILITY E11)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.core.cache import cache

logger = logging.getLogger(__name__)

REST = 10.0  # seconds for which a Redis that did not answer is not asked: each time-out is a customer who waits
_away_until = 0.0


def count(name: str, *, per_seconds: int) -> int:
    """Count one more try of `name` and return how many there were in this window.

    0 when the counter is out of reach: a lost Redis slows nobody down.
    """
    return _ask(lambda: _count(name, per_seconds))


def seen(name: str) -> int:
    """How many tries of `name` this window has had; 0 when the counter is out of reach."""
    return _ask(lambda: int(cache.get(name, 0)))


def _count(name: str, per_seconds: int) -> int:
    if cache.add(name, 1, timeout=per_seconds):
        return 1
    try:
        return int(cache.incr(name))
    except ValueError:  # the window ended between the two calls
        return 1


def _ask(question: Callable[[], int]) -> int:
    """Redis's answer; 0 while it gives none."""
    global _away_until  # noqa: PLW0603  # one Redis, one memory of it in each process
    if time.monotonic() < _away_until:
        return 0
    try:
        return question()
    except Exception:
        logger.warning("the counter of tries is out of reach", exc_info=True)
        _away_until = time.monotonic() + REST
        return 0


def forget(name: str) -> None:
    """Begin to count the tries of `name` anew: they came from somebody who is let in."""
    _ask(lambda: int(cache.delete(name)))
