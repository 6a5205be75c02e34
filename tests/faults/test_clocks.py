"""Clocks that are set back, days of 23 and 25 hours, a store in UTC+14 (RELIABILITY G9, G12, G18)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from config.beat import SelfReliant
from config.celery import app
from customers.models import Customer
from outreach import accounts, aftermath, handover
from outreach.channels import Uncertain
from outreach.kinds import Kind
from outreach.models import Message
from referrals import days
from referrals.services import journeying, yearly
from stores import ticks
from stores.models import Tick
from tests.conftest import NOW
from tests.faults.probe.beats import OurJobs
from tests.outreach.claiming import claim, due, person
from tests.referrals.journey_world import messages, switch

pytestmark = pytest.mark.django_db
SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
EACH = 5  # seconds: how often messages are sent


@pytest.fixture
def store(make_store):
    """A store in the test's transaction: nothing here runs elsewhere."""
    return make_store()


# -- Set back by an hour: the slots of that hour come twice, and beat's last runs lie ahead --


@pytest.fixture
def hour_of_ticks(db):
    """Messages were sent for an hour, until now."""
    first = int((NOW - HOUR).timestamp()) // EACH
    slots = range(first, first + 3600 // EACH + 1)
    Tick.objects.bulk_create(
        [Tick(job="send_due", slot=slot, at=datetime.fromtimestamp(slot * EACH, UTC)) for slot in slots]
    )


def silence_after(at, *, patience) -> timedelta | None:
    """How long until the job runs again; each of two beats asks."""
    for seconds in range(0, patience, EACH):
        if sum(ticks.take_slot("send_due", seconds=EACH, at=at + seconds * SECOND) for _ in range(2)):
            return seconds * SECOND
    return None


def test_after_an_hour_back_work_rests_for_a_minute(hour_of_ticks):
    back = NOW - HOUR
    silence = silence_after(back, patience=600)
    assert silence is not None
    assert silence <= ticks.SKEW + EACH * SECOND
    going_on = [back + silence + step * EACH * SECOND for step in range(1, 30)]
    ran = [sum(ticks.take_slot("send_due", seconds=EACH, at=at) for _ in range(2)) for at in going_on]
    assert ran == [1] * len(going_on)


def test_control_without_forgetting_it_rests_on(hour_of_ticks, monkeypatch):
    monkeypatch.setattr(ticks, "SKEW", DAY)
    assert silence_after(NOW - HOUR, patience=600) is None


def test_two_machines_whose_clocks_differ_run_a_job_once(db):
    """What lies a little ahead is the other's, and stays."""
    ran = Counter()
    for step in range(60):
        for skew in (0, 20):
            at = NOW + (step * EACH + skew) * SECOND
            ran[at] += ticks.take_slot("send_due", seconds=EACH, at=at)
    slots = Counter(int(at.timestamp()) // EACH for at, number in ran.items() for _ in range(number))
    assert set(slots.values()) == {1}
    assert len(slots) == 60 + 20 // EACH


def test_readyz_says_so_until_it_is_over(client, hour_of_ticks):
    Tick.objects.update(at=NOW + 3650 * DAY)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "was a clock set back?" in answer.json()["checks"]["beat"]["detail"]
    moment = datetime.now(UTC)
    Tick.objects.create(job="send_due", slot=int(moment.timestamp()) // EACH, at=moment)
    assert not ticks.take_slot("send_due", seconds=EACH, at=moment)  # its beat asks again
    assert client.get("/readyz").status_code == 200


@pytest.fixture
def play_beat(tmp_path, monkeypatch):
    """`play_beat(minutes, back=HOUR)`: what beat sends in so many minutes, after its clock was set back."""

    def play(kind, *, back: timedelta, minutes: int) -> Counter[str]:
        clock = [NOW]
        monkeypatch.setattr(app, "now", lambda: clock[0])
        beat = kind(app=app, schedule_filename=str(tmp_path / "schedule"))
        sent: Counter[str] = Counter()
        monkeypatch.setattr(beat, "apply_entry", lambda entry, producer=None: sent.update([entry.task]))
        monkeypatch.setattr(type(beat), "producer", None)

        def pass_time(end: datetime) -> None:
            while clock[0] < end:
                clock[0] += max(beat.tick(), 0.01) * SECOND

        pass_time(NOW + 2 * MINUTE)
        clock[0] -= back
        sent.clear()
        pass_time(clock[0] + minutes * MINUTE)
        beat.close()
        return sent

    return play


def test_a_beat_whose_clock_is_set_back_goes_on(play_beat):
    sent = play_beat(SelfReliant, back=HOUR, minutes=3)
    often = {name: task.every for name, task in app.tasks.items() if getattr(task, "every", 999) <= 60}
    assert len(often) > 10
    for name, every in often.items():
        assert abs(sent[name] - 180 / every) <= 1.5, name


def test_control_celerys_own_falls_silent(play_beat):
    assert play_beat(OurJobs, back=HOUR, minutes=3).total() == 0


# -- Letters, whatever the clock does --


STEPS = st.lists(
    st.tuples(
        st.sampled_from([-HOUR, -MINUTE, SECOND, MINUTE, 61 * MINUTE]),
        st.sampled_from(["send", "die before", "die after", "break off", "sweep"]),
    ),
    min_size=1,
    max_size=12,
)


class Line:
    """Counts what it takes; breaks off when told."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.breaks = False

    def deliver(self, letter) -> str:
        self.taken[letter.reference] += 1
        if self.breaks:
            raise Uncertain("no answer")
        return "id"


class Died(BaseException):
    """kill -9."""


def play_letters(store, steps, monkeypatch, settle) -> tuple[Line, list[str]]:
    """Two letters, and a clock that goes any way; then a day in peace."""
    line, now = Line(), NOW
    with monkeypatch.context() as patched:
        patched.setattr(accounts, "transport_for", lambda *_: line.deliver)
        letters = [due(person(store), Kind.REWARD, NOW) for _ in range(2)]
        for step, happens in [*steps, (DAY, "sweep"), (MINUTE, "send"), (MINUTE, "send")]:
            now += step
            line.breaks = happens == "break off"
            if happens == "sweep":
                settle(store, now)
            else:
                _one_turn(store, now, happens, patched)
    return line, [Message.objects.get(pk=letter.pk).status for letter in letters]


def _one_turn(store, now, happens, patched) -> None:
    turn = handover.Turn(store)
    for message in claim(store, now, token=turn.token):
        with patched.context() as dying:
            if happens == "die before":
                dying.setattr(handover, "_begin", _die)
            if happens == "die after":
                dying.setattr(handover, "_mark_all", _die)
            try:
                handover.send(turn, message, now)
            except Died:
                return


def _die(*_args) -> None:
    raise Died


@given(steps=STEPS)
@hypothesis_settings(max_examples=40, database=None, suppress_health_check=list(HealthCheck))
def test_no_letter_goes_twice_and_none_is_lost(store, steps):
    with pytest.MonkeyPatch.context() as monkeypatch:
        line, statuses = play_letters(store, steps, monkeypatch, aftermath.settle_expired_leases)
    assert set(statuses) <= {"sent", "unknown"}
    assert set(line.taken.values()) <= {1}
    assert statuses.count("sent") <= len(line.taken)


def test_control_who_gives_back_what_was_begun_sends_it_twice(store, monkeypatch):
    def give_back(store, now) -> None:
        left = Message.objects.for_store(store).filter(status="sending", lease_until__lt=now)
        left.update(status="pending", started_at=None, lease_token=None, lease_until=None)

    line, _ = play_letters(store, [(SECOND, "die after")], monkeypatch, give_back)
    assert max(line.taken.values()) == 2


# -- Days of 23, 24 and 25 hours, and those that begin first and last on earth --


@pytest.mark.parametrize(
    ("zone", "on", "hours"),
    [
        ("Pacific/Kiritimati", datetime(2026, 11, 25).date(), 24),  # UTC+14
        ("Pacific/Pago_Pago", datetime(2026, 11, 25).date(), 24),  # UTC-11
        ("Europe/Berlin", datetime(2027, 3, 28).date(), 23),
        ("Europe/Berlin", datetime(2026, 10, 25).date(), 25),
        ("Africa/Cairo", datetime(2027, 4, 30).date(), 23),  # its first hour is missing
        ("America/New_York", datetime(2026, 11, 1).date(), 25),
        ("Australia/Lord_Howe", datetime(2027, 4, 4).date(), 24.5),
    ],
)
def test_a_birthday_is_one_morning_of_that_day(store, make_customer, zone, on, hours):
    """A sweep each hour from the evening before until the morning after, by a clock that goes back all the time."""
    there = ZoneInfo(zone)
    begins, ends = days.starts_at(on, there), days.starts_at(on + DAY, there)
    assert (ends - begins) / HOUR == hours
    switch(store, Kind.BIRTHDAY, since=begins - 30 * DAY)
    customer = make_customer(at=begins - 100 * DAY)
    Customer.objects.filter(pk=customer.pk).update(birth_month=on.month, birth_day=on.day, time_zone=zone)
    moment = begins - 3 * HOUR
    while moment < ends + 3 * HOUR:
        for at in (moment, moment - HOUR):
            journeying.start(store, yearly.SWEEPS, at - 2 * HOUR, at)
        moment += HOUR
    (greeting,) = messages(store, Kind.BIRTHDAY)
    shown = greeting.due_at.astimezone(there)
    assert (shown.date(), shown.hour, shown.minute) == (on, 9, 0)
    assert greeting.not_after == ends
