"""What lies with the staff is taken back when it must not be said any more; holds stop every question."""

from datetime import timedelta

import pytest

from outreach import bulk, services, staff_tasks
from outreach.kinds import Kind, Way
from outreach.models import Message, MessageEvent, Task
from tests.conftest import NOW
from tests.outreach.claiming import claim, due, journey, person

pytestmark = pytest.mark.django_db
PHONE = "+639171234567"


@pytest.fixture
def laid_out(store):
    """A message of a kind that the claim has laid on somebody's list."""

    def lay(way=Way.CALL, kind=Kind.ASK, **facts):
        journey(store, kind, ways=[way])
        customer = person(store, phone=PHONE, phone_norm=PHONE, postal_address="1 Road")
        message = due(customer, kind, NOW, **facts)
        claim(store, NOW)
        message.refresh_from_db()
        assert message.status == Message.Status.TASK
        return message

    return lay


def on_the_list(store):
    return [task.message_id for task in staff_tasks.open_tasks(store)]


@pytest.mark.parametrize("way", [Way.CALL, Way.NOTE, Way.VISIT])
def test_a_hold_takes_asks_off_every_list(store, laid_out, way):
    message = laid_out(way)
    assert on_the_list(store) == [message.pk]
    services.hold(message.customer, key="case:1", reason="open_case", at=NOW)
    message.refresh_from_db()
    assert (message.status, message.reason) == (Message.Status.SKIPPED, "open_case")
    assert on_the_list(store) == []
    assert staff_tasks.to_ask(store, message.customer, NOW) == []


@pytest.mark.parametrize(("way", "stays"), [(Way.CALL, False), (Way.NOTE, False), (Way.VISIT, True)])
def test_who_asks_for_silence_is_not_called(store, laid_out, way, stays):
    message = laid_out(way)
    services.unsubscribe(store, message.customer, source="page", at=NOW)
    assert on_the_list(store) == ([message.pk] if stays else [])


def test_what_concerns_their_own_order_may_still_be_said(store, laid_out):
    message = laid_out(Way.CALL, Kind.SORRY)
    services.unsubscribe(store, message.customer, source="page", at=NOW)
    assert on_the_list(store) == [message.pk]


def test_an_answered_question_is_not_asked_by_phone(store, laid_out):
    laid_out(Way.CALL, Kind.SURVEY_REMINDER, about="invitation:7")
    assert services.cancel_all_about(store, ["invitation:7"], reason="answered", at=NOW) == 1
    assert on_the_list(store) == []


def test_a_stopped_campaign_leaves_no_calls(store, laid_out):
    laid_out(Way.CALL, Kind.SURVEY_REMINDER, about="send:x")
    assert bulk.cancel_all(store, "send:x", reason="taken_back", at=NOW) == 1
    assert on_the_list(store) == []


def test_a_task_taken_back_can_be_ended_by_nobody(store, laid_out):
    message = laid_out()
    task = Task.objects.for_store(store).get(message=message)
    services.hold(message.customer, key="case:1", reason="open_case", at=NOW)
    before = MessageEvent.objects.for_store(store).filter(message=message).count()
    assert not staff_tasks.end(task, Task.Status.DONE, at=NOW, by=None)
    message.refresh_from_db()
    assert message.status == Message.Status.SKIPPED
    assert MessageEvent.objects.for_store(store).filter(message=message).count() == before
    assert Task.objects.for_store(store).get(pk=task.pk).status == Task.Status.OPEN


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind.obeys_holds])
def test_a_hold_stops_every_question_that_waits(store, kind):
    message = due(person(store), kind, NOW + timedelta(days=2))
    services.hold(message.customer, key="case:1", reason="open_case", at=NOW)
    message.refresh_from_db()
    assert message.status == Message.Status.SKIPPED


def test_what_holds_stop():
    asks = {Kind.SURVEY, Kind.SURVEY_REMINDER, Kind.PERIODIC, Kind.FOLLOW_UP, Kind.TESTIMONIAL}
    assert {kind for kind in Kind if kind.obeys_holds} == asks | {kind for kind in Kind if kind.is_marketing}
