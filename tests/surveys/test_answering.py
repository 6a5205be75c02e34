"""Answers of many people taken at once are those of each."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from outreach.models import Hold
from surveys.models import Invitation, RecoveryCase, Response, ResponseEvent
from surveys.services import answering, inviting
from surveys.services.answering import Answer
from tests.conftest import NOW


@pytest.fixture
def invited(store, make_order):
    """`invited(3)`: so many people who were asked."""

    def make(count: int, *, prefix: str = "bea") -> list[Invitation]:
        orders = [make_order(f"{prefix}{number}@example.com").pk for number in range(count)]
        inviting.plan_invitations(store, NOW, since=NOW - timedelta(days=30))
        inviting.invite_due(store, NOW)
        mine = Invitation.objects.for_store(store).filter(order__in=orders)
        return list(mine.select_related("customer", "store").order_by("pk"))

    return make


def test_each_answer_counts_at_its_own_time_and_the_unhappy_get_a_case(store, invited):
    invitations = invited(3)
    answers = [
        Answer(one, score, "", NOW + timedelta(hours=score)) for one, score in zip(invitations, (9, 3, 7), strict=True)
    ]
    responses = answering.respond_all(store, answers)
    assert [(one.score, one.at) for one in responses] == [(one.score, one.at) for one in answers]
    assert RecoveryCase.objects.for_store(store).get().response == responses[1]
    assert Hold.objects.for_store(store).get().customer == invitations[1].customer
    assert ResponseEvent.objects.for_store(store).count() == 3
    assert not Invitation.objects.for_store(store).exclude(silent_ask_at=None).exists()


def test_answers_are_new_or_changed_or_the_same_or_too_late(store, invited):
    first, second, third, fourth = invited(4)
    known = [Answer(first, 9, "", NOW), Answer(second, 8, "good", NOW), Answer(third, 7, "", NOW)]
    answering.respond_all(store, known)
    later, late = NOW + timedelta(days=1), NOW + timedelta(days=91)
    told = [Answer(first, 4, "", later), Answer(second, 8, "good", later), Answer(third, 9, "", late)]
    responses = answering.respond_all(store, [*told, Answer(fourth, 10, "", later)])
    assert [(one.invitation_id, one.score, one.version) for one in responses] == [
        (first.pk, 4, 2), (second.pk, 8, 1), (fourth.pk, 10, 1),
    ]  # fmt: skip
    assert ResponseEvent.objects.for_store(store).count() == 5
    changed = Response.objects.for_store(store).get(invitation=first)
    assert (changed.score, changed.changed_at, changed.at) == (4, later, NOW)


def test_statements_do_not_grow_with_the_answers(store, invited):
    def statements(count: int, prefix: str) -> int:
        answers = [Answer(one, 9, "", NOW) for one in invited(count, prefix=prefix)]
        with CaptureQueriesContext(connection) as made:
            assert len(answering.respond_all(store, answers)) == count
        return len(made)

    assert statements(2, "few") == statements(20, "many")
