"""Several beats, one beat, none (RELIABILITY G12): a job runs once in its slot, and silence is told."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from stores.models import Tick
from tests.stack import Stack, until

BEATS = ("one", "two", "three")


@pytest.fixture
def stack(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), Stack(DJANGO_SETTINGS_MODULE="tests.faults.probe.settings") as stack:
        yield stack
        print(stack.log())


def test_three_beats_two_of_which_die(stack):
    def slots(job: str) -> Counter[int]:
        return Counter(map(int, stack.redis.client.lrange(f"ran:{job}", 0, -1)))

    def go_on() -> None:
        """The job runs in three slots more."""
        before = len(slots("guarded"))
        until(lambda: len(slots("guarded")) >= before + 3, what="the job goes on")

    stack.start("worker")
    for name in BEATS:
        stack.launch("beat", called=name, BEAT_SCHEDULE=str(stack.folder / f"schedule-{name}"))
    # The control: without slots, each beat makes it run.
    until(lambda: max(slots("careless").values(), default=0) >= 3, what="all three tick in one second")
    go_on()
    for name in BEATS[:2]:
        stack.kill(name)
        go_on()
    ran, careless = slots("guarded"), slots("careless")
    print(f"{ran.total()} runs in {len(ran)} slots; the control {careless.total()} runs in {len(careless)}")
    assert set(ran.values()) == {1}


# -- None --


def tick(ago: timedelta) -> None:
    Tick.objects.create(job="send_due", slot=1, at=timezone.now() - ago)


def doctor(capsys) -> dict[str, str]:
    """What it says, by the name of the check."""
    with pytest.raises(SystemExit):
        call_command("doctor")
        raise SystemExit  # all is well
    lines = capsys.readouterr().out.splitlines()
    return {line[6:].partition(":")[0]: line for line in lines}


def test_no_beat_for_five_minutes_is_an_alarm(client, db, capsys):
    tick(timedelta(minutes=5))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "start beat" in answer.json()["checks"]["beat"]["detail"]
    assert re.match(r"FAIL  beat: silent for 3\d\d s", doctor(capsys)["beat"])


def test_control_a_beat_that_ticks_is_none(client, db, capsys):
    tick(timedelta(seconds=20))
    assert client.get("/readyz").status_code == 200
    assert doctor(capsys)["beat"].startswith("ok ")
