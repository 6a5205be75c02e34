"""Asks of many people at once: on the answer page, and later of the silent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from outreach import dispatch
from outreach.models import Kind, Message, MessageEvent
from referrals.models import ShareLink
from referrals.services import asking
from surveys.models import Invitation, Response
from surveys.services import answering, inviting
from surveys.services.answering import Answer
from tests.conftest import NOW

LATER = NOW + timedelta(days=7)


@pytest.fixture
def invited(store, make_order):
    """`invited(3)`: so many people who were asked how it was."""

    def make(count: int, *, prefix: str = "bea") -> list[Invitation]:
        orders = [make_order(f"{prefix}{number}@example.com").pk for number in range(count)]
        inviting.plan_invitations(store, NOW, since=NOW - timedelta(days=30))
        inviting.invite_due(store, NOW)
        dispatch.rehearse(store, NOW)
        mine = Invitation.objects.for_store(store).filter(order__in=orders)
        return list(mine.select_related("customer", "store").order_by("pk"))

    return make


def test_the_happy_are_shown_their_link_and_the_unhappy_are_not(store, invited):
    answers = [Answer(one, score, "", NOW) for one, score in zip(invited(4), (10, 2, 7, 9), strict=True)]
    responses = answering.respond_all(store, answers)
    times = [NOW + timedelta(minutes=number) for number in range(4)]
    links = asking.ask_on_answers(store, list(zip(responses, times, strict=True)))
    assert set(links) == {responses[0].customer_id, responses[3].customer_id}
    shown = Response.objects.for_store(store).order_by("pk").values_list("ask_shown_at", flat=True)
    assert list(shown) == [times[0], None, None, times[3]]
    assert links[responses[3].customer_id].created_at == times[3]


def test_shown_again_it_is_the_same_link_and_the_first_time_stands(store, invited):
    responses = answering.respond_all(store, [Answer(invited(1)[0], 10, "", NOW)])
    first = asking.ask_on_answers(store, [(responses[0], NOW)])
    assert asking.ask_on_answers(store, [(responses[0], LATER)]) == first
    assert Response.objects.for_store(store).get().ask_shown_at == NOW
    assert ShareLink.objects.for_store(store).count() == 1


def test_the_silent_are_asked_once(store, invited):
    invited(3)
    assert asking.ask_silent(store, LATER - timedelta(minutes=1)) == 0
    assert asking.ask_silent(store, LATER) == 3
    assert asking.ask_silent(store, LATER) == 0
    asks = Message.objects.for_store(store).filter(kind=Kind.ASK)
    assert {one.context["code"] for one in asks} == set(
        ShareLink.objects.for_store(store).values_list("code", flat=True)
    )


@pytest.mark.parametrize("status", ["skipped", "failed"])
def test_the_silence_of_those_the_question_never_reached_says_nothing(store, invited, status):
    [invitation] = invited(1)
    Message.objects.for_store(store).filter(pk=invitation.message_id).update(status=status)
    assert asking.ask_silent(store, LATER) == 0
    said = Message.objects.for_store(store).filter(kind=Kind.ASK)
    assert list(said.values_list("reason", flat=True)) == ["not_asked"]


def test_while_the_question_waits_its_ask_waits_too(store, invited):
    [invitation] = invited(1)
    question = Message.objects.for_store(store).filter(pk=invitation.message_id)
    question.update(status="pending")
    assert asking.ask_silent(store, LATER) == 0
    question.update(status="sent")
    assert asking.ask_silent(store, LATER) == 1


def test_who_was_silent_twice_is_asked_about_the_first_only(store, invited, make_order):
    invited(1)
    store.cooldown_days = 3  # so that the second question went out at all
    store.save(update_fields=["cooldown_days"])
    soon = NOW + timedelta(days=4)
    make_order("bea0@example.com", days_ago=4)
    inviting.plan_invitations(store, NOW, since=NOW - timedelta(days=30))
    assert inviting.invite_due(store, soon) == 1
    dispatch.rehearse(store, soon)
    assert asking.ask_silent(store, soon + timedelta(days=8)) == 1
    said = Message.objects.for_store(store).filter(kind=Kind.ASK).order_by("pk").values_list("status", "reason")
    assert sorted(said) == [("pending", ""), ("skipped", "cooldown")]
    assert MessageEvent.objects.for_store(store).get(message__kind=Kind.ASK).reason == "cooldown"


def test_an_ask_that_cannot_be_written_stops_no_other(store, invited, monkeypatch):
    bad = invited(5)[1]
    context = asking.ask_context

    def fail_one(store, customer, *more, **named):
        if customer.pk == bad.customer_id:
            raise ValueError("no words for this one")
        return context(store, customer, *more, **named)

    monkeypatch.setattr(asking, "ask_context", fail_one)
    assert asking.ask_silent(store, LATER) == 4
    assert Invitation.objects.for_store(store).exclude(silent_ask_at=None).get() == bad


def test_statements_of_asks_on_answers_do_not_grow(store, invited):
    def statements(count: int, prefix: str) -> int:
        responses = answering.respond_all(store, [Answer(one, 9, "", NOW) for one in invited(count, prefix=prefix)])
        with CaptureQueriesContext(connection) as made:
            assert len(asking.ask_on_answers(store, [(one, NOW) for one in responses])) == count
        return len(made)

    assert statements(2, "few") == statements(20, "many")
