"""Journeys in words: when they start, how long that is, in which families the owner finds them."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from outreach.kinds import Kind, Purpose, Trigger, Way
from outreach.models import Journey
from stores.l10n import local_digits

FAMILIES: tuple[tuple[str, Promise, tuple[Kind, ...]], ...] = (
    (
        "questions",
        gettext_lazy("Questions and what follows"),
        (Kind.SURVEY, Kind.SURVEY_REMINDER, Kind.PERIODIC, Kind.SORRY, Kind.FOLLOW_UP, Kind.TESTIMONIAL),
    ),
    (
        "asks",
        gettext_lazy("Asking for a good word"),
        (Kind.ASK, Kind.SHARE_REMINDER, Kind.REASK, Kind.BROUGHT_HERE, Kind.TIER_NEAR),
    ),
    (
        "friends",
        gettext_lazy("Friends and rewards"),
        (
            Kind.GIFT,
            Kind.GIFT_EXPIRING,
            Kind.FRIEND_CLAIMED,
            Kind.FRIEND_BOUGHT,
            Kind.FRIEND_APPROVED,
            Kind.REWARD,
            Kind.REWARD_EXPIRING,
            Kind.REWARD_VOIDED,
            Kind.TIER_REACHED,
        ),
    ),
    ("touch", gettext_lazy("Keeping in touch"), (Kind.CONGRATULATIONS, Kind.BIRTHDAY, Kind.WELCOME_BACK)),
    ("own", gettext_lazy("Your own"), (Kind.OWN,)),
)

# What an owner may let a message of their own start with.
OWN_TRIGGERS = (
    Trigger.MANUAL,
    Trigger.ORDER,
    Trigger.DELIVERED,
    Trigger.FIRST_ORDER,
    Trigger.NTH_ORDER,
    Trigger.SCORE,
    Trigger.SOLVED,
    Trigger.BIRTHDAY,
    Trigger.ANNIVERSARY,
    Trigger.AWAY,
    Trigger.EVENT,
)
# Set elsewhere, or fixed: the wait of these is not asked for.
WITHOUT_WAIT = {Kind.SURVEY, Kind.PERIODIC, Kind.ASK, Kind.GIFT, Kind.SHARE_REMINDER}
# The wait of these counts back from the end.
BEFORE = {Kind.REWARD_EXPIRING, Kind.GIFT_EXPIRING}
WITH_NUMBER = {Kind.CONGRATULATIONS}

# When each starts: at once, and after a wait.
_AT_ONCE: dict[str, Promise] = {
    Kind.SURVEY: gettext_lazy("When a purchase has shown its value"),
    Kind.PERIODIC: gettext_lazy("Every so often, as your questions say"),
    Kind.SORRY: gettext_lazy("As soon as somebody answers 0 to 6"),
    Kind.FOLLOW_UP: gettext_lazy("When a case is solved"),
    Kind.TESTIMONIAL: gettext_lazy("At an answer of %(number)s or more"),
    Kind.ASK: gettext_lazy("When a question stays unanswered and nothing went wrong"),
    Kind.GIFT: gettext_lazy("As soon as a friend takes the gift"),
    Kind.FRIEND_CLAIMED: gettext_lazy("As soon as their friend takes the gift"),
    Kind.FRIEND_BOUGHT: gettext_lazy("As soon as their friend buys"),
    Kind.FRIEND_APPROVED: gettext_lazy("As soon as their friend’s purchase counts"),
    Kind.REWARD: gettext_lazy("As soon as a reward is earned"),
    Kind.REWARD_VOIDED: gettext_lazy("As soon as a reward is taken back"),
    Kind.TIER_REACHED: gettext_lazy("As soon as they reach a new level"),
    Trigger.MANUAL: gettext_lazy("When you press send"),
    Trigger.ORDER: gettext_lazy("At every purchase"),
    Trigger.DELIVERED: gettext_lazy("At every delivery"),
    Trigger.FIRST_ORDER: gettext_lazy("At the first purchase"),
    Trigger.NTH_ORDER: gettext_lazy("At purchase number %(number)s"),
    Trigger.EVENT: gettext_lazy("When your systems report “%(event)s”"),
    Trigger.SCORE: gettext_lazy("At an answer of %(number)s or more"),
    Trigger.SOLVED: gettext_lazy("When a case is solved"),
    Trigger.BIRTHDAY: gettext_lazy("At the start of their birthday"),
    Trigger.ANNIVERSARY: gettext_lazy("On the anniversary of their first purchase"),
    Trigger.AWAY: gettext_lazy("When they stay away"),
}
_LATER: dict[str, Promise] = {
    Kind.SURVEY: gettext_lazy("%(wait)s after a purchase has shown its value"),
    Kind.SURVEY_REMINDER: gettext_lazy("%(wait)s after the question, if it has no answer"),
    Kind.FOLLOW_UP: gettext_lazy("%(wait)s after a case is solved"),
    Kind.SORRY: gettext_lazy("%(wait)s after an answer of 0 to 6"),
    Kind.TESTIMONIAL: gettext_lazy("%(wait)s after an answer of 9 or 10 with kind words"),
    Kind.REASK: gettext_lazy("%(wait)s after they were last asked"),
    Kind.FRIEND_CLAIMED: gettext_lazy("%(wait)s after their friend takes the gift"),
    Kind.FRIEND_BOUGHT: gettext_lazy("%(wait)s after their friend buys"),
    Kind.FRIEND_APPROVED: gettext_lazy("%(wait)s after their friend’s purchase counts"),
    Kind.REWARD: gettext_lazy("%(wait)s after a reward is earned"),
    Kind.REWARD_EXPIRING: gettext_lazy("%(wait)s before a reward ends"),
    Kind.REWARD_VOIDED: gettext_lazy("%(wait)s after a reward is taken back"),
    Kind.TIER_REACHED: gettext_lazy("%(wait)s after they reach a new level"),
    Kind.TIER_NEAR: gettext_lazy("%(wait)s after a friend brings them close to the next level"),
    Kind.GIFT_EXPIRING: gettext_lazy("%(wait)s before a friend’s gift ends"),
    Kind.BROUGHT_HERE: gettext_lazy("%(wait)s after the delivery to somebody a friend brought"),
    Trigger.ORDER: gettext_lazy("%(wait)s after every purchase"),
    Trigger.DELIVERED: gettext_lazy("%(wait)s after every delivery"),
    Trigger.FIRST_ORDER: gettext_lazy("%(wait)s after the first purchase"),
    Trigger.NTH_ORDER: gettext_lazy("%(wait)s after purchase number %(number)s"),
    Trigger.EVENT: gettext_lazy("%(wait)s after your systems report “%(event)s”"),
    Trigger.SCORE: gettext_lazy("%(wait)s after an answer of %(number)s or more"),
    Trigger.SOLVED: gettext_lazy("%(wait)s after a case is solved"),
    Trigger.BIRTHDAY: gettext_lazy("%(wait)s into their birthday"),
    Trigger.ANNIVERSARY: gettext_lazy("%(wait)s into the anniversary of their first purchase"),
    Trigger.AWAY: gettext_lazy("When they have not bought for %(wait)s"),
}
_USUAL_NUMBER = {Trigger.NTH_ORDER: 5, Trigger.SCORE: 9}


def usual_number(journey: Journey) -> int | None:
    """The number where the owner has not set one, of kinds that need one."""
    return _USUAL_NUMBER[Trigger.NTH_ORDER] if journey.kind in WITH_NUMBER else None


def name_of(journey: Journey) -> str:
    """What the owner calls it."""
    return journey.name or str(Kind(journey.kind).label)


def when(journey: Journey) -> str:
    """What starts it, and after how long."""
    if journey.kind == Kind.SHARE_REMINDER:
        days = journey.options.get("spacing") or spacing_of(journey)
        return _("%(days)s days after they were asked, if they have not shared") % {"days": listed(days)}
    key = journey.trigger if journey.kind == Kind.OWN or journey.kind not in {*_AT_ONCE, *_LATER} else journey.kind
    first, second = (_LATER, _AT_ONCE) if journey.wait_minutes else (_AT_ONCE, _LATER)
    words = first.get(key) or second.get(key) or Trigger(journey.trigger).label
    return str(words) % {
        "wait": duration(journey.wait_minutes),
        "number": _digits(
            journey.number if journey.number is not None else _USUAL_NUMBER.get(Trigger(journey.trigger), "")
        ),
        "event": journey.event_kind,
    }


def trigger_label(trigger: Trigger) -> str:
    """A trigger to choose."""
    if trigger is Trigger.NTH_ORDER:
        return _("A certain purchase: the second, the fifth …")
    return capfirst(str(trigger.label))


def spacing_of(journey: Journey) -> list[int]:
    """The gaps between reminders in days, where the owner has not set them: each twice the one before."""
    first = max(1, round(journey.wait_minutes / 1440))
    return [first, 2 * first, 4 * first]


def listed(numbers: list[int]) -> str:
    """Numbers one after the other, in the language's digits."""
    comma = "، " if get_language() == "fa" else ", "
    return comma.join(_digits(one) for one in numbers)


def _digits(number: object) -> str:
    return local_digits(str(number), get_language() or "en")


def duration(minutes: int) -> str:
    """A span in the largest unit that fits: 3 days, 90 minutes."""
    amount, unit = amount_and_unit(minutes)
    if unit == "days":
        return ngettext("%(count)s day", "%(count)s days", amount) % {"count": _digits(amount)}
    if unit == "hours":
        return ngettext("%(count)s hour", "%(count)s hours", amount) % {"count": _digits(amount)}
    return ngettext("%(count)s minute", "%(count)s minutes", amount) % {"count": _digits(amount)}


MINUTES = {"minutes": 1, "hours": 60, "days": 1440}


def amount_and_unit(minutes: int) -> tuple[int, str]:
    """The span as the form has it."""
    unit = next((unit for unit in ("days", "hours") if minutes and minutes % MINUTES[unit] == 0), "minutes")
    return minutes // MINUTES[unit], unit if minutes else "days"


def to_whom(journey: Journey) -> str:
    """Who may get it, by law and by the owner's choice."""
    if journey.segment:
        return _("Only to: %(audience)s") % {"audience": journey.segment.name}
    return ""


def purpose(journey: Journey) -> str:
    """What the law makes of it."""
    fixed = Kind(journey.kind).spec.purpose
    if fixed is Purpose.MARKETING:
        return _("Advertising by law: goes only to those who agreed, and never to the unhappy.")
    if fixed is Purpose.TRANSACTIONAL:
        return _("Answers what they have just done: goes to whoever did it.")
    return _("About their own purchase, answer or reward: goes to everybody but those who asked for silence.")


def ways_of(journey: Journey) -> list[Way]:
    """The ways, in order."""
    return [Way(way) for way in journey.ways if way in Way.values]
