"""No more than so many messages to one person in any seven days, over all kinds; what is held back goes out later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outreach import dispatch, judging, rules
from outreach.models import Kind, Message
from outreach.queries import held_by_cap
from outreach.services import cancel_pending
from stores.tenancy import acting_for
from tests.outreach.claiming import caller, claim, due, journey, judged, person

WEEK, DAY = timedelta(days=7), timedelta(days=1)
START = datetime(2026, 3, 2, 4, tzinfo=UTC)  # noon in Manila


# -- The rule --


def test_there_is_room_until_the_cap_is_reached(now):
    assert rules.free_at([], 1, now) == now
    assert rules.free_at([now - DAY, now - 2 * DAY], 3, now) == now


def test_room_comes_when_the_oldest_is_seven_days_old(now):
    had = [now - 6 * DAY, now - DAY, now]
    assert rules.free_at(had, 3, now) == now + DAY
    assert rules.free_at(had, 2, now) == now + 6 * DAY
    assert rules.free_at(had, 3, now + DAY) == now + DAY


def test_more_than_the_cap_stands_after_the_owner_lowered_it(now):
    assert rules.free_at([now - 3 * DAY, now - 2 * DAY, now - DAY], 1, now) == now + 6 * DAY


# -- In the claim --


def test_the_fourth_of_a_week_waits_for_the_first_to_be_a_week_old(store, now):
    sara = person(store)
    for days in (6, 5, 1):
        due(sara, Kind.REWARD, now - days * DAY, status="sent", sent_at=now - days * DAY)
    message = due(sara, Kind.ASK, now)
    assert judged(message, store, now) == ("pending", "", "cap")
    assert message.due_at == now + DAY
    assert judged(message, store, now + DAY) == ("sending", "email", "")


@pytest.mark.parametrize("status", ["sent", "sending", "unknown", "task"])
def test_what_they_had_or_may_have_had_counts(store, now, status):
    store.weekly_cap = 1
    sara = person(store)
    moments = {"sent_at": now - DAY} if status == "sent" else {"started_at": now - DAY}
    due(sara, Kind.REWARD, now - DAY, status=status, **moments)
    message = due(sara, Kind.ASK, now)
    assert judged(message, store, now) == ("pending", "", "cap")
    assert message.due_at == now + 6 * DAY


def test_one_that_is_about_to_be_handed_over_counts(store, now):
    store.weekly_cap = 1
    sara = person(store)
    due(sara, Kind.REWARD, now, status="sending", lease_until=now + dispatch.LEASE)
    assert judged(due(sara, Kind.ASK, now), store, now) == ("pending", "", "cap")


@pytest.mark.parametrize("status", ["skipped", "failed", "pending"])
def test_what_they_never_had_does_not_count(store, now, status):
    store.weekly_cap = 1
    sara = person(store)
    due(sara, Kind.REWARD, now + DAY, status=status, sent_at=None)
    assert judged(due(sara, Kind.ASK, now), store, now) == ("sending", "email", "")


def test_what_answers_their_own_act_neither_counts_nor_waits(store, now):
    store.weekly_cap = 1
    sara = person(store)
    due(sara, Kind.GIFT, now - DAY, status="sent", sent_at=now - DAY)
    first = due(sara, Kind.ASK, now)
    gifts = [due(sara, Kind.GIFT, now) for _ in range(3)]
    assert {message.pk for message in claim(store, now)} == {first.pk, *(gift.pk for gift in gifts)}


def test_the_cap_counts_what_is_in_the_same_batch(store, now):
    sara, bea = person(store), person(store)
    messages = [due(sara, Kind.FRIEND_BOUGHT, now - timedelta(minutes=10 - number)) for number in range(5)]
    other = due(bea, Kind.FRIEND_BOUGHT, now)
    assert {message.pk for message in claim(store, now)} == {*(message.pk for message in messages[:3]), other.pk}
    waiting = Message.objects.filter(customer=sara, status="pending")
    assert {(message.reason, message.due_at) for message in waiting} == {("cap", now + WEEK)}


def test_news_of_what_is_theirs_counts_and_never_waits(store, now):
    sara = person(store)
    rewards = [due(sara, Kind.REWARD, now - timedelta(minutes=10 - number)) for number in range(4)]
    ask = due(sara, Kind.ASK, now)
    assert {message.pk for message in claim(store, now)} == {reward.pk for reward in rewards}
    ask.refresh_from_db()
    assert ask.reason == "cap"


def test_a_task_takes_a_place_from_when_it_was_given_to_the_staff(store, now):
    store.weekly_cap = 1
    sara, ask = caller(store), journey(store, Kind.ASK, ways=["visit"])
    first, second = due(sara, Kind.ASK, now - DAY, journey=ask), due(sara, Kind.ASK, now, journey=ask)
    assert judged(first, store, now)[0] == "task"
    assert judged(second, store, now) == ("pending", "", "cap")
    assert second.due_at == now + WEEK


def test_the_owner_sees_what_the_cap_held_back(store, now):
    sara, bea = person(store), person(store)
    for _ in range(3):
        due(sara, Kind.REWARD, now - DAY, status="sent", sent_at=now - DAY)
    waits, dropped = due(sara, Kind.ASK, now), due(sara, Kind.ASK, now, not_after=now + DAY)
    sent = due(bea, Kind.ASK, now)
    claim(store, now)
    assert list(held_by_cap(store, now - WEEK)) == [waits, dropped]
    dropped.refresh_from_db(), sent.refresh_from_db()
    assert (dropped.status, dropped.reason) == ("skipped", "cap_too_late")
    assert sent.status == "sending"
    assert list(held_by_cap(store, now + timedelta(minutes=1))) == [waits]


# -- Whatever falls due whenever --

HOURS = st.integers(0, 24 * 21)
PLANS = st.lists(st.tuples(HOURS, st.integers(0, 1), st.integers(1, 24 * 20)), min_size=1, max_size=25)


def play(store, plans, cap) -> list[Message]:
    """Messages due at these hours to one of two people, each fresh for so many hours; all that happened to them."""
    store.weekly_cap = cap
    people = [person(store), caller(store)]
    hour = timedelta(hours=1)
    planned = [
        due(people[who], Kind.FRIEND_BOUGHT, START + begin * hour, not_after=START + (begin + fresh) * hour)
        for begin, who, fresh in plans
    ]
    ours = Message.objects.filter(pk__in=[message.pk for message in planned])
    for _ in range(200):
        waiting = ours.filter(status="pending").order_by("due_at").first()
        if waiting is None:
            break
        dispatch.rehearse(store, waiting.due_at)
    return list(ours)


def most_in_a_week(messages) -> int:
    """How many the same person had in some seven days, at worst."""
    worst = 0
    for person_id in {message.customer_id for message in messages}:
        sent = sorted(one.sent_at for one in messages if one.customer_id == person_id and one.status == "sent")
        worst = max([worst, *(sum(first <= other < first + WEEK for other in sent) for first in sent)])
    return worst


@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plans=PLANS, cap=st.integers(1, 4))
def test_never_more_than_the_cap_in_any_seven_days(store, plans, cap):
    messages = play(store, plans, cap)
    assert most_in_a_week(messages) <= cap
    for message in messages:
        if message.status == "sent":
            assert message.sent_at <= message.not_after
        else:
            assert (message.status, message.reason != "") == ("skipped", True)


def test_control_without_the_cap_there_are_more(store, monkeypatch):
    monkeypatch.setattr(rules, "free_at", lambda had, cap, at: at)
    messages = play(store, [(hour, 0, 240) for hour in range(10)], 3)
    assert most_in_a_week(messages) == 10


# -- Two workers at once --


def claim_twice_at_once(store, now) -> list[int]:
    """Two workers that claim one message each at the same moment; how many each got."""
    got, ready = [], Barrier(2)

    def work() -> None:
        ready.wait()
        got.append(len(claim(store, now, limit=1)))
        connection.close()

    workers = [Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return got


def one_place_and_two_messages(store, now):
    with acting_for(store):
        store.weekly_cap = 1
        sara = person(store)
        due(sara, Kind.FRIEND_BOUGHT, now)
        due(sara, Kind.ASK, now)


@pytest.fixture
def slow_judge(monkeypatch):
    """Both workers have read what the person had before either writes."""
    real, both = judging.judge, Barrier(2)

    def judge(store, due, at):
        verdicts = real(store, due, at)
        try:
            both.wait(timeout=1)
        except Exception:
            both.reset()
        return verdicts

    monkeypatch.setattr(judging, "judge", judge)


def test_two_workers_keep_the_cap_together(committed_store, now, slow_judge):
    one_place_and_two_messages(committed_store, now)
    assert sum(claim_twice_at_once(committed_store, now)) == 1
    with acting_for(committed_store):
        assert claim(committed_store, now) == []


def test_control_two_workers_that_lock_the_message_alone_do_not(committed_store, now, slow_judge, monkeypatch):
    real = QuerySet.select_for_update
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **how: real(rows, **{**how, "of": ("self",)}))
    one_place_and_two_messages(committed_store, now)
    assert sum(claim_twice_at_once(committed_store, now)) == 2


def test_somebody_who_is_being_written_elsewhere_does_not_hold_up_the_queue(committed_store, now):
    """An import holds one person; the other's message goes, and nobody waits for anybody."""
    with acting_for(committed_store):
        sara, bea = person(committed_store), person(committed_store)
        held, free = due(sara, Kind.FRIEND_BOUGHT, now), due(bea, Kind.FRIEND_BOUGHT, now)
    got = []

    def work() -> None:
        got.extend(message.pk for message in claim(committed_store, now))
        connection.close()

    with transaction.atomic(), acting_for(committed_store):
        sara.save(update_fields=["name"])
        worker = Thread(target=work)
        worker.start()
        worker.join(10)
        assert not worker.is_alive()
        assert got == [free.pk]
        # And what they hold may be called back without a deadlock.
        assert cancel_pending(sara, kinds=[Kind.FRIEND_BOUGHT], reason="cancelled", at=now) == 1
    assert held.pk not in got
