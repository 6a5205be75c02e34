"""After a restore nothing goes out until somebody decides what becomes of the messages that wait."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from outreach import restoring, tasks
from outreach.models import Message, MessageEvent, OutboxItem
from stores import holding
from stores.models import Installation, Tick
from tests.conftest import NOW
from tests.planned import plan_message


@pytest.fixture
def due(make_customer):
    """Two messages that are due, and one that is not yet."""
    links = {"survey": "http://testserver/s/x", "unsubscribe": "http://testserver/u/x"}
    common = {"context": {"product": "Mug", "links": links}, "at": NOW}
    one, two, later = (make_customer() for _ in range(3))
    plan_message(later, "survey", key="later", due_at=NOW.replace(year=2099), **common)
    return [plan_message(person, "survey", key=f"due:{person.pk}", due_at=NOW, **common) for person in (one, two)]


@pytest.fixture
def restored(due):
    holding.held_since(NOW)
    Installation.objects.update(place="elsewhere")
    holding.held_since(NOW)


def send() -> int:
    """Beat's job, in a slot of its own."""
    Tick.objects.filter(job="send_due").delete()
    return tasks.send_due()


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("release", *arguments, stdout=out)
    return out.getvalue()


def statuses(store) -> list[str]:
    return sorted(Message.objects.for_store(store).values_list("status", flat=True))


def test_control_what_is_due_goes_out(due, store):
    assert send() == 2
    assert OutboxItem.objects.for_store(store).count() == 2


def test_held_nothing_goes_out(restored, store):
    assert send() == 0
    assert statuses(store) == ["pending"] * 3
    assert not OutboxItem.objects.for_store(store).exists()


def test_it_only_says_what_waits(restored, store):
    assert "rosewater: 2 messages are due" in said()
    assert holding.held_since() is not None
    assert statuses(store) == ["pending"] * 3


def test_send_them(restored, store):
    said("--send", "--at-once")
    assert send() == 2
    assert statuses(store) == ["pending", "sent", "sent"]


def test_skip_them(restored, store, due, monkeypatch):
    monkeypatch.setattr(restoring, "AT_ONCE", 1)  # piece by piece
    assert "2 messages are not sent" in said("--skip", "--at-once")
    assert send() == 0
    assert statuses(store) == ["pending", "skipped", "skipped"]
    assert set(Message.objects.for_store(store).filter(status="skipped").values_list("reason", flat=True)) == {
        "restored"
    }
    assert MessageEvent.objects.filter(message__in=due, status="skipped", reason="restored").count() == 2


def test_not_before_the_sweeps_had_their_time(restored, store):
    Installation.objects.update(held_since=holding.held_since().replace(year=2098))
    with pytest.raises(CommandError, match="ten minutes"):
        said("--send")
    assert send() == 0


def test_nothing_is_held(due):
    assert "Nothing is held" in said("--skip")
    assert send() == 2


def test_no_text_answers_a_stop(restored, store, monkeypatch):
    asked = []
    monkeypatch.setattr(tasks.replies, "confirm", lambda *ids: asked.append(ids))
    tasks.confirm_stop(store.pk, 1)
    assert not asked
    holding.release(NOW)
    tasks.confirm_stop(store.pk, 1)
    assert asked == [(store.pk, 1)]
