"""Days that come every year, in every zone, for four hundred years."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals import days

# Half hours, quarters, both ends of the day, clocks that change at midnight.
ZONES = [
    "UTC",
    "Asia/Manila",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "America/Sao_Paulo",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "Europe/Berlin",
    "Africa/Cairo",
    "Asia/Beirut",
]
dates = st.dates(date(1970, 1, 1), date(2400, 12, 31))
zones = st.sampled_from(ZONES).map(ZoneInfo)


@given(dates, st.integers(1970, 2400))
def test_a_day_is_kept_once_a_year_and_in_its_month(born, year):
    kept = days.kept_on(born.month, born.day, year)
    assert (kept.year, kept.month) == (year, born.month)
    assert kept.day == born.day or (born.month, born.day, kept.day) == (2, 29, 28)


@given(dates, st.integers(1970, 2400))
def test_the_days_of_a_date_are_those_kept_on_it(born, year):
    kept = days.kept_on(born.month, born.day, year)
    assert (born.month, born.day) in days.days_of(kept)
    assert all(days.kept_on(*pair, year) == kept for pair in days.days_of(kept))


@pytest.mark.parametrize(
    ("year", "kept"), [(2024, 29), (2025, 28), (2100, 28), (2000, 29), (2400, 29)], ids=lambda value: str(value)
)
def test_the_29th_of_february(year, kept):
    assert days.kept_on(2, 29, year) == date(year, 2, kept)


@given(dates, zones)
def test_a_date_begins_within_itself_and_after_the_one_before(on, zone):
    start = days.starts_at(on, zone)
    assert start.astimezone(zone).date() == on
    assert (start - timedelta(seconds=1)).astimezone(zone).date() < on


@given(dates, zones, st.integers(4, 23))
def test_nine_is_nine_however_long_the_day_is(on, zone, hour):
    shown = days.clock(on, timedelta(hours=hour), zone).astimezone(zone)
    assert (shown.date(), shown.hour, shown.minute) == (on, hour, 0)


@given(st.datetimes(datetime(1970, 1, 2), datetime(2400, 1, 1)), st.integers(0, 10**6), zones)
def test_no_date_that_begins_in_a_span_is_left_out(since, minutes, zone):
    since = since.replace(tzinfo=UTC)
    until = since + timedelta(minutes=minutes)
    between = set(days.dates_between(since, until))
    for on in (until.astimezone(zone).date(), (since + timedelta(seconds=1)).astimezone(zone).date()):
        if since < days.starts_at(on, zone) <= until:
            assert on in between
