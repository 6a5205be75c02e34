"""Counting tries with one atomic operation (a read-then-write throttle let 50 to 91 of 120 pass a limit of 5:
RELIABILITY E11)."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from redis import Redis
from redis.commands.core import Script

logger = logging.getLogger(__name__)

REST = 10.0  # seconds for which a Redis that did not answer is not asked: each time-out is a customer who waits
_away_until = 0.0


@dataclass(frozen=True)
class Limit:
    """At most `most` tries of `name` in a window of `per_seconds`, which begins with the first."""

    name: str
    most: int
    per_seconds: int


def count(name: str, *, per_seconds: int) -> int:
    """Count one more try of `name` and return how many there were in this window.

    0 when the counter is out of reach: a lost Redis slows nobody down.
    """
    return take([Limit(name, 0, per_seconds)])[0]


def take(limits: Sequence[Limit], *, watched: Sequence[Limit] = ()) -> list[int]:
    """Count one more try against each limit: how many there were, in the same order; zeros when out of reach.

    Counted before it is judged: of tries that come at once, none is let through by looking at the count too early.
    The counts of `watched` follow; to them nothing is added.
    """
    steps = [*((limit, 1) for limit in limits), *((limit, 0) for limit in watched)]
    return _ask(lambda: _add(steps)) or [0] * len(steps)


def give_back(limits: Sequence[Limit]) -> None:
    """A try that was counted was none: it came from somebody who is let in."""
    _ask(lambda: _add([(limit, -1) for limit in limits]))


def seen(name: str) -> int:
    """How many tries of `name` this window has had; 0 when the counter is out of reach."""
    return _ask(lambda: int(cache.get(name, 0))) or 0


def forget(name: str) -> None:
    """Begin to count the tries of `name` anew."""
    _ask(lambda: cache.delete(name))


# One piece of work for Redis: were a window to end between the two commands, its counter would never end again.
_ADD = """
    local found = {}
    for place, key in ipairs(KEYS) do
        local seconds, step = ARGV[2 * place - 1], ARGV[2 * place]
        if step == '0' then
            found[place] = tonumber(redis.call('GET', key) or 0)
        else
            redis.call('SET', key, 0, 'EX', seconds, 'NX')
            found[place] = redis.call('INCRBY', key, step)
        end
    end
    return found
"""


def _add(steps: Sequence[tuple[Limit, int]]) -> list[int]:
    keys = [cache.make_key(limit.name) for limit, _ in steps]
    count = _counter(cache._cache)  # type: ignore[attr-defined]
    return list(count(keys, [fact for limit, step in steps for fact in (limit.per_seconds, step)]))


@functools.lru_cache(maxsize=64)
def _counter(clients: Any) -> Script:
    """The script with a client that stays: making one for each try takes longer than the try. One a thread."""
    client: Redis = clients.get_client(write=True)
    return client.register_script(_ADD)


def _ask(question: Callable[[], Any]) -> Any:
    """Redis's answer; None while it gives none."""
    global _away_until  # noqa: PLW0603  # one Redis, one memory of it in each process
    if time.monotonic() < _away_until:
        return None
    try:
        return question()
    except Exception:
        logger.warning("the counter of tries is out of reach", exc_info=True)
        _away_until = time.monotonic() + REST
        return None
