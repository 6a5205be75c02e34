"""Messages that go together fare as they would one by one: whatever the provider says, whoever falls silent."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db.models import Exists
from django.db.models.functions import Coalesce
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outreach import accounts, dispatch, handover, rendering, rules
from outreach.channels import Blocked, NotNow, Refused, Uncertain
from outreach.models import Kind, Message, MessageEvent, Suppression
from outreach.services import hash_address, unsubscribe
from stores.models import Store
from tests.outreach.claiming import claim, due, person

ANSWERS = {
    "taken": lambda: None,
    "refused": lambda: Refused("550"),
    "blocked": lambda: Blocked("blocked"),
    "not now": lambda: NotNow("429", timedelta(minutes=3)),
    "uncertain": lambda: Uncertain("ReadTimeout"),
    "broken": lambda: RuntimeError("?"),
}
# What else can befall a message after its claim.
FATES = [*ANSWERS, "silent", "lease over", "no words", "begun before"]
COLUMNS = (
    "status",
    "reason",
    "sent_at",
    "provider_id",
    "due_at",
    "started_at",
    "attempts",
    "lease_until",
    "lease_token",
)


@pytest.fixture
def answers(monkeypatch) -> dict[str, str]:
    """What the provider says to each message, by its reference."""
    said: dict[str, str] = {}

    def deliver(letter) -> str:
        error = ANSWERS.get(said[letter.reference], ANSWERS["taken"])()
        if error:
            raise error
        return "id"

    monkeypatch.setattr(accounts, "transport_for", lambda store, channel: deliver)
    monkeypatch.setattr(accounts, "repeats_for", lambda *_: None)
    monkeypatch.setattr(accounts, "look_up_for", lambda *_: None)
    return said


def befall(store: Store, message: Message, fate: str, now) -> None:
    """Between the claim and the hand-over."""
    row = Message.objects.filter(pk=message.pk)
    if fate == "silent":
        unsubscribe(store, message.customer, source="test", at=now)
    elif fate == "lease over":
        row.update(lease_until=now)
    elif fate == "no words":
        message.kind = "unheard of"
    elif fate == "begun before":
        message.started_at = now - timedelta(hours=1)
        row.update(started_at=message.started_at)


def send_one(turn: handover.Turn, message: Message, now) -> None:
    """The plain path that a group equals: each step of one message in a transaction of its own."""
    if message.started_at and not handover.may_repeat(turn.store, message, now):
        handover._mark(turn, message, (Message.Status.UNKNOWN, {"reason": "no answer: given up"}), now)
        return
    try:
        letter = rendering.letter(turn.store, message)
        deliver = handover._channel(turn, message, now)
    except Exception:
        handover._mark(turn, message, (Message.Status.FAILED, {"reason": rules.Skip.NO_WORDS}), now)
        return
    closed = Suppression.objects.for_store(turn.store).filter(
        channel=message.channel, address_hash=hash_address(turn.store, message.channel, message.to)
    )
    mine = Message.objects.for_store(turn.store).filter(
        ~Exists(closed), pk=message.pk, status="sending", lease_token=turn.token, lease_until__gt=now
    )
    if mine.update(started_at=Coalesce("started_at", now), lease_until=now + handover.LEASE):
        fate = handover._hand_over(turn.store, message, letter, deliver, now)
        handover._mark(turn, message, fate, now)
    else:
        handover.give_back(turn, now, pk=message.pk)


def run(store: Store, answers, fates: list[str], now, *, together: bool) -> list[object]:
    """What stands in the tables after all of them were sent in one group, or one after the other."""
    Message.objects.for_store(store).filter(status="pending").update(due_at=now + timedelta(days=999))
    closed = Suppression.objects.for_store(store).count()
    messages = [due(person(store), Kind.REWARD, now) for _fate in fates]
    turn = handover.Turn(store)
    claimed = {message.pk: message for message in claim(store, now, token=turn.token)}
    ours = [claimed[message.pk] for message in messages]
    for message, fate in zip(ours, fates, strict=True):
        answers[message.public_id] = fate
        befall(store, message, fate, now)
    if together:
        handover.send_group(turn, ours, now, seconds=60)
    else:
        for message in ours:
            send_one(turn, message, now)
    rows = [Message.objects.values(*COLUMNS).get(pk=message.pk) for message in messages]
    events = [
        sorted(MessageEvent.objects.filter(message=message).values_list("status", "reason", "at"))
        for message in messages
    ]
    closed = Suppression.objects.for_store(store).count() - closed
    for row in rows:
        row["lease_token"] = row["lease_token"] == turn.token
    return [rows, events, closed]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=8))
def test_a_group_fares_as_its_messages_would_alone(store, answers, now, fates):
    alone = run(store, answers, fates, now, together=False)
    assert run(store, answers, fates, now, together=True) == alone


def test_what_is_not_reached_in_time_was_never_begun(store, answers, now, monkeypatch):
    messages = [due(person(store), Kind.REWARD, now) for _ in range(4)]
    turn = handover.Turn(store)
    turn.transports = {"email": lambda letter: time.sleep(0.05) or "id"}
    ours = claim(store, now, token=turn.token)
    outcome = handover.send_group(turn, ours, now, seconds=0.01)
    rows = Message.objects.filter(pk__in=[one.pk for one in messages])
    assert [one.pk for one in outcome.unreached] == [one.pk for one in ours[1:]]
    assert rows.filter(status="sent").count() == 1
    assert rows.filter(status="sending", started_at=None, lease_token=turn.token).count() == 3
    assert not outcome.is_lost


def test_groups_grow_while_handing_over_takes_no_time_and_end_when_it_does():
    pace = dispatch.Pace()
    sizes = []
    for seconds in (0.0, 0.0, 0.0, 0.0, 0.0, dispatch.LARGE_BATCH * dispatch.AT_HAND * 2, 3.0, 0.0):
        pace.learn(pace.group, handover.Outcome(seconds=seconds))
        sizes.append(pace.group)
    assert sizes == [4, 16, 64, 256, 500, 1, 1, 4]
    assert pace.batch == dispatch.BATCH
    assert dispatch.Pace(group=64).batch == dispatch.LARGE_BATCH


def test_a_provider_outside_of_this_machine_gets_one_after_the_other(store, answers, monkeypatch):
    at, groups = timezone.now(), []
    for _ in range(4):
        due(person(store), Kind.REWARD, at)
    monkeypatch.setattr(accounts, "transport_for", lambda store, channel: lambda letter: time.sleep(0.002) or "id")
    send = handover.send_group
    monkeypatch.setattr(dispatch, "send_group", lambda *a, **k: groups.append(len(a[1])) or send(*a, **k))
    assert dispatch.dispatch_batch(store, dispatch.Pace()) == 4
    assert groups == [1, 1, 1, 1]
