"""Months and tax years in both calendars."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards import spans

DAYS = st.dates(date(1990, 1, 1), date(2099, 12, 31))


@given(DAYS, st.booleans())
def test_every_day_is_in_its_month_and_months_follow_each_other(on, jalali):
    month = spans.month_of(on, jalali=jalali)
    assert month.first <= on < month.after
    assert 28 <= (month.after - month.first).days <= 31
    assert spans.month_of(month.before, jalali=jalali).after == month.first


@given(DAYS, st.integers(1, 12), st.booleans())
def test_every_day_is_in_its_tax_year(on, month, jalali):
    start = spans.year_start(on, month, jalali=jalali)
    assert timedelta(0) <= on - start <= timedelta(days=365)
    assert spans.year_start(start - timedelta(days=1), month, jalali=jalali) < start


def test_the_persian_month():
    month = spans.month_of(date(2026, 11, 22), jalali=True)
    assert (month.first, month.after) == (date(2026, 11, 22), date(2026, 12, 22))
    assert month.label("fa") == "آذر ۱۴۰۵"
    assert spans.month_of(date(2026, 11, 22)).label("en") == "November 2026"


def test_the_iranian_year_begins_in_spring():
    assert spans.year_start(date(2026, 11, 22), 1, jalali=True) == date(2026, 3, 21)


def test_a_month_begins_by_the_stores_clock():
    start, end = spans.month_of(date(2026, 11, 22)).bounds(ZoneInfo("Asia/Manila"))
    assert (start, end) == (datetime(2026, 10, 31, 16, tzinfo=UTC), datetime(2026, 11, 30, 16, tzinfo=UTC))


@pytest.mark.parametrize("typed", ["2026-11-22", "۱۴۰۵/۹/۱", "1405-09-01", " ٢٠٢٦-١١-٢٢ "])
def test_a_day_is_read_in_any_script_and_calendar(typed):
    assert spans.read_day(typed) == date(2026, 11, 22)


@pytest.mark.parametrize(
    "typed", ["", "tomorrow", "2026-13-01", "1405/12/31", "0001-01-01", "9999-01-01", "22-11-2026"]
)
def test_what_is_no_day(typed):
    assert spans.read_day(typed) is None
