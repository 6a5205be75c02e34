from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from insights import letters
from insights.letters import Show
from outreach.models import Kind, Message
from surveys.models import Invitation
from surveys.services import inviting
from tests.planned import note_skipped, plan_message


@pytest.fixture
def url(store):
    return reverse("insights:messages", args=[store.slug])


def plan(customer, key, due_at):
    return plan_message(customer, Kind.REWARD, key=key, due_at=due_at, context={"gift": "10% off"}, at=timezone.now())


def test_what_goes_out_next_holds_messages_and_planned_questions(manager, url, store, play):
    now = timezone.now()
    order = play.buy("Nina Cruz", now, delivered_at=now)
    inviting.plan_invitations(store, now, since=now - timedelta(days=1))
    plan(order.customer, "reward:x", now)
    page = manager.get(url).content.decode()
    assert "Your reward is ready" in page
    assert "How was it?" in page
    assert page.index("Your reward is ready") < page.index("How was it?")


def test_what_did_not_go_out_says_why(manager, url, store, play):
    customer = play(friends=0)
    note_skipped(customer, Kind.ASK, key="ask:x", reason="open_case", at=timezone.now())
    Invitation.objects.for_store(store).update(status=Invitation.Status.SKIPPED, reason="too_old", message=None)
    page = manager.get(url, {"show": "not"}).content.decode()
    assert "They are unhappy and wait for help." in page
    assert "too long ago to ask about" in page


def test_unknown_ones_have_two_buttons(manager, url, store, play):
    play(friends=0)
    Message.objects.for_store(store).update(status=Message.Status.UNKNOWN, reason="worker_died")
    page = manager.get(url, {"show": "unknown"}).content.decode()
    assert "It arrived" in page
    assert "Send it again" in page


def test_the_tabs_count(store, play, manager, url):
    play(friends=0)
    Message.objects.for_store(store).update(status=Message.Status.SENT)
    counts = {tab.show: tab.count for tab in letters.tabs(store, timezone.now())}
    assert counts == {Show.NEXT: 0, Show.SENT: 1, Show.NOT: 0, Show.UNKNOWN: 0}


def test_pages_of_one_moment_lose_nobody(store, make_customer):
    """Replayed sweeps give many rows of both tables the same time."""
    now, customer = timezone.now(), make_customer()
    for number in range(7):
        note_skipped(customer, Kind.ASK, key=f"ask:{number}", reason="cooldown", at=now)
    for number in range(6):
        order = customer.orders.get() if not number else _twin(store, customer)
        Invitation.objects.create(
            store=store, order=order, customer=customer, status=Invitation.Status.SKIPPED, due_at=now, reason="cooldown"
        )
    seen, cursor = [], ""
    while True:
        page = letters.page(store, Show.NOT, cursor, size=4)
        seen += [(line.message is None, line.at) for line in page.rows]
        cursor = page.next
        if not cursor:
            break
    assert len(seen) == 13
    assert sum(planned for planned, _at in seen) == 6


def _twin(store, customer):
    from customers.services import Person
    from tests.conftest import make_order_of

    return make_order_of(store, Person(customer.name, customer.email), at=timezone.now())


def test_a_cursor_nobody_made_is_the_first_page(manager, url, play):
    for after in ("x", "a~b~c", "2026-01-01~1~1", "2026-01-01T00:00:00+00:00~1~99999999999999999999"):
        assert manager.get(url, {"after": after}).status_code == 200


def test_the_file_holds_what_is_shown(manager, url, play):
    play(friends=0)
    content = manager.get(url, {"show": "next", "format": "csv"}).content.decode("utf-8-sig")
    assert "Sara Ahmadi,How was it?,Mug," in content


def test_queries_do_not_grow_with_rows(manager, url, play, django_assert_max_num_queries):
    for _ in range(4):
        play(friends=2)
    for show in Show:
        with django_assert_max_num_queries(13):
            manager.get(url, {"show": show.value})


def test_it_refuses_a_post(manager, url):
    assert manager.post(url).status_code == 405


def test_it_is_hidden_from_strangers_and_refused_to_staff(stranger, staff, client, url):
    assert stranger.get(url).status_code == 404
    assert staff.get(url).status_code == 403
    assert client.get(url).status_code == 302
