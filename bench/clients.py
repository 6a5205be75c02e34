"""Clients of a service on this machine: threads in a few processes, each with a connection that stays."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from typing import Any

from django.db import connection, connections

PROCESSES = 4  # Python computes in one thread of a process at a time
READY_SECONDS = 60
WARM = 3  # calls of each client that do not count: they open its connection and plan its statements
_forked = multiprocessing.get_context("fork")

Work = Callable[[str], object]


def rate(work: Work, things: Sequence[str], *, clients: int = 32, seconds: float = 4) -> float:
    """How often a second all clients together do `work` with a thing of their own, each thing once.

    Raises RuntimeError where a call fails or the things are used up before the time is.
    """
    connections.close_all()  # a connection must not be shared with a child
    gate, told = _forked.Barrier(clients), _forked.SimpleQueue()
    each = clients // PROCESSES
    shares = [[things[number::clients] for number in range(first, first + each)] for first in range(0, clients, each)]
    family = [_forked.Process(target=_process, args=(work, share, gate, seconds, told)) for share in shares]
    for one in family:
        one.start()
    rates = [told.get() for _ in family]
    for one in family:
        one.join()
    if failed := [text for text in rates if isinstance(text, str)]:
        raise RuntimeError(failed[0])
    return float(sum(rates))


def _process(work: Work, shares: Sequence[Sequence[str]], gate: Barrier, seconds: float, told: Any) -> None:
    try:
        with ThreadPoolExecutor(len(shares)) as pool:
            told.put(sum(pool.map(lambda share: _client(work, share, gate, seconds), shares)))
    except Exception as error:
        gate.abort()
        told.put(f"{type(error).__name__}: {error}")


def _client(work: Work, things: Sequence[str], gate: Barrier, seconds: float) -> float:
    try:
        for thing in things[:WARM]:
            work(thing)
        gate.wait(READY_SECONDS)
        return _count(work, things[WARM:], seconds)
    finally:
        connection.close()


def _count(work: Work, things: Sequence[str], seconds: float) -> float:
    begun = time.perf_counter()
    for number, thing in enumerate(things, start=1):
        work(thing)
        passed = time.perf_counter() - begun
        if passed > seconds:
            return number / passed
    raise RuntimeError("the things to work with are used up")
