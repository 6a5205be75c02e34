"""What a provider answers, or does not: asked, tried again where that is harmless, parked, settled by a report."""

from __future__ import annotations

import time
from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from outreach import accounts, aftermath, dispatch, handover, rules
from outreach.channels import Blocked, NotNow, Refused, Uncertain
from outreach.models import Kind, Message, MessageEvent
from outreach.services import is_suppressed, settle_by_report, settle_unknown
from stores.tenancy import act_for
from tests.outreach.claiming import claim, due, person

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


class Provider:
    """Answers as told, and counts. `knows` is what it says when asked, None that it cannot be asked."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.asked: list[str] = []
        self.answers: list[Exception] = []  # the next ones; then it accepts
        self.can_be_asked = False
        self.knows: str | None = None
        self.repeats: timedelta | None = None

    def deliver(self, letter) -> str:
        if self.answers and not isinstance(self.answers[0], Uncertain):
            raise self.answers.pop(0)
        self.taken.append(letter.reference)
        if self.answers:
            raise self.answers.pop(0)
        return f"id-{len(self.taken)}"

    def look_up(self, reference: str, provider_id: str) -> str | None:
        self.asked.append(reference)
        return self.knows


@pytest.fixture
def provider(monkeypatch) -> Provider:
    one = Provider()
    monkeypatch.setattr(accounts, "transport_for", lambda store, channel: one.deliver)
    monkeypatch.setattr(accounts, "look_up_for", lambda *_: one.look_up if one.can_be_asked else None)
    monkeypatch.setattr(accounts, "repeats_for", lambda *_: one.repeats)
    return one


@pytest.fixture
def hand_over(store, provider):
    """Claim what is due and hand it over at `at`."""

    def send(at) -> None:
        turn = handover.Turn(store)
        for message in claim(store, at, token=turn.token):
            handover.send(turn, message, at)

    return send


@pytest.fixture
def message(store, now) -> Message:
    return due(person(store), Kind.REWARD, now)


def fate(message) -> tuple[str, str]:
    message.refresh_from_db()
    return message.status, message.reason


def events(message) -> list[str]:
    return list(MessageEvent.objects.filter(message=message).order_by("pk").values_list("status", flat=True))


# -- Definite answers --


def test_taken(provider, hand_over, message, now):
    hand_over(now)
    assert fate(message) == ("sent", "")
    assert (message.sent_at, message.provider_id, message.lease_token) == (now, "id-1", None)
    assert events(message) == ["sent"]


def test_a_definite_no(provider, hand_over, message, now):
    provider.answers = [Refused("550")]
    hand_over(now)
    assert fate(message) == ("failed", "refused: 550")


def test_a_no_because_the_person_blocked_us_closes_the_address(store, provider, hand_over, message, now):
    provider.answers = [Blocked("14 blocked by the person")]
    hand_over(now)
    assert fate(message)[0] == "failed"
    assert is_suppressed(store, message.customer)


def test_not_now(provider, hand_over, message, now):
    provider.answers = [NotNow("429", timedelta(minutes=7))]
    hand_over(now)
    assert fate(message) == ("pending", "try_again")
    assert (message.due_at, message.started_at) == (now + timedelta(minutes=7), None)
    hand_over(message.due_at)
    assert fate(message) == ("sent", "")


def test_a_provider_that_is_down_for_a_day_loses_nothing(provider, hand_over, message, now):
    provider.answers = [NotNow("out of reach") for _ in range(15)]
    for _ in range(16):
        hand_over(message.due_at)
        message.refresh_from_db()
    assert message.status == "sent"
    assert message.sent_at > now + 24 * HOUR


def test_one_that_is_down_for_ever_is_given_up(provider, hand_over, message):
    provider.answers = [NotNow("out of reach") for _ in range(rules.MOST_TRIES + 1)]
    for _ in range(rules.MOST_TRIES + 1):
        hand_over(message.due_at)
        message.refresh_from_db()
    assert fate(message) == ("failed", "gave_up")


# -- No answer --


def test_no_answer_and_nobody_to_ask(provider, hand_over, message, now):
    provider.answers = [Uncertain("ReadTimeout")]
    hand_over(now)
    assert fate(message) == ("unknown", "no answer: ReadTimeout")
    assert message.lease_until is None
    hand_over(now + 48 * HOUR)
    assert provider.taken == [message.public_id]  # never again by itself


def test_what_nobody_foresaw_may_have_been_taken(provider, hand_over, message, now, monkeypatch):
    provider.answers = [ZeroDivisionError()]
    hand_over(now)
    assert fate(message) == ("unknown", "no answer: ZeroDivisionError")


@pytest.mark.parametrize(("knows", "expected"), [("sent", ("sent", "")), ("failed", ("failed", "not_delivered"))])
def test_a_provider_that_can_be_asked_is_asked_at_once(provider, hand_over, message, now, knows, expected):
    provider.can_be_asked, provider.knows = True, knows
    provider.answers = [Uncertain("ReadTimeout")]
    hand_over(now)
    assert fate(message) == expected
    assert provider.asked == [message.public_id]


def test_and_again_for_a_day_less_and_less_often(store, provider, hand_over, message, now):
    provider.can_be_asked = True
    provider.answers = [Uncertain("ReadTimeout")]
    hand_over(now)
    assert fate(message)[0] == "unknown"
    asked = []
    while message.lease_until:
        at, before = message.lease_until, len(provider.asked)
        aftermath.ask_about_unknown(at - SECOND)  # too early
        assert len(provider.asked) == before
        aftermath.ask_about_unknown(at)
        assert len(provider.asked) == before + 1
        asked.append(at - now)
        act_for(store)
        message.refresh_from_db()
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert asked[0] == 30 * SECOND
    assert gaps == sorted(gaps)
    assert 8 <= len(asked) <= 20
    assert 12 * HOUR < asked[-1] <= 48 * HOUR
    assert fate(message)[0] == "unknown"
    assert message.lease_until is None


def test_an_answer_settles_it(store, provider, hand_over, message, now):
    provider.can_be_asked = True
    provider.answers = [Uncertain("ReadTimeout")]
    hand_over(now)
    assert aftermath.ask_about_unknown(now + SECOND) == 0  # not yet
    provider.knows = "sent"
    assert aftermath.ask_about_unknown(now + HOUR) == 1
    act_for(store)
    assert fate(message) == ("sent", "")
    assert message.sent_at == now  # when it was handed over, not when we learnt of it
    assert aftermath.ask_about_unknown(now + 2 * HOUR) == 0
    assert events(message) == ["unknown", "sent"]


def test_what_the_provider_never_got_is_sent_again_but_not_in_haste(store, provider, hand_over, message, now):
    """Right after the line broke it may still be on its way."""
    provider.can_be_asked, provider.knows = True, "missing"
    provider.answers = [Uncertain("ReadTimeout")]
    hand_over(now)
    assert fate(message)[0] == "unknown"
    assert aftermath.ask_about_unknown(now + timedelta(minutes=5)) == 0
    assert aftermath.ask_about_unknown(now + timedelta(minutes=20)) == 1
    act_for(store)
    assert fate(message) == ("pending", "not_taken")
    hand_over(now + timedelta(minutes=20))
    assert fate(message) == ("sent", "")
    assert message.sent_at == now + timedelta(minutes=20)


def test_nor_once_it_may_have_forgotten(store, provider, hand_over, message, now):
    provider.can_be_asked, provider.knows = True, "missing"
    provider.answers = [Uncertain("ReadTimeout")]
    hand_over(now)
    assert aftermath.ask_about_unknown(now + 11 * HOUR) == 0
    act_for(store)
    assert fate(message)[0] == "unknown"


def test_where_nobody_can_be_asked_nobody_is_asked_again(store, provider, message, now):
    Message.objects.filter(pk=message.pk).update(status="unknown", started_at=now, lease_until=now)
    assert aftermath.ask_about_unknown(now) == 0
    act_for(store)
    assert fate(message)[0] == "unknown"
    assert message.lease_until is None


# -- A provider that knows our key --


def test_where_a_second_hand_over_is_no_second_message_it_is_tried_again(provider, hand_over, message, now):
    provider.repeats = 24 * HOUR
    provider.answers = [Uncertain("ReadTimeout"), NotNow("503"), Uncertain("ReadTimeout")]
    hand_over(now)
    assert fate(message) == ("pending", "no answer: ReadTimeout")
    for _ in range(3):
        hand_over(message.due_at)
        message.refresh_from_db()
        assert message.started_at == now  # the provider's memory counts from the first time
    assert fate(message) == ("sent", "")
    assert provider.taken == [message.public_id] * 3


def test_a_refused_repeat_says_nothing_about_the_first(provider, hand_over, message, now):
    """As Resend answers 409 while the first is at work, or when the words have changed."""
    provider.repeats = 24 * HOUR
    provider.answers = [Uncertain("ReadTimeout"), Refused("409")]
    hand_over(now)
    hand_over(now + HOUR)
    assert fate(message) == ("unknown", "no answer: 409")


def test_but_not_once_the_provider_has_forgotten(provider, hand_over, message, now):
    provider.repeats = 24 * HOUR
    provider.answers = [Uncertain("ReadTimeout")]
    hand_over(now)
    hand_over(now + 24 * HOUR)
    assert fate(message) == ("unknown", "no answer: given up")
    assert provider.taken == [message.public_id]


def test_a_memory_shorter_than_our_patience_is_not_relied_on(provider, hand_over, message, now):
    provider.repeats = timedelta(minutes=5)
    provider.answers = [Uncertain("ReadTimeout")]
    hand_over(now)
    assert fate(message)[0] == "unknown"


# -- A worker that dies --


@pytest.fixture
def dead(store, message, now):
    """The message as a worker left it, with what it had written down by then."""

    def leave(**facts) -> None:
        claim(store, now)
        Message.objects.filter(pk=message.pk).update(**facts)

    return leave


def test_what_was_claimed_and_not_begun_waits_again(store, provider, message, dead, now):
    dead()
    assert aftermath.settle_expired_leases(store, now + HOUR) == 1
    assert fate(message)[0] == "pending"
    assert message.attempts == 0


def test_a_lease_that_holds_is_left_alone(store, provider, message, dead, now):
    dead(started_at=now)
    assert aftermath.settle_expired_leases(store, now + SECOND) == 0
    assert fate(message)[0] == "sending"


def test_what_was_begun_is_unknown_and_asked_about(store, provider, message, dead, now):
    provider.can_be_asked, provider.knows = True, "sent"
    dead(started_at=now)
    assert aftermath.settle_expired_leases(store, now + HOUR) == 1
    assert fate(message) == ("unknown", "worker_died")
    assert aftermath.ask_about_unknown(now + HOUR) == 1
    act_for(store)
    assert fate(message) == ("sent", "")


def test_what_was_reported_meanwhile_is_not_unknown(store, provider, message, dead, now):
    dead(started_at=now, delivered_at=now + SECOND)
    aftermath.settle_expired_leases(store, now + HOUR)
    assert fate(message) == ("sent", "")
    assert message.sent_at == now


def test_what_the_provider_would_know_again_is_tried_again(store, provider, hand_over, message, dead, now):
    provider.repeats = 24 * HOUR
    dead(started_at=now)
    aftermath.settle_expired_leases(store, now + HOUR)
    assert fate(message)[0] == "pending"
    hand_over(now + HOUR)
    assert fate(message) == ("sent", "")


# -- Reports, and people --


@pytest.mark.parametrize(("was_sent", "expected"), [(True, ("sent", "")), (False, ("failed", "not_delivered"))])
def test_a_report_settles_what_was_unknown_once(message, now, was_sent, expected):
    Message.objects.filter(pk=message.pk).update(status="unknown", started_at=now, lease_until=now)
    message.refresh_from_db()
    assert settle_by_report(message, was_sent=was_sent, at=now + HOUR, provider_id="SM1")
    assert not settle_by_report(message, was_sent=not was_sent, at=now + HOUR)
    assert fate(message) == expected
    assert (message.provider_id, message.lease_until) == ("SM1", None)
    assert events(message) == [expected[0]]


@pytest.mark.parametrize("status", ["pending", "sending", "sent", "failed", "skipped", "task"])
def test_a_report_changes_nothing_that_is_known(message, now, status):
    Message.objects.filter(pk=message.pk).update(status=status)
    assert not settle_by_report(message, was_sent=True, at=now)
    assert fate(message)[0] == status


def test_what_a_person_sends_again_begins_anew(provider, hand_over, message, now):
    provider.answers = [Uncertain("ReadTimeout")]
    hand_over(now)
    message.refresh_from_db()
    assert settle_unknown(message, was_sent=False, at=now)
    hand_over(now)
    assert fate(message) == ("sent", "")
    assert len(provider.taken) == 2


# -- Fairness --


def test_a_store_whose_provider_is_slow_lets_the_next_one_go_on(store, provider, monkeypatch):
    at = timezone.now()
    messages = [due(person(store), Kind.REWARD, at) for _ in range(5)]
    monkeypatch.setattr(dispatch, "TURN", 0.2)
    monkeypatch.setattr(accounts, "transport_for", lambda store, channel: lambda letter: time.sleep(0.15) or "id")
    assert dispatch.dispatch_batch(store) in (1, 2)
    left = Message.objects.filter(pk__in=[one.pk for one in messages], status="pending")
    assert {(one.lease_token, one.attempts, one.due_at) for one in left} == {(None, 0, at)}
    assert not Message.objects.filter(status="sending").exists()


def test_a_store_sends_no_more_in_a_minute_than_it_may(store, provider, settings):
    settings.SENDS_PER_MINUTE = 3
    at = timezone.now()
    messages = [due(person(store), Kind.REWARD, at) for _ in range(7)]
    sent = dispatch.dispatch_batch(store)
    assert sent in (3, 4, 5, 6)  # a minute may end meanwhile
    left = Message.objects.filter(pk__in=[one.pk for one in messages], status="pending")
    assert len(left) == 7 - sent
    assert all(one.due_at > at and one.due_at.second == 0 for one in left)
