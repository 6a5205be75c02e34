from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from insights import operation_views
from stores import health, runs
from stores.models import Tick


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch):
    monkeypatch.setattr(operation_views, "_kept", None)


def checks(client):
    answer = client.get("/readyz")
    return answer.status_code, answer.json()["checks"]


def tick(ago):
    """Beat ticked, and a worker did the job."""
    at = timezone.now() - ago
    Tick.objects.create(job="test", slot=1, at=at)
    runs.note("test", every=30, seconds=1, at=at)


def test_alive_is_always_yes(client):
    """Without the database: a lost one must not restart every web process."""
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")


def test_a_fresh_installation_is_ready(client, db):
    status, found = checks(client)
    assert status == 200
    of_server = {"workers", "held", "jobs", "queue", "unknown", "inbox", "books", "disk"}
    assert set(found) == {"database", "migrations", "redis", "beat"} | of_server
    assert "goodword_app" in found["database"]["detail"]
    assert "no tick yet" in found["beat"]["detail"]


def test_it_is_ready_while_beat_ticks(client, db):
    tick(timedelta(seconds=30))
    assert checks(client)[0] == 200


def test_a_silent_beat_is_told(client, db):
    tick(timedelta(seconds=130))
    status, found = checks(client)
    assert status == 503
    assert [name for name, check in found.items() if not check["ok"]] == ["beat", "workers"]


def test_silent_workers_are_told_from_a_silent_beat(client, db):
    tick(timedelta(seconds=130))
    runs.note(runs.BEAT, every=runs.BEAT_EVERY, seconds=0, at=timezone.now())
    status, found = checks(client)
    assert status == 503
    assert [name for name, check in found.items() if not check["ok"]] == ["workers"]
    assert "start a worker" in found["workers"]["detail"]


def test_missing_migrations_are_told(client, db, monkeypatch):
    monkeypatch.setattr(health, "_known_migrations", lambda: frozenset({("stores", "9999_later")}))
    status, found = checks(client)
    assert status == 503
    assert "migrate" in found["migrations"]["detail"]


def test_a_lost_redis_is_told_without_its_address(client, db, monkeypatch):
    def lost(*_args, **_kwargs):
        raise ConnectionError("redis://:secret@127.0.0.1")

    monkeypatch.setattr(cache, "set", lost)
    status, found = checks(client)
    assert status == 503
    assert "secret" not in str(found)


def test_a_lost_database_is_told(client, db, monkeypatch):
    def lost(*_args, **_kwargs):
        raise OSError("no route to 10.0.0.1")

    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", lost)
        status, found = checks(client)
    assert status == 503
    assert not found["database"]["ok"]


@pytest.mark.parametrize("url", ["/healthz", "/readyz"])
def test_they_take_no_posts(client, db, url):
    assert client.post(url).status_code == 405
