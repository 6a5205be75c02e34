"""Redis may vanish: it carries nudges, and what is due stands in Postgres (RELIABILITY G10, G23).

One stack for all of it: each fault finds the shop at work, and leaves it so.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from contextlib import contextmanager, suppress

import httpx
import pytest
import redis
from django.utils import timezone

from referrals.services.programs import open_store, program_of
from rewards.services import vouchers
from stores import limits
from stores.api_auth import hash_key
from stores.models import ApiKey
from tests.faults.conftest import plan_letters
from tests.stack import Redis, Stack, missing, repeated, until

MINUTE = 60
CALLS = 100
LONGEST = 0.8  # seconds that a checkout may take in 99 of 100 cases, beyond what it took in peace
KEY = "gw_" + "0" * 40
FEW_BYTES = 3 << 20  # of memory: enough for Redis itself


@pytest.fixture(scope="module")
def stack(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), Stack(API_CALLS_PER_MINUTE="1000000") as stack:
        stack.start("web", "worker", "beat")
        yield stack
        print(stack.log())


@pytest.fixture(scope="module")
def store(stack):
    store = stack.call(open_store, slug="corner", name="Corner", currency="PHP", at=timezone.now())
    key = ApiKey(store=store, prefix=KEY[:8], hash=hash_key(KEY), scopes=list(ApiKey.SCOPES))
    stack.inside(store, key.save)
    return store


@pytest.fixture(scope="module")
def code(stack, store):
    """A code for a quote."""
    offer = stack.inside(store, lambda: program_of(store).terms.friend_offer)
    return stack.inside(store, lambda: vouchers.issue(store, offer, key="quote", at=timezone.now()).code)


@pytest.fixture
def goes_out(stack, store):
    """`goes_out(20)`: so many messages fall due, and each is accepted once, within a minute."""

    def wait(count: int) -> float:
        references, begin = plan_letters(stack, store, count), time.monotonic()
        until(lambda: references <= set(stack.mail.counts()), what="all is sent", seconds=MINUTE)
        took = time.monotonic() - begin
        assert missing(stack.mail.counts(), references) == set()
        assert repeated(stack.mail.counts()) == {}
        return took

    return wait


@pytest.fixture
def p99(stack, code):
    """What a quote at the checkout takes, in seconds, in 99 of 100 cases."""

    def call() -> float:
        body = {"code": code, "amount_minor": 1000, "currency": "PHP"}
        times = []
        with httpx.Client(headers={"authorization": f"Bearer {KEY}"}, timeout=30) as client:
            for _ in range(CALLS):
                answer = client.post(f"{stack.url}/api/v1/vouchers/quote/", json=body)
                assert answer.json()["valid"], answer.text
                times.append(answer.elapsed.total_seconds())
        return sorted(times)[CALLS * 99 // 100 - 1]

    return call


def at_letters(stack, moments, strike) -> list[int]:
    """Call `strike` when so many letters more have been accepted; the list it empties."""
    already = len(stack.mail.accepted)
    left = [already + one for one in moments]

    def look(number: int) -> None:
        if left and number >= left[0]:
            left.pop(0)
            strike()

    stack.mail.after_accepting = look
    return left


# -- The faults --


@contextmanager
def flushed(stack):
    """Again and again, in the middle of it."""
    stack.redis.client.flushall()
    left = at_letters(stack, [5, 15, 25], stack.redis.client.flushall)
    yield
    assert left == []


@contextmanager
def restarted_empty(stack):
    left = at_letters(stack, [5], stack.redis.restart_empty)
    yield
    assert left == []


@contextmanager
def silent(stack):
    """It accepts connections and never answers."""
    stack.redis.process.send_signal(signal.SIGSTOP)
    yield
    stack.redis.process.send_signal(signal.SIGCONT)


@contextmanager
def out_of_memory(stack):
    """It answers every write with an error."""
    stack.redis.client.config_set("maxmemory", 1)
    yield
    stack.redis.client.config_set("maxmemory", 0)


@contextmanager
def evicting(stack):
    """Somebody has set it up as a cache, and it is full: what waits longest is thrown away."""
    client = stack.redis.client
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("maxmemory", FEW_BYTES)
    over = threading.Event()

    def crowd() -> None:
        number = 0
        while not over.wait(0.005):
            number += 1
            with suppress(redis.RedisError):
                client.set(f"crowd:{number}", b"x" * 20_000)

    crowding = threading.Thread(target=crowd)
    crowding.start()
    until(lambda: client.info("stats")["evicted_keys"] > 100, what="keys are thrown away")
    yield
    over.set()
    crowding.join()
    client.config_set("maxmemory", 0)
    client.config_set("maxmemory-policy", "noeviction")


@contextmanager
def gone(stack):
    """Nobody listens."""
    stack.redis.stop()
    yield
    stack.redis.start()


@pytest.mark.parametrize("fault", [flushed, restarted_empty, silent, out_of_memory, evicting, gone])
def test_all_goes_out_and_the_checkout_answers(stack, goes_out, p99, fault):
    goes_out(5)
    before = p99()
    with fault(stack):
        took = goes_out(30)
        during = p99()
        print(f"{fault.__name__}: all out after {took:.1f} s; checkout p99 {before:.3f} s before, {during:.3f} s then")
        assert during < LONGEST + before
    goes_out(5)


def start_beat(stack, *more: str) -> None:
    command = [sys.executable, "-m", "celery", "-A", "config", "beat", "--schedule", str(stack.folder / "other"), *more]
    stack.run("beat", command)


def test_a_beat_that_starts_while_it_is_away_does_not_wait_for_it(stack, store, goes_out):
    stack.kill("beat")
    with gone(stack):
        # The control: Celery's own scheduler tries to connect, and sends nothing meanwhile.
        start_beat(stack, "--scheduler", "tests.faults.probe.beats:OurJobs")
        log = stack.folder / "beat.log"
        said = len(log.read_text())
        references = plan_letters(stack, store, 10)
        until(lambda: "onnection" in log.read_text()[said:], what="it has tried to connect")
        time.sleep(2)
        assert not references & set(stack.mail.counts())
        stack.kill("beat")
        start_beat(stack)
        until(lambda: references <= set(stack.mail.counts()), what="all is sent", seconds=MINUTE)
        assert "beat does the jobs itself" in log.read_text()[said:]
    goes_out(5)


# -- Controls --


@pytest.fixture
def own_redis(tmp_path):
    server = Redis(tmp_path)
    yield server
    server.stop()


def test_control_a_counter_that_waits_for_ever_holds_up_the_till(own_redis, settings, monkeypatch):
    """A client without time-outs, as it comes; and then ours."""
    own_redis.process.send_signal(signal.SIGSTOP)
    monkeypatch.setattr(limits, "_away_until", 0.0)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": own_redis.url}}
    careless = threading.Thread(target=try_to_count, args=[own_redis.url])
    careless.start()
    assert limits.count("tries", per_seconds=60) == 0
    assert careless.is_alive()
    own_redis.stop()
    careless.join()


def try_to_count(url: str) -> None:
    with suppress(redis.RedisError):
        redis.Redis.from_url(url).incr("tries")


@pytest.mark.parametrize("fault", ["flushed", "evicted"])
def test_control_a_queue_that_lives_in_redis_alone_loses_messages(own_redis, fault):
    """What most shops do: the job itself is in Redis, one key each or all in a list."""
    client, jobs = own_redis.client, 200
    for number in range(jobs):
        client.set(f"job:{number}", b"x")
    if fault == "flushed":
        client.flushall()
    else:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory", FEW_BYTES)
        for number in range(1000):
            client.set(f"crowd:{number}", b"x" * 20_000)  # each is answered with OK
    lost = jobs - len(client.keys("job:*"))
    print(f"control, {fault}: {lost} of {jobs} lost")
    assert lost > jobs / 2
