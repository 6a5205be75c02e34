"""Due messages claimed, checked, written in three languages, handed to a mailer that drops them, marked.

By two workers; beside them the same worker takes tasks that do nothing from the same broker.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import redis
from django.conf import settings

from bench.measuring import Figure, compare
from bench.serving import procfile
from bench.tasks import nothing, turn
from bench.waiting import only_these_are_due, put_back, waiting
from bench.world import World
from outreach.models import Message
from stores.tenancy import acting_for

MESSAGES, TASKS, TURN, WAIT = 12_000, 8_000, 60, 120
ASIDE = "bench-aside"
# Letters go to Django's dummy mailer: everything of a hand-over but the line to a provider.
MAILER = {"EMAIL_URL": "dummymail://", "WORKERS": "2"}


def measure(world: World, rounds: int) -> list[Figure]:
    """Messages a second against tasks a second."""
    broker = redis.Redis.from_url(settings.CELERY_BROKER_URL)

    def is_empty() -> bool:
        """Cheap to ask: it is asked while the workers work."""
        with acting_for(world.store):
            queue = waiting(world.store).filter(status__in=("pending", "sending"), due_at__lte=when[0])
            return not queue.exists()

    def messages() -> float:
        only_these_are_due([world.store, world.tenth], MESSAGES)
        with acting_for(world.store):
            when[0] = waiting(world.store).order_by("due_at").values_list("due_at", flat=True)[0]
        begun = time.perf_counter()
        for _worker in range(2):
            turn.delay(TURN)
        _until(is_empty)
        took = time.perf_counter() - begun
        with acting_for(world.store):
            sent = waiting(world.store).filter(status=Message.Status.SENT).count()
        if sent != MESSAGES:
            raise RuntimeError(f"{sent} of {MESSAGES} messages were sent")
        return MESSAGES / took

    def tasks() -> float:
        for _task in range(TASKS):
            nothing.apply_async(queue=ASIDE)
        begun = time.perf_counter()
        broker.rename(ASIDE, "celery")  # all at once: who puts them there takes nothing from who works them off
        _until(lambda: broker.llen("celery") == 0)
        return TASKS / (time.perf_counter() - begun)

    when = [world.now]
    with procfile("worker", application=("-A config ", "-A bench.working "), **MAILER):
        nothing.delay()
        _until(lambda: broker.llen("celery") == 0)
        figure = compare(
            "dispatch", messages, tasks, unit="messages/s", limit_name="Celery no-op", reach=3.0, rounds=rounds
        )
    put_back(world.store)
    return [figure]


def _until(is_done: Callable[[], bool]) -> None:
    ends = time.monotonic() + WAIT
    while not is_done():
        if time.monotonic() > ends:
            raise RuntimeError("the workers did not get through")
        time.sleep(0.02)
