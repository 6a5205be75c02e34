"""The complaint guard at its thresholds."""

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.models import Channel
from customers.services import record_consent
from outreach import complaints, dispatch, reports
from outreach.complaints import Counts, State
from outreach.models import Kind, Message, Stop, StopLift, Suppression
from outreach.reports import News, What
from stores.models import AuditEvent
from stores.tenancy import acting_for
from tests.conftest import NOW


@pytest.mark.parametrize(
    ("sent", "complained", "state"),
    [
        (0, 0, State.GOOD),
        (10_000, 9, State.GOOD),  # 0.09 %
        (10_000, 10, State.ALARM),  # 0.1 %
        (1_001, 1, State.GOOD),
        (1_000, 1, State.ALARM),
        (5, 1, State.ALARM),  # one in five: a word, no stop
        (5, 2, State.ALARM),
        (5, 3, State.STOP),
        (1_001, 3, State.ALARM),  # a hair below 0.3 %
        (1_000, 3, State.STOP),
        (100_000, 299, State.ALARM),
        (100_000, 300, State.STOP),
    ],
)
def test_the_thresholds(sent, complained, state):
    assert Counts(sent, complained).state == state


@given(st.integers(0, 10**7), st.integers(0, 10**4), st.integers(0, 100))
def test_more_complaints_are_never_better_and_more_mails_never_worse(sent, complained, more):
    order = list(State)
    here = order.index(Counts(sent + complained, complained).state)
    assert order.index(Counts(sent + complained + more, complained + more).state) >= here or not complained
    assert order.index(Counts(sent + complained + more, complained).state) <= here
    if here == order.index(State.STOP):
        assert complained >= complaints.LEAST
        assert complained / (sent + complained) >= 0.003 - 1e-12


@pytest.fixture
def sara(make_customer):
    sara = make_customer("Sara Ahmadi", "sara@example.com")
    record_consent(sara, Channel.EMAIL, granted=True, source="api", at=NOW)
    return sara


@pytest.fixture
def mailed(store, sara):
    """A function that writes that many sent mails."""

    def make(number, *, at=NOW, kind=Kind.ASK, channel=Channel.EMAIL) -> list[Message]:
        first = Message.objects.count()
        return Message.objects.bulk_create(
            Message(
                store=store,
                customer=sara,
                kind=kind,
                key=f"k{place}",
                channel=channel,
                to="sara@example.com",
                status=Message.Status.SENT,
                provider_id=f"p{place}",
                due_at=at,
                sent_at=at,
                created_at=at,
            )
            for place in range(first, first + number)
        )

    return make


def complain(store, message, at=NOW) -> None:
    one = News(f"c{message.pk}", What.COMPLAINED, provider_id=message.provider_id)
    reports.apply(store, Channel.EMAIL, "brevo:abc", [one], at)


def test_the_third_complaint_of_a_thousand_stops_advertising(store, mailed):
    messages = mailed(1000)
    for message in messages[:2]:
        complain(store, message)
    assert not complaints.is_stopped(store)
    assert complaints.counts(store, NOW).state == State.ALARM
    complain(store, messages[2])
    assert complaints.is_stopped(store)
    event = AuditEvent.objects.for_store(store).get(action="mail.stopped")
    assert event.after == {"sent": 1000, "complained": 3}
    complain(store, messages[3])
    assert Stop.objects.for_store(store).count() == 1


def test_only_advertising_mails_of_the_last_thirty_days_count(store, mailed):
    old = mailed(10, at=NOW - timedelta(days=31))
    texts = mailed(10, channel=Channel.SMS)
    service = mailed(10, kind=next(kind for kind in Kind if not kind.is_marketing))
    Message.objects.filter(pk__in=[one.pk for one in (*old, *texts, *service)]).update(complained_at=NOW)
    assert complaints.counts(store, NOW) == Counts(0, 0)


def test_the_hourly_look_stops_what_the_reports_did_not(store, mailed, monkeypatch):
    monkeypatch.setattr(complaints, "watch", lambda *_args: State.GOOD)
    messages = mailed(100)
    for message in messages[:3]:
        complain(store, message)
    monkeypatch.undo()
    assert not complaints.is_stopped(store)
    assert complaints.watch(store, NOW) == State.STOP
    assert complaints.is_stopped(store)


def test_no_advertising_leaves_while_it_is_stopped_and_it_leaves_afterwards(store, sara, owner, mailed):
    for message in mailed(100)[:3]:
        complain(store, message)
    Message.objects.for_store(store).update(sent_at=NOW - timedelta(days=20))  # the week's cap is not meant here
    Suppression.objects.for_store(store).delete()  # those who complained were others
    first, second = mailed(2)
    waiting = Message.objects.for_store(store).filter(pk__in=[first.pk, second.pk])
    waiting.update(status="pending", sent_at=None, channel="", to="", due_at=NOW + timedelta(days=9))
    waiting.filter(pk=first.pk).update(due_at=NOW)
    soon = NOW + timedelta(minutes=1)
    assert dispatch.claim(store, soon, token=uuid4(), lease_until=soon) == []
    assert complaints.lift(store, by=owner.user, at=soon)
    waiting.filter(pk=second.pk).update(due_at=soon)
    assert second in dispatch.claim(store, soon, token=uuid4(), lease_until=soon)


def test_after_a_lift_complaints_count_afresh(store, owner, mailed):
    for message in mailed(100)[:3]:
        complain(store, message)
    assert complaints.lift(store, by=owner.user, at=NOW + timedelta(minutes=1))
    assert not complaints.lift(store, by=owner.user, at=NOW + timedelta(minutes=2))
    assert StopLift.objects.for_store(store).get().by == owner.user
    later = NOW + timedelta(hours=1)
    assert complaints.watch(store, later) == State.GOOD
    for message in mailed(100, at=later)[:3]:
        complain(store, message, at=later)
    assert complaints.is_stopped(store)


def test_each_store_has_its_own(store, other_store, mailed):
    for message in mailed(100)[:3]:
        complain(store, message)
    with acting_for(other_store):
        assert not complaints.is_stopped(other_store)
        assert complaints.watch(other_store, NOW) == State.GOOD
