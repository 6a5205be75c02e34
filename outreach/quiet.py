"""The hours in which a text may reach somebody, or a call: theirs, not ours. Pure.

The country of the number says which hours hold, the zone of the person when they are. Where the zone
is not known the hours must be open in every zone in which they may live. A store may narrow the hours,
never widen them. Nothing is dropped here: a moment outside only has a next opening.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from babel.core import get_global

from outreach.area_codes import STATES, ZONES

Window = tuple[time, time]  # from, until; wall clock
Week = tuple[Window, ...]  # Monday first
CLOSED: Window = (time(0), time(0))
NOWHERE = ("001", "ZZ")  # satellites and free numbers; unknown
LOOK_AHEAD = timedelta(days=9)  # no rule keeps closed for longer than a week


def week(weekday: Window, saturday: Window | None = None, sunday: Window | None = None) -> Week:
    """Seven days; Saturday and Sunday are as the others when nothing is said."""
    return (*[weekday] * 5, saturday or weekday, sunday or weekday)


def hours(opens: int, closes: int) -> Window:
    """Whole hours."""
    return time(opens), time(closes)


# US 47 CFR 64.1200(c)(1), 8:00-21:00 at the person's place, is also what we keep to where we know of no rule.
EVERYWHERE = week(hours(8, 21))
COUNTRIES = {
    # FL 8-20, TX 9-21 and from Sunday noon, CT 9-20 (Fla. Stat. 501.616, TX SB 140, Conn. PA 23-98): one window
    # that keeps to all of them. Source: RELIABILITY section 4, S31 (partly second-hand).
    "US": week(hours(10, 20), sunday=hours(12, 20)),
    # NTC MC 03-03-2005: no broadcast between 21:00 and 07:00.
    "PH": week(hours(7, 21)),
    # Some advertising lines 09:00-21:00; the operator drops what comes outside, and charges for it (S51, second-hand).
    "IR": week(hours(9, 21)),
}
# American states that are stricter still; with the country's hours, not instead of them.
AMERICAN_STATES = {
    # R.I. Gen. Laws 5-61-2(9) and 5-61-3.6: weekdays until 18:00, weekends 10:00-17:00.
    "RI": week(hours(9, 18), hours(10, 17), hours(10, 17)),
    # No calls on Sundays; whether that binds texts with consent is open. Vendors' tables of 2025, second-hand.
    "AL": week(hours(8, 20), sunday=CLOSED),
    "LA": week(hours(8, 20), sunday=CLOSED),
    "MS": week(hours(8, 20), sunday=CLOSED),
    "UT": week(hours(8, 21), sunday=CLOSED),
}
# Where most live, in countries whose zones lie hours apart.
MAIN_ZONES = {
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CD": "Africa/Kinshasa",
    "CL": "America/Santiago",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "FM": "Pacific/Pohnpei",
    "GL": "America/Nuuk",
    "ID": "Asia/Jakarta",
    "KI": "Pacific/Tarawa",
    "MN": "Asia/Ulaanbaatar",
    "MX": "America/Mexico_City",
    "NZ": "Pacific/Auckland",
    "PF": "Pacific/Tahiti",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "US": "America/New_York",
}


@dataclass(frozen=True)
class Shop:
    """What a store says: its own zone, and the narrower hours it wishes (None: the country's)."""

    zone: str
    opens: time | None = None
    closes: time | None = None


@dataclass(frozen=True)
class OpenHours:
    """When somebody may be reached: inside `week` in each of `zones`."""

    week: Week
    zones: tuple[str, ...]
    home: str  # counts alone if the zones have no hour in common


@lru_cache(maxsize=8192)
def hours_of(phone: str, time_zone: str, shop: Shop) -> OpenHours:
    """The hours for a number (E.164) whose owner lives in `time_zone` ('' when they never said)."""
    country = country_of(phone)
    zones, home = _zones(phone, country, time_zone, shop)
    return OpenHours(_week(phone, country, shop), zones, home)


def next_opening(at: datetime, hours: OpenHours) -> datetime:
    """`at` itself when they may be reached then, else the first moment after it; aware UTC.

    Where the zones have no hour in common (Russia, with a store that texts from noon to two only),
    their main zone decides.
    """
    found = _common_opening(at, hours.week, hours.zones)
    return found or _opening(at, hours.week, hours.home).astimezone(UTC)


def country_of(phone: str) -> str:
    """The ISO code of the number's country, its code's main one if several share it; '' when none is known."""
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return ""
    code = number.country_code or 0
    region = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(code)
    return region if region in get_global("territory_zones") and region not in NOWHERE else ""


def _week(phone: str, country: str, shop: Shop) -> Week:
    """The law's hours, narrowed to what the store wishes unless that leaves nothing."""
    law = COUNTRIES.get(country, EVERYWHERE)
    if country == "US":
        law = _both(law, AMERICAN_STATES.get(STATES.get(_area_code(phone), ""), law))
    wish = week((shop.opens or time.min, shop.closes or time.max))
    narrowed = _both(law, wish)
    return narrowed if any(opens < closes for opens, closes in narrowed) else law


def _both(one: Week, other: Week) -> Week:
    """What two weeks have in common; a window that ends before it begins never opens."""
    return tuple((max(a[0], b[0]), min(a[1], b[1])) for a, b in zip(one, other, strict=True))


def _zones(phone: str, country: str, time_zone: str, shop: Shop) -> tuple[tuple[str, ...], str]:
    """Every zone in which they may live, and the likeliest.

    Who said where they live lives there. A store's customers at home live in its own zone, or in that of
    their area code. Elsewhere a number says no more than its country.
    """
    if is_zone(time_zone):
        return (time_zone,), time_zone
    theirs = tuple(get_global("territory_zones").get(country, ()))
    if not theirs:
        return (shop.zone,), shop.zone
    if _country_of_zone(shop.zone) == country:
        moved = ZONES.get(_area_code(phone), ()) if country in ("US", "CA") else ()
        return tuple(dict.fromkeys((shop.zone, *moved))), shop.zone
    return theirs, MAIN_ZONES.get(country, theirs[0])


def is_zone(name: str) -> bool:
    """Whether it names a time zone we know."""
    try:
        return bool(name) and bool(ZoneInfo(name))
    except (KeyError, ValueError, OSError):  # OSError: a folder of the time zone database
        return False


def _country_of_zone(name: str) -> str:
    """The country a time zone belongs to; '' for UTC and its like."""
    return str(get_global("zone_territories").get(get_global("zone_aliases").get(name, name), ""))


def _area_code(phone: str) -> str:
    return phone[2:5] if phone.startswith("+1") else ""


def _common_opening(at: datetime, week: Week, zones: tuple[str, ...]) -> datetime | None:
    """The first moment from `at` on that lies inside the hours of every zone; None when there is none."""
    moment, end = at.astimezone(UTC), at + LOOK_AHEAD
    while moment < end:
        latest = max(_opening(moment, week, zone) for zone in zones)
        if latest == moment:
            return moment
        moment = latest
    return None


def _opening(at: datetime, week: Week, zone: str) -> datetime:
    """The first moment from `at` on inside the hours of one zone.

    By the wall clock of each day: a day of 23 or 25 hours opens when its clocks say so. No zone puts
    its clocks forward or back between 07:00 and 21:00 (a test looks), so every opening is one moment.
    """
    there = ZoneInfo(zone)
    today = at.astimezone(there).date()
    for ahead in range(LOOK_AHEAD.days):
        day = today + timedelta(days=ahead)
        opens, closes = week[day.weekday()]
        start = max(at, _moment(day, opens, there))
        if start < _moment(day, closes, there):
            return start
    return at + LOOK_AHEAD


def _moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
