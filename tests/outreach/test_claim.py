"""What is looked at when a message is taken for sending: all that may have changed since it was planned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Channel, Segment, SegmentMember
from outreach import own_words, rendering
from outreach.kinds import Way
from outreach.models import Kind, MessageEvent, Stop, Suppression, Task
from outreach.services import hold, release, suppress, unsubscribe
from tests.outreach.claiming import caller, claim, due, journey, judged, person

NIGHT = datetime(2026, 11, 20, 15, tzinfo=UTC)  # eleven at night in Manila
ALL_WAYS = ["email", "sms", "call", "note", "visit"]


def close(store, channel, address, reason, at):
    suppress(store, channel, address, reason=reason, source="test", at=at)


# -- The journey: on, for whom, by which ways --


def test_a_journey_switched_off_meanwhile(store, now):
    sara, ask = person(store), journey(store, Kind.ASK)
    message = due(sara, Kind.ASK, now, journey=ask)
    ask.is_on = False
    ask.save()
    assert judged(message, store, now) == ("skipped", "", "switched_off")


def test_a_kind_switched_off_for_the_first_time(store, now):
    """The message was planned when the store had no row for the kind."""
    message = due(person(store), Kind.ASK, now)
    journey(store, Kind.ASK, is_on=False)
    assert judged(message, store, now) == ("skipped", "", "switched_off")


def test_who_has_left_the_audience(store, now):
    vips = Segment.objects.create(store=store, name="VIPs")
    ask = journey(store, Kind.ASK, segment=vips)
    inside, outside = person(store), person(store)
    SegmentMember.objects.create(store=store, segment=vips, customer=inside)
    messages = [due(one, Kind.ASK, now, journey=ask) for one in (inside, outside)]
    assert judged(messages[0], store, now) == ("sending", "email", "")
    assert judged(messages[1], store, now) == ("skipped", "", "not_in_audience")


@pytest.mark.parametrize(
    ("ways", "channel"), [(["email", "sms"], "email"), (["sms", "email"], "sms"), (["sms"], "sms"), ([], "email")]
)
def test_the_first_way_of_the_journey_that_can_be_gone(store, now, ways, channel):
    reward = journey(store, Kind.REWARD, ways=ways)
    sara = caller(store, email="sara@example.com", email_norm="sara@example.com")
    assert judged(due(sara, Kind.REWARD, now, journey=reward), store, now) == ("sending", channel, "")


def test_a_way_that_is_closed_gives_way_to_the_next(store, now):
    reward = journey(store, Kind.REWARD, ways=["sms", "email"])
    sara = caller(store, email="sara@example.com", email_norm="sara@example.com")
    close(store, Channel.SMS, sara.phone_norm, Suppression.Reason.BOUNCED, now)
    assert judged(due(sara, Kind.REWARD, now, journey=reward), store, now) == ("sending", "email", "")


# -- Consent, suppression, holds, stops --


def test_advertising_needs_consent_and_news_does_not(store, now):
    sara = person(store, email_consent=False)
    assert judged(due(sara, Kind.ASK, now), store, now) == ("skipped", "", "no_consent")
    assert judged(due(sara, Kind.REWARD, now), store, now) == ("sending", "email", "")


def test_a_closed_address(store, now):
    sara = person(store)
    close(store, Channel.EMAIL, sara.email_norm, Suppression.Reason.BOUNCED, now)
    assert judged(due(sara, Kind.GIFT, now), store, now) == ("skipped", "", "suppressed")


def test_nobody_to_write_to(store, now):
    nobody = person(store, email="", email_norm="")
    assert judged(due(nobody, Kind.REWARD, now), store, now) == ("skipped", "", "no_address")


def test_a_hold_keeps_questions_away_and_lets_news_through(store, now):
    sara = person(store)
    hold(sara, key="case:1", reason="open_case", at=now)
    for asks in (Kind.ASK, Kind.SURVEY, Kind.FOLLOW_UP, Kind.TESTIMONIAL):
        journey(store, asks, is_on=True)
        assert judged(due(sara, asks, now), store, now) == ("skipped", "", "open_case"), asks
    assert judged(due(sara, Kind.REWARD, now), store, now) == ("sending", "email", "")
    release(store, key="case:1")
    assert judged(due(sara, Kind.ASK, now), store, now) == ("sending", "email", "")


def test_a_stop_ends_advertising_on_its_channel_only(store, now):
    Stop.objects.create(store=store, channel=Channel.EMAIL, reason="complaints", at=now)
    assert judged(due(person(store), Kind.ASK, now), store, now) == ("skipped", "", "stopped")
    assert judged(due(person(store), Kind.REWARD, now), store, now) == ("sending", "email", "")
    assert judged(due(caller(store), Kind.ASK, now), store, now) == ("sending", "sms", "")


def test_what_is_too_late_is_not_sent(store, now):
    message = due(person(store), Kind.REWARD, now - timedelta(days=2), not_after=now - timedelta(seconds=1))
    assert judged(message, store, now) == ("skipped", "", "too_late")


def test_every_skip_leaves_a_trace(store, now):
    message = due(person(store, email_consent=False), Kind.ASK, now)
    claim(store, now)
    event = MessageEvent.objects.get(message=message)
    assert (event.status, event.reason, event.at) == ("skipped", "no_consent", now)


# -- Night --


def test_a_text_waits_for_the_morning(store):
    message = due(caller(store), Kind.REWARD, NIGHT)
    assert judged(message, store, NIGHT) == ("pending", "", "quiet_hours")
    assert message.due_at == NIGHT + timedelta(hours=8)  # seven in Manila
    assert judged(message, store, message.due_at) == ("sending", "sms", "")


def test_a_text_that_would_be_harm_by_then_does_not(store):
    message = due(caller(store), Kind.REWARD, NIGHT, not_after=NIGHT + timedelta(hours=7))
    assert judged(message, store, NIGHT) == ("skipped", "", "too_late")


def test_a_letter_does_not_wait(store):
    assert judged(due(person(store), Kind.REWARD, NIGHT), store, NIGHT) == ("sending", "email", "")


# -- Tasks for people --


@pytest.mark.parametrize(
    ("ways", "facts", "way"),
    [
        (["call"], {}, "call"),
        (["note", "call"], {}, "call"),  # no postal address is known
        (["note", "call"], {"postal_address": "1 Mabini St, Manila"}, "note"),
        (["visit"], {}, "visit"),
        (["call", "visit"], {"phone": "", "phone_norm": ""}, "visit"),
    ],
)
def test_a_way_that_a_person_goes_becomes_a_task(store, now, ways, facts, way):
    sara = caller(store, **facts)
    message = due(sara, Kind.ASK, now, journey=journey(store, Kind.ASK, ways=ways))
    assert judged(message, store, now) == ("task", way, "")
    task = Task.objects.get(message=message)
    assert (task.way, task.customer, task.status, task.due_at) == (way, sara, "open", now)
    assert task.words == rendering.script_of(store, message, Way(way))
    assert MessageEvent.objects.get(message=message).status == "task"


def test_a_task_is_not_handed_to_a_provider(store, now):
    due(caller(store), Kind.ASK, now, journey=journey(store, Kind.ASK, ways=["call"]))
    assert claim(store, now) == []


def test_nobody_is_to_be_called_at_night(store):
    message = due(caller(store), Kind.ASK, NIGHT, journey=journey(store, Kind.ASK, ways=["call"]))
    assert judged(message, store, NIGHT) == ("pending", "", "quiet_hours")
    claim(store, message.due_at)
    assert Task.objects.get(message=message).due_at == NIGHT + timedelta(hours=8)


def test_a_visit_has_no_night(store):
    message = due(caller(store), Kind.ASK, NIGHT, journey=journey(store, Kind.ASK, ways=["visit"]))
    assert judged(message, store, NIGHT)[0] == "task"


@pytest.mark.parametrize("way", ["call", "note"])
def test_who_asked_for_silence_is_not_won_back_by_hand(store, now, way):
    sara = caller(store, postal_address="1 Mabini St, Manila")
    unsubscribe(store, sara, source="test", at=now)
    message = due(sara, Kind.ASK, now, journey=journey(store, Kind.ASK, ways=[way]))
    assert judged(message, store, now) == ("skipped", "", "no_consent")
    assert not Task.objects.exists()


def test_but_may_be_called_about_what_went_wrong_with_their_order(store, now):
    sara = caller(store)
    unsubscribe(store, sara, source="test", at=now)
    message = due(sara, Kind.SORRY, now, journey=journey(store, Kind.SORRY, ways=["sms", "call"]))
    assert judged(message, store, now) == ("task", "call", "")


def test_a_number_that_takes_no_texts_can_be_called(store, now):
    sara = caller(store)
    close(store, Channel.SMS, sara.phone_norm, Suppression.Reason.BOUNCED, now)
    message = due(sara, Kind.ASK, now, journey=journey(store, Kind.ASK, ways=["sms", "call"]))
    assert judged(message, store, now) == ("task", "call", "")


def test_an_erased_person_is_no_task(store, now):
    nobody = person(store, email="", email_norm="", erased_at=now)
    message = due(nobody, Kind.ASK, now, journey=journey(store, Kind.ASK, ways=ALL_WAYS))
    assert judged(message, store, now) == ("skipped", "", "no_address")


def test_a_script_that_cannot_be_written_stops_no_other(store, now, monkeypatch):
    def write(_store, message, _way):
        if message.pk == broken.pk:
            raise ValueError
        return "Hello"

    monkeypatch.setattr(rendering, "script_of", write)
    ask = journey(store, Kind.ASK, ways=["visit"])
    broken, sound = (due(person(store), Kind.ASK, now, journey=ask) for _ in range(2))
    assert judged(broken, store, now) == ("skipped", "", "not_rendered")
    assert judged(sound, store, now)[0] == "task"


# -- The cost --


def test_a_batch_costs_the_same_number_of_queries_however_many_are_in_it(store, now, monkeypatch):
    """Two for the transaction's store, the claim, four to judge, three to write down; two for the store's words."""
    monkeypatch.setattr(own_words, "KEPT_SECONDS", 3600)
    vips = Segment.objects.create(store=store, name="VIPs")
    ask = journey(store, Kind.ASK, segment=vips, ways=["email"])
    visit = journey(store, Kind.SORRY, ways=["visit"])

    def queries(count: int) -> int:
        for _ in range(count):
            sara = person(store)
            SegmentMember.objects.create(store=store, segment=vips, customer=sara)
            due(sara, Kind.ASK, now, journey=ask)
            due(sara, Kind.SORRY, now, journey=visit)
            due(person(store, email_consent=False), Kind.ASK, now, journey=ask)
        with CaptureQueriesContext(connection) as seen:
            assert len(claim(store, now, limit=1000)) == count
        return len(seen)

    queries(1)  # reads the store's words
    assert queries(2) == queries(30) <= 10
