"""Hours for texts: whose country, whose zone, the store's narrower wish, and the days when clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel.core import get_global
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach import quiet
from outreach.quiet import COUNTRIES, EVERYWHERE, OpenHours, Shop, hours_of, next_opening

MANILA = Shop("Asia/Manila")
NEW_YORK = Shop("America/New_York")
PLACES = sorted(zone for zones in get_global("territory_zones").values() for zone in zones if zone != "Etc/Unknown")
MINUTE = timedelta(minutes=1)


def at(text: str, zone: str = "UTC") -> datetime:
    """A moment as the clocks of the zone show it."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def opening(text: str, zone: str, phone: str, *, time_zone: str = "", shop: Shop = MANILA) -> str:
    """The next opening for a number, as the clocks of `zone` show it."""
    found = next_opening(at(text, zone), hours_of(phone, time_zone, shop))
    assert found.tzinfo is UTC
    return found.astimezone(ZoneInfo(zone)).isoformat(" ")[:16]


# -- Which hours --


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-17 06:59", "2026-11-17 07:00"),
        ("2026-11-17 07:00", "2026-11-17 07:00"),
        ("2026-11-17 20:59", "2026-11-17 20:59"),
        ("2026-11-17 21:00", "2026-11-18 07:00"),
        ("2026-11-17 23:59", "2026-11-18 07:00"),
    ],
)
def test_filipino_phones_are_left_alone_from_nine_to_seven(moment, opens):
    assert opening(moment, "Asia/Manila", "+639171234567") == opens


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-21 09:59", "2026-11-21 10:00"),  # Saturday
        ("2026-11-21 20:00", "2026-11-22 12:00"),  # Sundays begin at noon
        ("2026-11-22 11:59", "2026-11-22 12:00"),
        ("2026-11-22 20:00", "2026-11-23 10:00"),
    ],
)
def test_american_phones_have_the_hours_that_keep_to_every_large_state(moment, opens):
    assert opening(moment, "America/New_York", "+12125550123", shop=NEW_YORK) == opens


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-20 17:59", "2026-11-20 17:59"),  # Friday
        ("2026-11-20 18:00", "2026-11-21 10:00"),
        ("2026-11-21 17:00", "2026-11-22 12:00"),
        ("2026-11-22 17:00", "2026-11-23 10:00"),
    ],
)
def test_rhode_island_closes_earlier(moment, opens):
    assert opening(moment, "America/New_York", "+14012345678", shop=NEW_YORK) == opens


def test_some_states_rest_on_sundays():
    assert opening("2026-11-21 20:00", "America/Chicago", "+12052345678", shop=Shop("America/Chicago")) == (
        "2026-11-23 10:00"
    )


def test_iranian_phones():
    assert opening("2026-11-17 08:00", "Asia/Tehran", "+989121234567") == "2026-11-17 09:00"
    assert opening("2026-11-17 21:00", "Asia/Tehran", "+989121234567") == "2026-11-18 09:00"


def test_elsewhere_eight_to_nine():
    assert opening("2026-11-17 07:00", "Europe/Berlin", "+4915112345678") == "2026-11-17 08:00"
    assert opening("2026-11-17 21:00", "Europe/Berlin", "+4915112345678") == "2026-11-18 08:00"


@pytest.mark.parametrize("phone", ["", "not a number", "+881612345678", "+80012345678"])
def test_a_number_of_no_country_has_the_stores_zone(phone):
    assert opening("2026-11-17 21:00", "Asia/Manila", phone) == "2026-11-18 08:00"


# -- Whose clocks --


def test_who_said_where_they_live_lives_there_and_keeps_the_hours_of_their_phone():
    assert opening("2026-11-17 05:00", "Europe/Paris", "+639171234567", time_zone="Europe/Paris") == "2026-11-17 07:00"


@pytest.mark.parametrize("nonsense", ["Mars/Olympus", "Europe", "../etc/passwd", "\0"])
def test_a_zone_that_is_none_is_passed_over(nonsense):
    assert hours_of("+639171234567", nonsense, MANILA).zones == ("Asia/Manila",)


def test_a_store_at_home_goes_by_its_own_zone():
    sydney = Shop("Australia/Sydney")
    assert hours_of("+61412345678", "", sydney).zones == ("Australia/Sydney",)


def test_an_area_code_far_from_the_store_closes_hours_and_opens_none():
    """Ten in New York is seven in Los Angeles."""
    assert opening("2026-11-17 10:00", "America/New_York", "+12135550123", shop=NEW_YORK) == "2026-11-17 13:00"
    assert opening("2026-11-17 20:00", "America/New_York", "+12135550123", shop=NEW_YORK) == "2026-11-18 13:00"


def test_from_abroad_it_is_open_only_where_every_zone_of_the_country_is():
    """New York closes at eight, Honolulu opens at ten: five hours are left of the day in winter, four in summer."""
    assert opening("2026-11-17 00:00", "America/New_York", "+12125550123") == "2026-11-17 15:00"
    assert opening("2026-11-17 20:00", "America/New_York", "+12125550123") == "2026-11-18 15:00"
    assert opening("2026-07-15 00:00", "America/New_York", "+12125550123") == "2026-07-15 16:00"


def test_a_store_that_never_said_where_it_is_counts_as_abroad():
    assert hours_of("+639171234567", "", Shop("UTC")).zones == ("Asia/Manila",)


def test_zones_without_a_common_hour_give_way_to_the_main_one():
    """Noon to two is over in Kamchatka before Kaliningrad has it."""
    wish = Shop("Asia/Manila", time(12), time(14))
    assert opening("2026-11-17 00:00", "Europe/Moscow", "+79161234567", shop=wish) == "2026-11-17 12:00"
    assert opening("2026-11-17 14:00", "Europe/Moscow", "+79161234567", shop=wish) == "2026-11-18 12:00"


def test_every_country_has_common_hours_by_law():
    """So the exception above is made for a store's wish alone (and for Antarctica)."""
    zones = {country: places for country, places in get_global("territory_zones").items() if country not in ("AQ",)}
    for country in set(zones) - set(quiet.NOWHERE):
        week = COUNTRIES.get(country, EVERYWHERE)
        assert quiet._common_opening(at("2026-11-15 00:00"), week, tuple(zones[country])), country


# -- The store's wish --


def test_a_store_may_narrow_the_hours():
    wish = Shop("Asia/Manila", time(10), time(18, 30))
    assert opening("2026-11-17 08:00", "Asia/Manila", "+639171234567", shop=wish) == "2026-11-17 10:00"
    assert opening("2026-11-17 18:30", "Asia/Manila", "+639171234567", shop=wish) == "2026-11-18 10:00"


def test_a_store_may_not_widen_them():
    wish = Shop("Asia/Manila", time(0), time(23, 59))
    assert opening("2026-11-17 21:00", "Asia/Manila", "+639171234567", shop=wish) == "2026-11-18 07:00"


@pytest.mark.parametrize(("opens", "closes"), [(time(21), time(23)), (time(18), time(9)), (time(12), time(12))])
def test_a_wish_that_leaves_nothing_is_none(opens, closes):
    wish = Shop("Asia/Manila", opens, closes)
    assert opening("2026-11-17 21:00", "Asia/Manila", "+639171234567", shop=wish) == "2026-11-18 07:00"


def test_a_wish_that_leaves_no_sunday_leaves_the_other_days():
    wish = Shop("America/New_York", None, time(11))
    assert opening("2026-11-21 11:00", "America/New_York", "+12125550123", shop=wish) == "2026-11-23 10:00"


# -- Clocks that change --


def test_the_day_without_an_hour_opens_by_its_own_clocks():
    """Berlin, 28 March 2027: the night has an hour less."""
    evening = at("2027-03-27 21:00", "Europe/Berlin")
    hours = hours_of("+4915112345678", "", MANILA)
    assert next_opening(evening, hours) - evening == timedelta(hours=10)


def test_the_day_with_an_hour_more_opens_by_its_own_clocks():
    evening = at("2026-10-24 21:00", "Europe/Berlin")
    hours = hours_of("+4915112345678", "", MANILA)
    assert next_opening(evening, hours) - evening == timedelta(hours=12)


def test_no_zone_changes_its_clocks_inside_the_hours():
    """What `quiet._opening` relies on. Easter Island puts them back to 21:00 sharp, when all is closed."""
    for name in PLACES:
        for moment in changes(ZoneInfo(name), date(2024, 1, 1), date(2036, 1, 1)):
            before = (moment - timedelta(seconds=1)).astimezone(ZoneInfo(name)).time()
            after = moment.astimezone(ZoneInfo(name)).time()
            assert not time(7) < before < time(21), (name, moment)
            assert not time(7) < after < time(21), (name, moment)


def changes(zone: ZoneInfo, first: date, last: date) -> list[datetime]:
    """The moments at which the zone's offset changes."""
    found, moment, end = [], *(datetime.combine(day, time(), UTC) for day in (first, last))
    while moment < end:
        later = moment + timedelta(days=7)
        if moment.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset():
            low, high = moment, later
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                same = middle.astimezone(zone).utcoffset() == moment.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append(high.replace(microsecond=0))
        moment = later
    return found


@settings(max_examples=300, deadline=None, database=None)
@given(
    zones=st.lists(st.sampled_from(PLACES), min_size=1, max_size=3),
    country=st.sampled_from(["US", "PH", "IR", ""]),
    minutes=st.integers(0, 12 * 365 * 24 * 60),
)
def test_the_next_opening_is_open_and_nothing_before_it_is(zones, country, minutes):
    """Against a walk, a quarter of an hour at a time: every country's hours begin and end at full hours."""
    week = COUNTRIES.get(country, EVERYWHERE)
    start = at("2024-01-01 00:00") + minutes * MINUTE
    found = next_opening(start, OpenHours(week, tuple(zones), zones[0]))
    if not is_open(found, week, zones):  # the exception: then no moment of the week has them all open
        assert not any(is_open(moment, week, zones) for moment in quarters(start, start + timedelta(days=8)))
        zones = zones[:1]
    assert found >= start
    assert is_open(found, week, zones)
    assert not any(is_open(moment, week, zones) for moment in quarters(start, found))


def is_open(moment: datetime, week: quiet.Week, zones: list[str]) -> bool:
    """By nothing but the clocks on the walls."""
    clocks = [moment.astimezone(ZoneInfo(zone)) for zone in zones]
    return all(week[clock.weekday()][0] <= clock.time() < week[clock.weekday()][1] for clock in clocks)


def quarters(start: datetime, end: datetime) -> list[datetime]:
    """`start`, and every full quarter of an hour after it and before `end`."""
    if start >= end:
        return []
    first = start.replace(minute=start.minute // 15 * 15, second=0) + timedelta(minutes=15)
    count = max(0, -((first - end) // timedelta(minutes=15)))
    return [start, *(first + number * timedelta(minutes=15) for number in range(count))]
