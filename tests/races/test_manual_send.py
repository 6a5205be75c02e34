"""One press, many hands: a run is one run, and everybody gets one message, whoever dies in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from threading import Barrier

import pytest
from django.db import connections

from customers.models import Customer
from outreach.kinds import Kind, Trigger
from outreach.models import Journey, Message
from referrals.services import campaigns
from stores import jobs
from stores.models import Job
from stores.tenancy import acting_for
from tests.conftest import NOW

PEOPLE = 24


@pytest.fixture
def journey(committed_store, in_store):
    def make():
        Customer.objects.bulk_create(
            Customer(
                store=committed_store,
                name=f"P{number}",
                email=f"p{number}@example.com",
                email_norm=f"p{number}@example.com",
                email_consent=True,
            )
            for number in range(PEOPLE)
        )
        return Journey.objects.create(
            store=committed_store, kind=Kind.OWN, trigger=Trigger.MANUAL, name="Spring", is_on=True, ways=["email"]
        )

    return in_store(make)


@pytest.fixture
def press(committed_store, journey):
    """`press("page-1")`: the button on that page; the run's id."""

    def run(key):
        with acting_for(committed_store):
            return campaigns.send(committed_store, journey, None, key=key, by=None, at=NOW)[0].pk

    return run


@pytest.fixture
def sent(committed_store, in_store):
    """How many messages there are, and for how many people."""

    def look():
        rows = Message.objects.for_store(committed_store).filter(kind=Kind.OWN)
        return rows.count(), rows.values("customer").distinct().count()

    return lambda: in_store(look)


@pytest.mark.parametrize("keys", [["same"], ["one page", "another page"]])
def test_twelve_presses_at_once_are_one_run(at_once, press, committed_store, in_store, keys):
    found = at_once(12, lambda number: press(keys[number % len(keys)]))
    assert len(set(found)) == 1, found
    assert in_store(lambda: Job.objects.for_store(committed_store).count()) == 1


def test_without_the_guards_they_would_be_several(at_once, press, committed_store, in_store, monkeypatch):
    """The control: no look at what is there, and a key and a subject of its own for each press."""
    begin = jobs.begin

    def unguarded(store, **facts):
        return begin(store, **{**facts, "key": os.urandom(4).hex(), "subject": ""})

    monkeypatch.setattr(jobs, "begin", unguarded)
    at_once(4, lambda _number: press("same"))
    assert in_store(lambda: Job.objects.for_store(committed_store).count()) == 4


def test_four_workers_take_turns(at_once, press, committed_store, sent, monkeypatch):
    monkeypatch.setattr(campaigns, "PIECE", 3)
    job = press("k")
    states = at_once(4, lambda _number: campaigns.work(committed_store, job).state)
    assert states == ["done"] * 4
    assert sent() == (PEOPLE, PEOPLE)


def test_without_the_lock_they_would_run_into_each_other(at_once, press, committed_store, monkeypatch):
    """The control: workers that read how far it is without waiting all take the same people."""
    monkeypatch.setattr(campaigns, "PIECE", 3)
    job, gate = press("k"), Barrier(4)

    def careless(_number):
        with acting_for(committed_store):
            row = Job.objects.for_store(committed_store).get(pk=job)
            taken = campaigns._Run(committed_store)._next(row)
            gate.wait(timeout=30)
            return tuple(taken)

    assert len(set(at_once(4, careless))) == 1


def test_a_piece_is_whole_or_not_there(press, committed_store, sent, monkeypatch, in_store):
    """It dies after the messages of the third piece are written and before they are committed."""
    monkeypatch.setattr(campaigns, "PIECE", 5)
    job, plan, calls = press("k"), campaigns.start_all, []

    def dies(*args, **kwargs):
        calls.append(plan(*args, **kwargs))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return calls[-1]

    monkeypatch.setattr(campaigns, "start_all", dies)
    with pytest.raises(KeyboardInterrupt):
        campaigns.work(committed_store, job)
    assert sent() == (10, 10)
    monkeypatch.setattr(campaigns, "start_all", plan)
    done = campaigns.work(committed_store, job)
    assert (done.state, done.done, sent()) == ("done", PEOPLE, (PEOPLE, PEOPLE))


WORKER = """
import os, sys, time
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
import django
django.setup()
from referrals.services import campaigns
from stores.models import Store
from stores.tenancy import acting_for
store_id, job = int(sys.argv[1]), int(sys.argv[2])
campaigns.PIECE = 2
plan = campaigns.start_all
def slow(*args, **kwargs):
    done = plan(*args, **kwargs)
    time.sleep(0.2)
    return done
campaigns.start_all = slow
with acting_for(store_id):
    store = Store.objects.get(pk=store_id)
print("at work", flush=True)
campaigns.work(store, job)
"""


def test_workers_killed_by_kill_9(press, committed_store, sent, in_store):
    """Each is killed somewhere in a piece; together they do it all, once."""
    job, kills = press("k"), 0
    while in_store(lambda: Job.objects.for_store(committed_store).get(pk=job).state) == Job.State.RUNNING:
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(committed_store.pk), str(job)],
            env=_environment(),
            stdout=subprocess.PIPE,
        )
        assert worker.stdout.readline() == b"at work\n"
        if kills < 3:
            time.sleep(0.7)
            worker.send_signal(signal.SIGKILL)
            kills += 1
        worker.wait(timeout=60)
    assert kills == 3
    assert sent() == (PEOPLE, PEOPLE)
    row = in_store(lambda: Job.objects.for_store(committed_store).get(pk=job))
    assert (row.done, row.data["after"] > 0) == (PEOPLE, True)


def _environment():
    """This process's, with the tests' own database."""
    place = connections["default"].settings_dict
    url = f"postgres://{place['USER']}:{place['PASSWORD']}@{place['HOST']}:{place['PORT']}/{place['NAME']}"
    return {**os.environ, "DATABASE_URL": url}
