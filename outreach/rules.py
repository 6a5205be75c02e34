"""Pure decisions about sending."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach import kinds

RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
MOST_TRIES = 40
REPEAT_MARGIN = timedelta(minutes=5)  # our clock and theirs, and the time it takes
CAP_WINDOW = timedelta(days=7)
ASK_FIRST, ASK_FOR = timedelta(seconds=30), timedelta(hours=24)
# A provider that cannot find a message so long after the line broke has never got it, nor will; and remembers so long.
SURELY_MISSING, REMEMBERED = timedelta(minutes=10), timedelta(hours=10)


class Skip:
    """Why a message was not sent; stands in `Message.reason`."""

    TOO_LATE = "too_late"
    NO_ADDRESS = "no_address"
    NO_CONSENT = "no_consent"
    SUPPRESSED = "suppressed"
    STOPPED = "stopped"
    SWITCHED_OFF = "switched_off"
    NOT_IN_AUDIENCE = "not_in_audience"
    CAPPED = "cap_too_late"
    NO_WORDS = "not_rendered"
    RESTORED = "restored"


class Wait:
    """Why a message goes out later; stands in `Message.reason` while it waits."""

    QUIET_HOURS = "quiet_hours"
    CAP = "cap"


@dataclass(frozen=True)
class Way:
    """One way to a person, and what stands against it.

    `address` is '' where they cannot be reached so; `stopped` says the store itself may not advertise there.
    """

    channel: str
    address: str
    consented: bool = True
    suppressed: bool = False
    stopped: bool = False

    @property
    def is_task(self) -> bool:
        """Whether somebody of the store goes it."""
        return kinds.Way(self.channel).is_task


@dataclass(frozen=True)
class Later:
    """Not now: look again at `at` (aware UTC); `reason` is a Wait."""

    at: datetime
    reason: str


def choose_way(ways: list[Way], *, is_marketing: bool) -> Way | str:
    """The first way that may be used, or the Skip reason when there is none."""
    reachable = [way for way in ways if way.address]
    if not reachable:
        return Skip.NO_ADDRESS
    open_ways = [way for way in reachable if not way.suppressed]
    if not open_ways:
        return Skip.SUPPRESSED
    allowed = [way for way in open_ways if way.consented or not is_marketing]
    if not allowed:
        return Skip.NO_CONSENT
    running = [way for way in allowed if not (is_marketing and way.stopped)]
    return running[0] if running else Skip.STOPPED


def free_at(had: Iterable[datetime], cap: int, at: datetime) -> datetime:
    """When a person who got messages at `had` may get one more, `cap` in any seven days; `at` or later.

    A message leaves the window seven days after it went out, to the moment.
    """
    lately = sorted(moment for moment in had if moment > at - CAP_WINDOW)
    return at if len(lately) < cap else lately[len(lately) - cap] + CAP_WINDOW


def retry_at(at: datetime, attempts: int, wait: timedelta | None = None) -> datetime | None:
    """When to try again after `attempts` definite "not now" answers; None to give up.

    Every two hours in the end, for three days: a provider may be down for one, and what would come too late by then
    has its `not_after`.
    """
    if attempts > MOST_TRIES:
        return None
    return at + (wait or RETRY_AFTER[min(attempts, len(RETRY_AFTER)) - 1])


def may_repeat(at: datetime, begun_at: datetime, repeats: timedelta | None) -> bool:
    """Whether a second hand-over at `at` is still no second message.

    `repeats` is for how long the provider remembers our key since the first; None: it does not.
    """
    return repeats is not None and at + REPEAT_MARGIN < begun_at + repeats


def is_missing(at: datetime, since: datetime) -> bool:
    """Whether "not found", at `at`, about a message handed over at `since`, means that it never arrived."""
    return SURELY_MISSING <= at - since <= REMEMBERED


def ask_again_at(at: datetime, since: datetime) -> datetime | None:
    """When to ask the provider again after a message handed over at `since`; None to let it be.

    The gaps double: a provider that knows at all knows soon, and most forget within a day or two.
    """
    age = at - since
    return at + max(ASK_FIRST, age) if age < ASK_FOR else None
