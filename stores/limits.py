"""Counting tries with one atomic operation (a read-then-write throttle let 50 to 91 of 120 pass a limit of 5:
RELIABILITY E11)."""

from __future__ import annotations

import logging

from django.core.cache import cache

logger = logging.getLogger(__name__)


def count(name: str, *, per_seconds: int) -> int:
    """Count one more try of `name` and return how many there were in this window.

    0 when the counter is out of reach: a lost Redis slows nobody down.
    """
    try:
        if cache.add(name, 1, timeout=per_seconds):
            return 1
        return int(cache.incr(name))
    except ValueError:  # the window ended between the two calls
        return 1
    except Exception:
        logger.warning("the counter of tries is out of reach", exc_info=True)
        return 0


def seen(name: str) -> int:
    """How many tries of `name` this window has had; 0 when the counter is out of reach."""
    try:
        return int(cache.get(name, 0))
    except Exception:
        logger.warning("the counter of tries is out of reach", exc_info=True)
        return 0
