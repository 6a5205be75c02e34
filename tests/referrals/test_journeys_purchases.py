"""Messages that answer a purchase, an event, an answer or a solved case."""

import pytest

from customers.models import Order
from customers.services import Person, record_event
from outreach.kinds import Kind, Trigger
from outreach.models import Message
from referrals.services import journeying, stopping
from surveys.models import RecoveryCase, Response
from tests.conftest import NOW, make_order_of
from tests.referrals.journey_world import DAY, HOUR, MINUTE, messages, own, pause, sweep, switch

pytestmark = pytest.mark.django_db
SARA = Person("Sara Ahmadi", "sara@example.com")


def own_messages(store):
    return messages(store, Kind.OWN)


class TestCongratulations:
    def test_on_the_fifth_purchase_once(self, store):
        switch(store, Kind.CONGRATULATIONS)
        for day in range(1, 8):
            order = make_order_of(store, SARA, at=NOW + day * DAY)
            sweep(store, order.placed_at)
            assert len(messages(store, Kind.CONGRATULATIONS)) == (day >= 5)
        told = messages(store, Kind.CONGRATULATIONS)[0]
        assert told.key == f"congratulations:{told.customer_id}:5"
        assert told.due_at == NOW + 6 * DAY  # a day after the fifth
        assert (told.context["orders"], told.context["product"]) == (5, "Mug")
        assert told.context["links"]["share"]

    def test_the_owner_sets_the_number(self, store):
        switch(store, Kind.CONGRATULATIONS, number=2)
        for day in (2, 1):
            make_order_of(store, SARA, at=NOW - day * DAY)
        sweep(store, NOW, since=NOW - 3 * DAY)
        assert messages(store, Kind.CONGRATULATIONS)[0].context["orders"] == 2

    def test_what_was_given_back_is_no_purchase(self, store):
        switch(store, Kind.CONGRATULATIONS, number=2)
        make_order_of(store, SARA, at=NOW, refunded_minor=155_000)
        make_order_of(store, SARA, at=NOW + MINUTE)
        sweep(store, NOW + MINUTE)
        assert not messages(store, Kind.CONGRATULATIONS)

    def test_it_is_taken_back_with_the_purchase(self, store):
        switch(store, Kind.CONGRATULATIONS, number=1)
        order = make_order_of(store, SARA, at=NOW)
        sweep(store, NOW)
        Order.objects.filter(pk=order.pk).update(cancelled_at=NOW + HOUR)
        stopping.stop_pointless(store, NOW + HOUR)
        told = messages(store, Kind.CONGRATULATIONS)[0]
        assert (told.status, told.reason) == (Message.Status.SKIPPED, "cancelled")

    def test_it_is_off_unless_switched_on(self, store):
        for minute in range(5):
            make_order_of(store, SARA, at=NOW + minute * MINUTE)
        sweep(store, NOW + 5 * MINUTE)
        assert not messages(store, Kind.CONGRATULATIONS)

    def test_while_the_program_is_paused_it_offers_no_link(self, store):
        switch(store, Kind.CONGRATULATIONS, number=1)
        make_order_of(store, SARA, at=NOW)
        pause(store)
        sweep(store, NOW)
        context = messages(store, Kind.CONGRATULATIONS)[0].context
        assert "code" not in context
        assert set(context["links"]) == {"unsubscribe"}


class TestTheOwnersOwn:
    def test_each_order(self, store):
        journey = own(store, Trigger.ORDER, wait=2 * DAY)
        orders = [make_order_of(store, SARA, at=NOW + minute * MINUTE) for minute in range(2)]
        sweep(store, NOW + HOUR)
        told = own_messages(store)
        assert [one.key for one in told] == [f"own:{journey.pk}:order:{order.pk}" for order in orders]
        assert [one.due_at for one in told] == [order.placed_at + 2 * DAY for order in orders]
        assert {one.journey_id for one in told} == {journey.pk}

    def test_each_delivery(self, store):
        own(store, Trigger.DELIVERED, wait=DAY)
        order = make_order_of(store, SARA, at=NOW)
        sweep(store, NOW)
        assert not own_messages(store)
        Order.objects.filter(pk=order.pk).update(delivered_at=NOW + 3 * DAY, updated_at=NOW + 3 * DAY)
        sweep(store, NOW + 3 * DAY + MINUTE)
        assert own_messages(store)[0].due_at == NOW + 4 * DAY

    def test_the_first_purchase_only(self, store):
        own(store, Trigger.FIRST_ORDER)
        for minute in range(3):
            make_order_of(store, SARA, at=NOW + minute * MINUTE)
        sweep(store, NOW + HOUR)
        assert [one.about for one in own_messages(store)] == [
            f"order:{Order.objects.for_store(store).earliest('pk').pk}"
        ]

    def test_the_third_purchase(self, store):
        own(store, Trigger.NTH_ORDER, number=3)
        for minute in range(4):
            make_order_of(store, SARA, at=NOW + minute * MINUTE)
        sweep(store, NOW + HOUR)
        assert len(own_messages(store)) == 1

    def test_an_event_of_its_kind(self, store):
        journey = own(store, Trigger.EVENT, event_kind="milestone", wait=HOUR)
        for kind in ("milestone", "visit"):
            record_event(store, external_id=kind, kind=kind, person=SARA, data={}, happened_at=NOW, at=NOW)
        sweep(store, NOW)
        sweep(store, NOW + 30 * MINUTE)
        told = own_messages(store)
        assert len(told) == 1
        assert told[0].key.startswith(f"own:{journey.pk}:event:")
        assert told[0].due_at == NOW + HOUR

    def test_an_event_reported_a_day_late(self, store):
        own(store, Trigger.EVENT, event_kind="milestone")
        record_event(store, external_id="1", kind="milestone", person=SARA, data={}, happened_at=NOW - DAY, at=NOW)
        sweep(store, NOW)
        assert own_messages(store)[0].due_at == NOW

    @pytest.mark.parametrize(("number", "score", "told"), [(None, 9, 1), (None, 8, 0), (7, 7, 1), (7, 6, 0), (0, 0, 1)])
    def test_a_score_at_least(self, store, make_customer, number, score, told):
        own(store, Trigger.SCORE, number=number)
        answer = {"customer": make_customer(), "at": NOW, "score": score}
        Response.objects.create(store=store, **answer)
        Response.objects.create(store=store, **answer | {"is_suspect": True})
        Response.objects.create(store=store, **answer | {"customer": None})
        sweep(store, NOW)
        assert len(own_messages(store)) == told

    def test_a_score_that_was_raised_later(self, store, make_customer):
        own(store, Trigger.SCORE)
        answer = Response.objects.create(store=store, customer=make_customer(), at=NOW, score=5)
        sweep(store, NOW)
        Response.objects.filter(pk=answer.pk).update(score=10, changed_at=NOW + 9 * DAY)
        sweep(store, NOW + 9 * DAY)
        sweep(store, NOW + 9 * DAY + MINUTE)
        assert len(own_messages(store)) == 1

    def test_a_solved_case(self, store, make_customer):
        journey = own(store, Trigger.SOLVED, wait=3 * DAY)
        cases = {}
        for status in RecoveryCase.Status.values:
            answer = Response.objects.create(store=store, customer=make_customer(), at=NOW, score=2)
            cases[status] = RecoveryCase.objects.create(
                store=store,
                response=answer,
                customer=answer.customer,
                status=status,
                opened_at=NOW,
                promise_at=NOW,
                ended_at=NOW if status != "open" else None,
            )
        sweep(store, NOW)
        assert [one.key for one in own_messages(store)] == [f"own:{journey.pk}:solved:{cases['solved'].pk}"]
        assert own_messages(store)[0].due_at == NOW + 3 * DAY

    def test_several_of_them_at_once_and_one_that_is_off(self, store):
        for fields in ({}, {"wait": DAY}, {"on": False}):
            own(store, Trigger.ORDER, **fields)
        make_order_of(store, SARA, at=NOW)
        sweep(store, NOW)
        assert [one.due_at for one in own_messages(store)] == [NOW, NOW + DAY]

    def test_nothing_of_what_happened_before_it_was_switched_on(self, store):
        own(store, Trigger.ORDER, since=NOW + MINUTE)
        make_order_of(store, SARA, at=NOW)
        sweep(store, NOW + 2 * MINUTE)
        assert not own_messages(store)

    def test_nothing_of_an_old_order_from_a_file(self, store):
        own(store, Trigger.ORDER)
        make_order_of(store, SARA, at=NOW, source="import", placed_at=NOW - 3 * DAY)
        make_order_of(store, SARA, at=NOW, source="import", placed_at=NOW - DAY)
        make_order_of(store, SARA, at=NOW, source="api", placed_at=NOW - 40 * DAY)
        sweep(store, NOW)
        assert [one.due_at for one in own_messages(store)] == [NOW]

    def test_one_bad_journey_stops_no_other(self, store, monkeypatch, caplog):
        own(store, Trigger.EVENT, event_kind="milestone")
        own(store, Trigger.ORDER)
        record_event(store, external_id="1", kind="milestone", person=SARA, data={}, happened_at=NOW, at=NOW)
        make_order_of(store, SARA, at=NOW)
        monkeypatch.setattr("referrals.services.purchases.REPORTED_LATE", "no time")
        sweep(store, NOW)
        assert len(own_messages(store)) == 1
        assert "no own messages started" in caplog.text


def test_the_nightly_repair_finds_what_an_outage_left(store):
    own(store, Trigger.ORDER)
    make_order_of(store, SARA, at=NOW)
    at = NOW + 2 * DAY
    assert sweep(store, at) == 0  # more than an hour ago
    journeying.repair(store, at)
    journeying.repair(store, at + MINUTE)
    told = own_messages(store)
    assert len(told) == 1
    assert (told[0].due_at, told[0].not_after) == (at, NOW + 30 * DAY)


def test_the_repair_says_nothing_that_is_old(store):
    own(store, Trigger.ORDER)
    make_order_of(store, SARA, at=NOW)
    journeying.repair(store, NOW + 31 * DAY)
    assert not own_messages(store)


def test_the_person_who_was_erased_gets_nothing(store):
    own(store, Trigger.ORDER)
    order = make_order_of(store, SARA, at=NOW)
    type(order.customer).objects.filter(pk=order.customer_id).update(erased_at=NOW)
    sweep(store, NOW)
    assert not own_messages(store)
