"""Tasks for people: the list, the three endings, the undo, the print, the counter."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from outreach import staff_tasks
from outreach.kinds import Kind, Way
from outreach.models import Message, MessageEvent, Task, TaskEvent
from stores.lists import keyset_page
from stores.tenancy import acting_for
from tests.planned import plan_message

pytestmark = pytest.mark.django_db
WORDS = "Hello Bea, how do you like the mug?"


@pytest.fixture
def make_task(store, make_customer):
    """Makes an open task of a way, for a customer of its own."""

    def make(way=Way.CALL, *, number=0, customer=None, words=WORDS):
        at = timezone.now() - timedelta(hours=1)
        with acting_for(store):
            customer = customer or make_customer(f"Bea {number}", f"task{number}@example.com")
            message = plan_message(customer, Kind.ASK, key=f"t:{way}:{number}", due_at=at, context={}, at=at)
            Message.objects.filter(pk=message.pk).update(status=Message.Status.TASK, channel=way)
            return Task.objects.create(store=store, message=message, customer=customer, way=way, words=words, due_at=at)

    return make


def url(name, store, *args):
    return reverse(f"outreach:{name}", args=[store.slug, *args])


def message_of(store, task):
    with acting_for(store):
        return Message.objects.get(pk=task.message_id)


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [("done", "sent", "done_by_staff"), ("not_reached", "skipped", "not_reached"), ("declined", "skipped", "declined")],
)
def test_an_ending_moves_task_and_message_and_can_be_undone(store, manager, make_task, outcome, status, reason):
    task = make_task()
    answer = manager.post(
        url("end_task", store, task.public_id), {"outcome": outcome, "note": "called twice"}, follow=True
    )
    assert "Bea 0" in answer.content.decode()
    message = message_of(store, task)
    assert (message.status, message.reason, message.sent_at is not None) == (status, reason, status == "sent")
    manager.post(url("reopen_task", store, task.public_id))
    message = message_of(store, task)
    assert (message.status, message.reason, message.sent_at) == ("task", "", None)
    with acting_for(store):
        steps = list(TaskEvent.objects.filter(task=task).order_by("pk").values_list("status", "note", "by__email"))
        assert [step[:2] for step in steps] == [(outcome, "called twice"), ("open", "")]
        assert all(by for *_rest, by in steps)
        assert MessageEvent.objects.filter(message=message).count() == 2


def test_the_second_ending_changes_nothing(store, make_task):
    task = make_task()
    with acting_for(store):
        at = timezone.now()
        assert staff_tasks.end(task, Task.Status.DONE, at=at, by=None)
        twin = Task.objects.get(pk=task.pk)
        assert not staff_tasks.end(twin, Task.Status.DECLINED, at=at, by=None)
        assert Task.objects.get(pk=task.pk).status == Task.Status.DONE
        assert TaskEvent.objects.filter(task=task).count() == 1


def test_an_unknown_outcome_is_explained_and_changes_nothing(store, manager, make_task):
    task = make_task()
    answer = manager.post(url("end_task", store, task.public_id), {"outcome": "maybe"}, follow=True)
    assert "Choose whether it is done" in answer.content.decode()
    assert message_of(store, task).status == "task"


def test_the_list_shows_words_phone_and_counts_and_the_empty_page_says_what_comes(store, manager, make_task):
    assert "Nothing to do by hand" in manager.get(url("tasks", store)).content.decode()
    make_task(Way.CALL, number=1)
    make_task(Way.NOTE, number=2)
    page = manager.get(url("tasks", store), {"show": "note"}).content.decode()
    assert "Bea 2" in page
    assert WORDS in page
    assert "Bea 1" not in page
    assert WORDS in manager.get(url("notes", store)).content.decode()
    csv = manager.get(url("tasks", store), {"format": "csv"}).content.decode()
    assert "Bea 1" in csv
    assert "Bea 2" in csv


def test_the_list_costs_the_same_with_more_tasks(store, manager, make_task, django_assert_max_num_queries):
    for number in range(12):
        make_task(Way.CALL, number=number)
    manager.get(url("tasks", store))
    with django_assert_max_num_queries(12):
        manager.get(url("tasks", store))


def test_pages_turn_from_old_to_new(store, make_task):
    for number in range(5):
        make_task(Way.CALL, number=number)
    names, cursor = [], ""
    with acting_for(store):
        for _page in range(3):
            page = keyset_page(staff_tasks.open_tasks(store), "due_at", cursor, size=2, oldest_first=True)
            names, cursor = names + [task.customer.name for task in page.rows], page.next
    assert (names, cursor) == ([f"Bea {number}" for number in range(5)], "")


@pytest.mark.parametrize("name", ["end_task", "reopen_task"])
def test_who_may(store, staff, stranger, make_task, name):
    task = make_task()
    where = url(name, store, task.public_id)
    assert staff.post(where, {"outcome": "done"}).status_code == 403
    assert stranger.post(where, {"outcome": "done"}).status_code == 404
    assert message_of(store, task).status == "task"


def test_a_task_of_another_store_is_not_there(other_store, store, owner, make_task):
    task = make_task()
    assert owner.post(url("end_task", other_store, task.public_id), {"outcome": "done"}).status_code == 404


def test_the_counter_asks_in_person_and_undoes(store, staff, make_task):
    task, call = make_task(Way.VISIT), make_task(Way.CALL, number=1)
    asks = reverse("checkout:asks", args=[store.slug])
    page = staff.get(asks).content.decode()
    assert WORDS in page
    assert "Bea 1" not in page
    answer = staff.post(reverse("checkout:asked", args=[store.slug, task.public_id]), {"outcome": "done"}, follow=True)
    assert "Undo" in answer.content.decode()
    assert message_of(store, task).status == "sent"
    staff.post(reverse("checkout:unasked", args=[store.slug, task.public_id]))
    assert message_of(store, task).status == "task"
    assert staff.post(reverse("checkout:asked", args=[store.slug, call.public_id])).status_code == 404
