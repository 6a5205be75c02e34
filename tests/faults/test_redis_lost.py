"""Redis may vanish: it carries nudges, and what is due stands in Postgres (RELIABILITY G10)."""

from __future__ import annotations

import signal
import smtplib
import statistics
import sys
import time
from collections import Counter
from contextlib import contextmanager
from email.message import EmailMessage
from threading import Thread

import httpx
import pytest

from stores.api_auth import hash_key
from stores.models import ApiKey
from tests.stack import missing, repeated, until

MESSAGES = 200
MINUTE = 60


@pytest.fixture
def everything_goes_out(stack, statuses):
    """Wait until each of these messages was accepted, once, and says so; returns how many seconds that took."""

    def wait(references, seconds=180) -> float:
        begin = time.monotonic()
        until(lambda: set(statuses().values()) == {"sent"}, what="all is sent", seconds=seconds)
        counts = stack.mail.counts()
        took = time.monotonic() - begin
        fates = dict(Counter(statuses().values()))
        print(f"{len(counts)} messages in {counts.total()} letters after {took:.1f} s, {fates}")
        assert missing(counts, references) == set()
        assert repeated(counts) == {}
        return took

    return wait


def at_letters(stack, moments, strike):
    """Call `strike` when so many letters have been accepted; the list it empties."""
    left = list(moments)

    def look(number: int) -> None:
        if left and number >= left[0]:
            left.pop(0)
            strike()

    stack.mail.after_accepting = look
    return left


def test_flushing_in_the_middle_loses_nothing(stack, due, everything_goes_out):
    references = due(MESSAGES)
    stack.start("beat")
    until(lambda: stack.redis.client.llen("celery"), what="a nudge waits in Redis")
    stack.redis.client.flushall()  # the very nudge that should have started it
    left = at_letters(stack, [30, 90, 150], stack.redis.client.flushall)
    stack.start("worker")
    everything_goes_out(references)
    assert left == []
    references |= due(20)  # and later nudges arrive as before
    everything_goes_out(references)


def test_a_redis_that_dies_and_comes_back_empty_loses_nothing(stack, due, everything_goes_out):
    references = due(100)
    stack.start("worker", "beat")
    left = at_letters(stack, [30], stack.redis.stop)
    until(lambda: not left, what="Redis has died")
    everything_goes_out(references)  # those at hand need no Redis
    stack.redis.start()
    references |= due(20)
    everything_goes_out(references)


# -- While it is away --


@contextmanager
def silent(redis):
    """It accepts connections and never answers."""
    redis.process.send_signal(signal.SIGSTOP)
    yield
    redis.process.send_signal(signal.SIGCONT)


@contextmanager
def out_of_memory(redis):
    """It answers every write with an error."""
    redis.client.config_set("maxmemory", 1)
    yield
    redis.client.config_set("maxmemory", 0)


@contextmanager
def gone(redis):
    """Nobody listens."""
    redis.stop()
    yield
    redis.start()


@pytest.fixture
def calls(stack, store):
    """`calls(20)`: so many calls to the API of the checkout; how long each took, in seconds."""
    key = "gw_" + "0" * 40
    row = ApiKey(store=store, prefix=key[:8], hash=hash_key(key), scopes=list(ApiKey.SCOPES))
    stack.inside(store, row.save)

    def call(count: int) -> list[float]:
        times = []
        for number in range(count):
            answer = httpx.post(
                f"{stack.url}/api/v1/vouchers/quote/",
                headers={"authorization": f"Bearer {key}"},
                json={"code": f"NOSUCHCODE{number}", "amount_minor": 1000, "currency": "PHP"},
                timeout=20,
            )
            assert answer.json()["reason"] == "unknown", answer.text
            times.append(answer.elapsed.total_seconds())
        return times

    return call


@pytest.mark.parametrize("fault", [silent, out_of_memory, gone])
def test_while_it_is_away_all_goes_out_and_the_checkout_answers(stack, due, everything_goes_out, calls, fault):
    stack.start("web", "worker", "beat")
    references = due(20)
    everything_goes_out(references)
    before = calls(20)
    with fault(stack.redis):
        references |= due(50)
        begin = time.monotonic()
        during = calls(20)
        left = MINUTE - (time.monotonic() - begin)
        everything_goes_out(references, seconds=left)
        print(f"{fault.__name__}: all out {time.monotonic() - begin:.1f} s after they were due")
        print(f"checkout: {said(before)} before, {said(during)} meanwhile")
        assert max(during) < 5
        assert statistics.median(during) < 0.8
    references |= due(20)
    everything_goes_out(references, seconds=MINUTE)


def test_a_beat_that_starts_while_it_is_away_does_not_wait_for_it(stack, due, everything_goes_out):
    references = due(20)
    with gone(stack.redis):
        stack.start("beat")
        everything_goes_out(references, seconds=MINUTE)


def test_control_celerys_own_beat_sends_nothing_meanwhile(stack, due):
    due(20)
    beat = ["-m", "celery", "-A", "config", "beat", "--scheduler", "celery.beat:PersistentScheduler"]
    with gone(stack.redis):
        stack.run("beat", [sys.executable, *beat, "--schedule", str(stack.folder / "schedule")])
        time.sleep(12)
        assert not stack.mail.accepted


def said(times: list[float]) -> str:
    return f"median {statistics.median(times) * 1000:.0f} ms, worst {max(times) * 1000:.0f} ms"


def test_control_a_queue_that_lives_in_redis_alone_loses_what_was_flushed(stack):
    """What most shops do: the job itself is in Redis."""
    stack.redis.client.rpush("jobs", *range(MESSAGES))
    at_letters(stack, [50], stack.redis.client.flushall)

    def work() -> None:
        with smtplib.SMTP("127.0.0.1", stack.mail.port) as line:
            while job := stack.redis.client.lpop("jobs"):
                letter = EmailMessage()
                letter["X-Goodword-Reference"] = job.decode()
                line.send_message(letter, "shop@example.com", ["customer@example.com"])

    workers = [Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    lost = missing(stack.mail.counts(), map(str, range(MESSAGES)))
    print(f"control: {len(lost)} of {MESSAGES} lost")
    assert len(lost) > MESSAGES / 2
