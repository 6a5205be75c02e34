"""Tries are counted one by one, however many come at once (RELIABILITY rule 46, E11); with a control."""

from __future__ import annotations

import secrets
from threading import Barrier

from django.core.cache import cache

from stores import limits

LIMIT, THREADS = 5, 12


def test_of_a_hundred_and_twenty_at_once_five_pass(at_once):
    name = f"test:{secrets.token_hex(8)}"
    seen = at_once(THREADS, lambda _: [limits.count(name, per_seconds=60) for _ in range(10)])
    numbers = [number for many in seen for number in many]
    assert sorted(numbers) == list(range(1, 121))
    assert sum(number <= LIMIT for number in numbers) == LIMIT


def test_control_looking_and_then_writing_lets_more_pass(at_once):
    name, gate = f"test:{secrets.token_hex(8)}", Barrier(THREADS)

    def careless():
        number = int(cache.get(name, 0)) + 1
        gate.wait(timeout=30)
        cache.set(name, number, timeout=60)
        return number

    assert at_once(THREADS, lambda _: careless()) == [1] * THREADS
