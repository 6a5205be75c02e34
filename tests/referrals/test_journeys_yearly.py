"""Birthdays and anniversaries where the person lives; and who stayed away."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer, Order
from customers.services import Person
from outreach import dispatch
from outreach.kinds import Kind, Trigger
from outreach.models import Message
from referrals import days
from referrals.services import journeying, stopping, yearly
from tests.conftest import NOW, make_order_of
from tests.referrals.journey_world import DAY, HOUR, MINUTE, messages, own, sweep, switch
from tests.referrals.test_days import ZONES

pytestmark = pytest.mark.django_db
MANILA = ZoneInfo("Asia/Manila")
SARA = Person("Sara Ahmadi", "sara@example.com")


def born(customer, month, day, zone=""):
    Customer.objects.filter(pk=customer.pk).update(birth_month=month, birth_day=day, time_zone=zone)
    return customer


def local(on, hour, zone=MANILA):
    return datetime(on.year, on.month, on.day, hour, tzinfo=zone).astimezone(UTC)


class TestBirthdays:
    @pytest.fixture(autouse=True)
    def on(self, store):
        switch(store, Kind.BIRTHDAY)

    def test_at_nine_in_the_stores_zone(self, store, make_customer):
        sara = born(make_customer(), 11, 25)
        on = date(2026, 11, 25)
        sweep(store, local(on, 0) - MINUTE)
        assert not messages(store, Kind.BIRTHDAY)
        sweep(store, local(on, 0))
        told = messages(store, Kind.BIRTHDAY)[0]
        assert told.key == f"birthday:{sara.pk}:2026"
        assert told.due_at == local(on, 9)
        assert told.not_after == local(on + DAY, 0)

    def test_at_nine_where_they_live(self, store, make_customer):
        born(make_customer(), 11, 25, "America/New_York")
        zone, on = ZoneInfo("America/New_York"), date(2026, 11, 25)
        sweep(store, local(on, 12))  # noon in Manila is still the evening before in New York
        assert not messages(store, Kind.BIRTHDAY)
        sweep(store, local(on, 0, zone))
        assert messages(store, Kind.BIRTHDAY)[0].due_at == local(on, 9, zone)

    def test_a_zone_nobody_knows_is_the_stores(self, store, make_customer):
        born(make_customer(), 11, 25, "Mars/Olympus")
        sweep(store, local(date(2026, 11, 25), 0))
        assert len(messages(store, Kind.BIRTHDAY)) == 1

    def test_once_a_year(self, store, make_customer):
        born(make_customer(), 11, 25)
        for year in (2026, 2027):
            start = local(date(year, 11, 25), 0)
            for step in range(4):
                sweep(store, start + step * 15 * MINUTE)
            journeying.repair(store, start + 10 * HOUR)
        assert [one.key.rsplit(":", 1)[1] for one in messages(store, Kind.BIRTHDAY)] == ["2026", "2027"]

    def test_of_a_leap_day_on_the_28th(self, store, make_customer):
        born(make_customer(), 2, 29)
        for year in (2027, 2028):
            sweep(store, local(date(year, 3, 3), 0), since=local(date(year, 2, 25), 0))
        # Long past by the 3rd of March: not a word.
        assert not messages(store, Kind.BIRTHDAY)
        sweep(store, local(date(2027, 2, 28), 0))
        sweep(store, local(date(2028, 2, 28), 0))
        sweep(store, local(date(2028, 2, 29), 0))
        assert [one.due_at for one in messages(store, Kind.BIRTHDAY)] == [
            local(date(2027, 2, 28), 9),
            local(date(2028, 2, 29), 9),
        ]

    @pytest.mark.parametrize(("hour", "told"), [(20, 1), (24, 0)])
    def test_the_repair_of_the_evening_still_wishes_well_that_of_the_next_day_not(
        self, store, make_customer, hour, told
    ):
        on = date(2026, 11, 25)
        born(make_customer(), 11, 25)
        journeying.repair(store, local(on, 0) + hour * HOUR + MINUTE)
        assert [one.not_after for one in messages(store, Kind.BIRTHDAY)] == [local(on + DAY, 0)] * told

    def test_switched_on_at_noon_it_begins_tomorrow(self, store, make_customer):
        switch(store, Kind.BIRTHDAY, since=local(date(2026, 11, 25), 12))
        born(make_customer(), 11, 25)
        sweep(store, local(date(2026, 11, 25), 13), since=local(date(2026, 11, 24), 0))
        assert not messages(store, Kind.BIRTHDAY)

    @pytest.mark.parametrize(("agreed", "status", "reason"), [(True, "sent", ""), (False, "skipped", "no_consent")])
    def test_only_to_who_agreed_to_advertising(self, store, make_customer, agreed, status, reason):
        born(make_customer(consent={"email": agreed}), 11, 25)
        on = date(2026, 11, 25)
        sweep(store, local(on, 0))
        assert not dispatch.rehearse(store, local(on, 9) - MINUTE)
        dispatch.rehearse(store, local(on, 9))
        told = messages(store, Kind.BIRTHDAY)[0]
        assert (told.status, told.reason) == (status, reason)

    def test_off(self, store, make_customer):
        switch(store, Kind.BIRTHDAY, on=False)
        born(make_customer(), 11, 25)
        sweep(store, local(date(2026, 11, 25), 0))
        assert not messages(store, Kind.BIRTHDAY)


def cuts(draw, first, last):
    """Moments that cut a span into pieces of minutes to weeks: how sweeps may come, early or late."""
    found = [first]
    while found[-1] < last:
        found.append(found[-1] + timedelta(minutes=draw(st.sampled_from([1, 61, 600, 9000, 40000]))))
    return found


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_each_birthday_of_three_years_is_found_once_however_the_sweeps_come(store, make_customer, data):
    draw = data.draw
    journey = switch(store, Kind.BIRTHDAY)
    day = draw(st.one_of(st.just(date(2024, 2, 29)), st.dates(date(2024, 1, 1), date(2024, 12, 31))))
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    sara = born(make_customer(), day.month, day.day, str(zone))
    moments = cuts(draw, datetime(2026, 1, 5, tzinfo=UTC), datetime(2029, 1, 5, tzinfo=UTC))
    found = [
        fact
        for since, at in pairwise(moments)
        for fact in yearly._birthdays(store, journey, since, at)
        if fact.customer == sara
    ]
    expected = [
        on
        for year in range(2025, 2031)
        if moments[0] < days.starts_at(on := days.kept_on(day.month, day.day, year), zone) <= moments[-1]
    ]
    assert [fact.key for fact in found] == [f"birthday:{sara.pk}:{on.year}" for on in expected]
    assert [fact.due_at.astimezone(zone).replace(tzinfo=None) for fact in found] == [
        datetime(on.year, on.month, on.day, 9) for on in expected
    ]
    assert all(fact.at <= fact.due_at < fact.not_after for fact in found)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_each_anniversary_is_found_once_however_the_sweeps_come(make_store, data):
    draw, store = data.draw, make_store(timezone=data.draw(st.sampled_from(ZONES)))
    journey = own(store, Trigger.ANNIVERSARY, wait=9 * HOUR)
    leap = datetime(2024, 2, 29, 12, tzinfo=UTC)
    placed = draw(st.one_of(st.just(leap), st.datetimes(datetime(2020, 1, 1), datetime(2025, 12, 1)))).replace(
        tzinfo=UTC
    )
    sara = make_order_of(store, SARA, at=placed, delivered_at=placed + DAY).customer
    make_order_of(store, SARA, at=placed + 40 * DAY)  # a later purchase has no anniversary
    began = placed.astimezone(store.zone).date()
    moments = cuts(draw, datetime(2026, 1, 5, tzinfo=UTC), datetime(2029, 1, 5, tzinfo=UTC))
    found = [fact for since, at in pairwise(moments) for fact in yearly._anniversaries(store, journey, since, at)]
    expected = [
        on
        for year in range(2025, 2031)
        if moments[0] < days.starts_at(on := days.kept_on(began.month, began.day, year), store.zone) <= moments[-1]
    ]
    assert [fact.key for fact in found] == [f"own:{journey.pk}:anniversary:{sara.pk}:{on.year}" for on in expected]


class TestAnniversaries:
    def test_a_year_after_the_first_purchase(self, store):
        own(store, Trigger.ANNIVERSARY, wait=9 * HOUR)
        make_order_of(store, SARA, at=local(date(2025, 11, 25), 23), delivered_at=NOW)
        sweep(store, local(date(2026, 11, 25), 0))
        sweep(store, local(date(2026, 11, 25), 0) + MINUTE)
        assert [one.due_at for one in messages(store, Kind.OWN)] == [local(date(2026, 11, 25), 9)]

    def test_a_first_purchase_that_was_given_back_was_none(self, store):
        own(store, Trigger.ANNIVERSARY)
        make_order_of(store, SARA, at=local(date(2025, 11, 25), 10), refunded_minor=155_000)
        make_order_of(store, SARA, at=local(date(2025, 12, 1), 10), delivered_at=NOW)
        sweep(store, local(date(2026, 11, 25), 0))
        assert not messages(store, Kind.OWN)
        sweep(store, local(date(2026, 12, 1), 0))
        assert len(messages(store, Kind.OWN)) == 1

    def test_none_on_the_day_itself(self, store):
        own(store, Trigger.ANNIVERSARY)
        make_order_of(store, SARA, at=local(date(2026, 11, 25), 0), delivered_at=NOW)
        sweep(store, local(date(2026, 11, 25), 0) + MINUTE)
        assert not messages(store, Kind.OWN)

    def test_none_of_a_purchase_that_never_arrived(self, store):
        own(store, Trigger.ANNIVERSARY)
        make_order_of(store, SARA, at=local(date(2025, 11, 25), 10))
        sweep(store, local(date(2026, 11, 25), 0))
        assert not messages(store, Kind.OWN)

    def test_nothing_in_a_store_that_has_sold_nothing(self, store):
        own(store, Trigger.ANNIVERSARY)
        assert sweep(store, NOW) == 0


def test_a_birthday_of_the_owners_own(store, make_customer):
    journey = own(store, Trigger.BIRTHDAY, wait=10 * HOUR)
    sara = born(make_customer(), 11, 25)
    sweep(store, local(date(2026, 11, 25), 0))
    told = messages(store, Kind.OWN)[0]
    assert told.key == f"own:{journey.pk}:birthday:{sara.pk}:2026"
    assert told.due_at == local(date(2026, 11, 25), 10)
    assert told.not_after == local(date(2026, 11, 26), 0)
    assert told.context["code"]


class TestWhoStayedAway:
    def buy(self, store, at=NOW, **facts):
        return make_order_of(store, SARA, at=at, **{"delivered_at": at + 2 * DAY, **facts})

    def test_after_the_wait_once_an_absence(self, store):
        switch(store, Kind.WELCOME_BACK)
        order = self.buy(store)
        at = NOW + 120 * DAY
        assert not sweep(store, at - MINUTE, since=NOW)
        sweep(store, at)
        sweep(store, at + 20 * MINUTE)
        journeying.repair(store, at + DAY)
        told = messages(store, Kind.WELCOME_BACK)
        assert [(one.key, one.due_at) for one in told] == [(f"welcome_back:{order.customer_id}:2026-11-20", at)]
        self.buy(store, at + 9 * DAY)
        sweep(store, at + 129 * DAY)
        assert len(messages(store, Kind.WELCOME_BACK)) == 2

    @pytest.mark.parametrize("facts", [{}, {"cancelled_at": NOW + 91 * DAY}])
    def test_who_came_back_is_not_missed(self, store, facts):
        switch(store, Kind.WELCOME_BACK)
        self.buy(store)
        self.buy(store, NOW + 90 * DAY, **facts)
        sweep(store, NOW + 120 * DAY)
        assert not messages(store, Kind.WELCOME_BACK)

    def test_who_comes_back_while_it_waits(self, store):
        switch(store, Kind.WELCOME_BACK)
        self.buy(store)
        sweep(store, NOW + 120 * DAY)
        self.buy(store, NOW + 120 * DAY + HOUR)
        assert stopping.stop_pointless(store, NOW + 121 * DAY) == 1
        told = messages(store, Kind.WELCOME_BACK)[0]
        assert (told.status, told.reason) == (Message.Status.SKIPPED, "bought")

    def test_who_still_waits_for_the_parcel_has_not_stayed_away(self, store):
        switch(store, Kind.WELCOME_BACK)
        self.buy(store, delivered_at=None)
        sweep(store, NOW + 120 * DAY)
        assert not messages(store, Kind.WELCOME_BACK)

    def test_at_the_counter_nothing_has_to_arrive(self, store):
        switch(store, Kind.WELCOME_BACK)
        self.buy(store, delivered_at=None, location="main")
        sweep(store, NOW + 120 * DAY)
        assert len(messages(store, Kind.WELCOME_BACK)) == 1

    def test_who_gave_it_back_is_not_missed(self, store):
        switch(store, Kind.WELCOME_BACK)
        order = self.buy(store)
        Order.objects.filter(pk=order.pk).update(refunded_at=NOW + DAY)
        sweep(store, NOW + 120 * DAY)
        assert not messages(store, Kind.WELCOME_BACK)

    def test_switching_it_on_writes_to_nobody_who_has_been_away_for_longer(self, store):
        self.buy(store)
        switch(store, Kind.WELCOME_BACK, since=NOW + 130 * DAY)
        sweep(store, NOW + 131 * DAY, since=NOW)
        journeying.repair(store, NOW + 131 * DAY)
        assert not messages(store, Kind.WELCOME_BACK)

    def test_off(self, store):
        self.buy(store)
        sweep(store, NOW + 120 * DAY)
        assert not messages(store, Kind.WELCOME_BACK)

    def test_the_owners_own(self, store):
        own(store, Trigger.AWAY, wait=30 * DAY)
        own(store, Trigger.AWAY, wait=60 * DAY)
        self.buy(store)
        for day in (30, 60):
            sweep(store, NOW + day * DAY)
        assert [one.due_at for one in messages(store, Kind.OWN)] == [NOW + 30 * DAY, NOW + 60 * DAY]
