"""A clock that goes through days on which clocks change, in twelve zones, with texts falling due all the time.

Each goes out at the first moment at which the clocks on the wall of the person who gets it allow it.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from customers.models import Customer
from outreach import dispatch, judging
from outreach.models import Kind, Message

STEP = timedelta(minutes=10)
DAY = timedelta(hours=24)
DAYLIGHT, AMERICAN, FILIPINO, IRANIAN = (8, 21), (10, 20), (7, 21), (9, 21)
PEOPLE = {  # zone: (phone, its hours)
    "America/New_York": ("+12125550123", AMERICAN),
    "America/Los_Angeles": ("+12135550123", AMERICAN),
    "America/St_Johns": ("+17092345678", DAYLIGHT),  # half an hour off
    "America/Santiago": ("+56212345678", DAYLIGHT),  # south: summer in December; at midnight
    "Europe/London": ("+447911123456", DAYLIGHT),
    "Europe/Berlin": ("+4915112345678", DAYLIGHT),
    "Africa/Johannesburg": ("+27821234567", DAYLIGHT),  # never
    "Asia/Tehran": ("+989121234567", IRANIAN),
    "Asia/Kathmandu": ("+9779812345678", DAYLIGHT),  # a quarter of an hour off
    "Asia/Manila": ("+639171234567", FILIPINO),
    "Australia/Sydney": ("+61412345678", DAYLIGHT),  # south
    "Australia/Lord_Howe": ("+61412345679", DAYLIGHT),  # by half an hour only
}
CHANGES = {  # noon before the night in which the clocks change, UTC
    "northern spring, America": datetime(2027, 3, 13, 12, tzinfo=UTC),
    "northern spring, Europe": datetime(2027, 3, 27, 12, tzinfo=UTC),
    "northern autumn, Europe": datetime(2026, 10, 24, 12, tzinfo=UTC),
    "northern autumn, America": datetime(2026, 10, 31, 12, tzinfo=UTC),
    "southern spring": datetime(2026, 10, 3, 12, tzinfo=UTC),  # 3 October: Australia
    "southern spring, Chile": datetime(2026, 9, 5, 12, tzinfo=UTC),
    "southern autumn": datetime(2027, 4, 3, 12, tzinfo=UTC),
}


@pytest.fixture
def texts(store):
    """A text a person and step, in the day from `start` on; the store has no weekly cap to speak of."""
    store.weekly_cap = 32_000
    store.save(update_fields=["weekly_cap"])
    people = Customer.objects.bulk_create(
        Customer(store=store, name="Sara", phone=phone, phone_norm=phone, sms_consent=True, time_zone=zone)
        for zone, (phone, _hours) in PEOPLE.items()
    )

    def plan(start: datetime) -> list[Message]:
        moments = [start + STEP * number for number in range(DAY // STEP)]
        return Message.objects.bulk_create(
            Message(
                store=store,
                customer=person,
                kind=Kind.REWARD,
                key=f"{person.pk}:{moment}",
                due_at=moment,
                created_at=moment,
                not_after=moment + timedelta(days=30),
            )
            for person in people
            for moment in moments
        )

    return plan


def is_open(zone: str, at: datetime) -> bool:
    """By nothing but the clock on the wall."""
    wall, (opens, closes) = at.astimezone(ZoneInfo(zone)), PEOPLE[zone][1]
    if PEOPLE[zone][1] == AMERICAN and wall.weekday() == 6:
        opens = 12
    return time(opens) <= wall.time() < time(closes)


def went_out(store, start) -> dict[int, datetime]:
    """Let the clock run for two days, a step at a time; when each message was claimed."""
    claimed = {}
    for number in range(2 * DAY // STEP):
        now = start + STEP * number
        for message in dispatch.claim(store, now, token=uuid4(), lease_until=now, limit=5000):
            assert message.channel == "sms"
            claimed[message.pk] = now
    return claimed


@pytest.mark.parametrize("change", CHANGES)
def test_texts_go_out_at_the_next_opening_where_their_reader_lives(store, texts, change):
    start = CHANGES[change]
    planned = texts(start)
    claimed = went_out(store, start)
    outside = [one for one in planned if not is_open(one.customer.time_zone, claimed.get(one.pk, start))]
    late = [one for one in planned if claimed.get(one.pk) != first_open(one)]
    print(f"{change}: {len(planned)} due, {len(claimed)} out, {len(outside)} outside hours, {len(late)} not at once")
    assert set(claimed) == {one.pk for one in planned}
    assert outside == []
    assert late == []
    assert 0 < sum(claimed[one.pk] > one.due_at for one in planned) < len(planned)  # some waited, some did not


def first_open(message: Message) -> datetime:
    """The first step from its due time on at which the reader's clock allows it."""
    moment = message.due_at
    while not is_open(message.customer.time_zone, moment):
        moment += STEP
    return moment


def test_control_without_the_rule_texts_go_out_at_night(store, texts, monkeypatch):
    monkeypatch.setattr(judging, "next_opening", lambda shop, person, at: at)
    start = CHANGES["northern spring, Europe"]
    planned = texts(start)
    claimed = went_out(store, start)
    outside = [one for one in planned if not is_open(one.customer.time_zone, claimed[one.pk])]
    print(f"control: {len(outside)} of {len(planned)} outside hours")
    assert len(outside) > len(planned) / 3


def test_control_by_the_stores_own_clock_texts_go_out_at_night(store, texts, monkeypatch):
    """What most senders do."""
    real = judging.quiet.hours_of
    monkeypatch.setattr(judging.quiet, "hours_of", lambda phone, zone, shop: real(phone, shop.zone, shop))
    start = CHANGES["northern spring, Europe"]
    planned = texts(start)
    claimed = went_out(store, start)
    outside = [one for one in planned if not is_open(one.customer.time_zone, claimed.get(one.pk, start))]
    print(f"control: {len(outside)} of {len(planned)} outside hours")
    assert len(outside) > len(planned) / 4


def test_what_would_come_too_late_is_not_deferred_but_skipped(store, texts):
    start = datetime(2026, 11, 17, 14, tzinfo=UTC)  # ten at night in Manila
    for message in texts(start):
        Message.objects.filter(pk=message.pk).update(not_after=start + timedelta(hours=8))
    dispatch.claim(store, start, token=uuid4(), lease_until=start, limit=5000)
    fates = dict(Message.objects.filter(due_at=start).values_list("customer__time_zone", "reason"))
    assert fates["Asia/Manila"] == "too_late"  # opens nine hours later
    assert "Europe/Berlin" in fates
    assert not set(fates.values()) - {"too_late", ""}
