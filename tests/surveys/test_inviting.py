"""Whom the sweeps plan to ask and ask, many at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from outreach.models import Message
from surveys.models import Invitation
from surveys.services import inviting
from tests.conftest import NOW


@pytest.fixture
def due(store, make_order):
    """`due(3)`: so many orders of different people whose value has shown, their questions planned."""

    def make(count: int, *, prefix: str = "bea") -> list[Invitation]:
        orders = [make_order(f"{prefix}{number}@example.com").pk for number in range(count)]
        inviting.plan_invitations(store, NOW, since=NOW - timedelta(days=30))
        return list(Invitation.objects.for_store(store).filter(order__in=orders).order_by("pk"))

    return make


def states(store) -> list[tuple[str, str]]:
    return list(Invitation.objects.for_store(store).order_by("due_at", "pk").values_list("status", "reason"))


def test_everybody_due_is_asked_once(store, due):
    due(3)
    assert inviting.invite_due(store, NOW) == 3
    assert inviting.invite_due(store, NOW) == 0
    assert set(states(store)) == {("invited", "")}
    for invitation in Invitation.objects.for_store(store).select_related("message"):
        assert invitation.message.key == f"survey:{invitation.order_id}"
        assert invitation.silent_ask_at == NOW + timedelta(days=store.silent_ask_days)


def test_of_two_orders_of_a_person_the_earlier_due_is_asked_about(store, make_order):
    for days_ago in (9, 10):
        make_order("bea@example.com", days_ago=days_ago)
    inviting.plan_invitations(store, NOW, since=NOW - timedelta(days=30))
    assert inviting.invite_due(store, NOW) == 1
    assert states(store) == [("invited", ""), ("skipped", "cooldown")]


def test_a_planned_question_follows_a_changed_delivery(store, due, make_order):
    (planned,) = due(1)
    order = planned.order
    type(order).objects.filter(pk=order.pk).update(delivered_at=NOW, updated_at=NOW)
    assert inviting.plan_invitations(store, NOW) == 1
    planned.refresh_from_db()
    assert planned.due_at == NOW + timedelta(days=store.time_to_value_days)
    assert inviting.plan_invitations(store, NOW) == 0


def test_what_is_reported_later_is_not_looked_at_yet(store, make_order):
    order = make_order("bea@example.com")
    type(order).objects.filter(pk=order.pk).update(updated_at=NOW + timedelta(seconds=1))
    assert inviting.plan_invitations(store, NOW) == 0
    assert inviting.plan_invitations(store, NOW + timedelta(seconds=1)) == 1


def test_a_row_that_cannot_be_decided_stops_no_other(store, due, monkeypatch):
    bad = due(5)[2]
    question = inviting._question

    def fail_one(store, invitation, *rest):
        if invitation.pk == bad.pk:
            raise ValueError("no words for this one")
        return question(store, invitation, *rest)

    monkeypatch.setattr(inviting, "_question", fail_one)
    assert inviting.invite_due(store, NOW) == 4
    assert Invitation.objects.for_store(store).get(status="planned") == bad
    assert Message.objects.for_store(store).count() == 4


def test_statements_do_not_grow_with_the_people(store, due):
    def statements(count: int, prefix: str) -> int:
        due(count, prefix=prefix)
        with CaptureQueriesContext(connection) as made:
            assert inviting.invite_due(store, NOW) == count
        return len(made)

    assert statements(2, "few") == statements(20, "many")
