"""Pure decisions about sending."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

# No texts from 21:00 to 08:00 local. Source: PH NTC MC 03-03-2005 (none 21:00-07:00), US 47 CFR 64.1200 (8-21).
SMS_OPENS, SMS_CLOSES = time(8), time(21)
RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))


class Skip:
    """Why a message was not sent; stands in `Message.reason`."""

    TOO_LATE = "too_late"
    NO_ADDRESS = "no_address"
    NO_CONSENT = "no_consent"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True)
class Way:
    """One channel to a person: the address and what stands against it."""

    channel: str
    address: str
    consented: bool
    suppressed: bool


def choose_way(ways: list[Way], *, is_marketing: bool) -> Way | str:
    """The first way that may be used, or the Skip reason when there is none."""
    reachable = [way for way in ways if way.address]
    if not reachable:
        return Skip.NO_ADDRESS
    open_ways = [way for way in reachable if not way.suppressed]
    if not open_ways:
        return Skip.SUPPRESSED
    allowed = [way for way in open_ways if way.consented or not is_marketing]
    return allowed[0] if allowed else Skip.NO_CONSENT


def next_opening(at: datetime, zone: ZoneInfo) -> datetime:
    """`at` itself when texts may go out then in `zone`, else the next opening; aware UTC either way."""
    local = at.astimezone(zone)
    if SMS_OPENS <= local.time() < SMS_CLOSES:
        return at
    day = local.date() if local.time() < SMS_OPENS else local.date() + timedelta(days=1)
    return datetime.combine(day, SMS_OPENS, tzinfo=zone).astimezone(at.tzinfo)


def retry_at(at: datetime, attempts: int, wait: timedelta | None = None) -> datetime | None:
    """When to try again after `attempts` definite "not now" answers; None to give up."""
    if attempts > len(RETRY_AFTER):
        return None
    return at + (wait or RETRY_AFTER[attempts - 1])
