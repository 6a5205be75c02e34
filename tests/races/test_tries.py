"""Tries are counted one by one, however many come at once (RELIABILITY rule 46, E11); with controls."""

from __future__ import annotations

import secrets
import time
from threading import Barrier

import pytest
import redis
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import RequestFactory
from rest_framework.throttling import SimpleRateThrottle

from checkout import guesses
from stores import limits
from stores.accounts import Adapter
from stores.models import ApiKey
from tests.conftest import NOW

LIMIT, THREADS = 5, 12


@pytest.fixture
def name() -> str:
    return f"test:{secrets.token_hex(8)}"


def ends_in(name: str) -> int:
    """Seconds until the counter begins anew; -1: never."""
    return cache._cache.get_client().ttl(cache.make_key(name))


def test_of_a_hundred_and_twenty_at_once_five_pass(at_once, name):
    seen = at_once(THREADS, lambda _: [limits.count(name, per_seconds=60) for _ in range(10)])
    numbers = [number for many in seen for number in many]
    assert sorted(numbers) == list(range(1, 121))
    assert sum(number <= LIMIT for number in numbers) == LIMIT


def test_of_a_hundred_and_twenty_passwords_at_once_five_are_looked_at(at_once, name):
    def ten(number):
        passed = 0
        for turn in range(10):
            request = RequestFactory().post("/login/", REMOTE_ADDR=f"10.0.{number}.{turn}")
            try:
                Adapter().pre_authenticate(request, email=f"{name}@example.com")
            except ValidationError:
                continue
            passed += 1
        return passed

    assert sum(at_once(THREADS, ten)) == LIMIT


def test_control_looking_and_then_writing_lets_more_pass(at_once, name):
    gate = Barrier(THREADS)

    def careless():
        number = int(cache.get(name, 0)) + 1
        gate.wait(timeout=30)
        cache.set(name, number, timeout=60)
        return number

    assert at_once(THREADS, lambda _: careless()) == [1] * THREADS


def test_control_the_throttle_of_the_api_framework_lets_more_pass(at_once, name):
    gate = Barrier(THREADS)

    class Busy:
        """The cache on a busy machine: everybody has read before anybody writes."""

        def get(self, *args):
            history = cache.get(*args)
            gate.wait(timeout=30)
            return history

        set = staticmethod(cache.set)

    class Throttle(SimpleRateThrottle):
        rate, cache = f"{LIMIT}/min", Busy()

        def get_cache_key(self, request, view):
            return name

    assert at_once(THREADS, lambda _: Throttle().allow_request(None, None)) == [True] * THREADS


@pytest.mark.parametrize("step", ["count", "give_back"])
def test_a_counter_that_ends_begins_anew_and_ends_again(name, step):
    limits.count(name, per_seconds=60)
    cache._cache.get_client().pexpire(cache.make_key(name), 1)
    time.sleep(0.01)
    if step == "count":
        assert limits.count(name, per_seconds=60) == 1
    else:
        limits.give_back([limits.Limit(name, LIMIT, 60)])
    assert 0 < ends_in(name) <= 60


def test_control_a_counter_that_ends_between_two_steps_never_ends_again(name, monkeypatch):
    """What a cache's own incr does, which looks first: whoever was counted is locked out for good."""
    really = redis.Redis.exists

    def exists(self, key):
        there = really(self, key)
        self.delete(key)  # its time is over now
        return there

    cache.add(name, 1, timeout=60)
    monkeypatch.setattr(redis.Redis, "exists", exists)
    cache.incr(name)
    assert ends_in(name) == -1


# -- Codes --


def test_at_once_no_more_are_judged_than_one_by_one(committed_store, at_once):
    """Twenty, one after the other, from each of twelve connections, of one key."""
    key = ApiKey(pk=10**6 + secrets.randbelow(10**6), store=committed_store)

    def ten(_):
        judged = 0
        for _ in range(20):
            try:
                with guesses.by_key(committed_store, key) as tried:
                    tried.was_wrong(NOW)
            except guesses.Wait:
                continue
            judged += 1
        return judged

    assert sum(at_once(12, ten)) == guesses.PER_KEY


def test_control_looking_before_and_counting_after_lets_more_through(committed_store, at_once):
    """How it was before: twelve at once all find the counter one below its limit."""
    name, gate = f"test:{secrets.token_hex(8)}", Barrier(12)
    for _ in range(guesses.PER_PERSON - 1):
        limits.count(name, per_seconds=60)

    def careless(_):
        is_let_in = limits.seen(name) < guesses.PER_PERSON
        gate.wait(timeout=30)
        limits.count(name, per_seconds=60)
        return is_let_in

    assert sum(at_once(12, careless)) == 12
