"""Redis may vanish: it carries nudges, and what is due stands in Postgres (RELIABILITY G10)."""

from __future__ import annotations

import smtplib
from collections import Counter
from email.message import EmailMessage
from threading import Thread

import pytest

from tests.stack import missing, repeated, until

MESSAGES = 500


@pytest.fixture
def everything_goes_out(stack, statuses):
    """Wait until each of these messages was accepted, once, and says so."""

    def wait(references):
        until(lambda: set(statuses().values()) == {"sent"}, what="all is sent", seconds=180)
        counts = stack.mail.counts()
        print(f"{len(counts)} messages in {counts.total()} letters, {dict(Counter(statuses().values()))}")
        assert missing(counts, references) == set()
        assert repeated(counts) == {}

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
    left = at_letters(stack, [50, 200, 350], stack.redis.client.flushall)
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
