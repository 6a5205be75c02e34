"""What is different in a journey, old and new, in words; and whom that concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from customers.models import Segment
from outreach import journey_wording as wording
from outreach.kinds import Kind, Trigger, Way
from outreach.models import Journey, Message
from outreach.publishing import COLUMNS, Facts, facts_of
from outreach.words import PIECES
from stores import drafts
from stores.l10n import local_digits

EXCERPT, BEFORE_IT = 80, 20  # characters of a long text that are shown, from a little before the difference
MOST_COUNTED, LATELY = 10_000, timedelta(days=30)
Say = Callable[[Journey, Any], str]

NAMES = {
    "subject": gettext_lazy("Subject"),
    "body": gettext_lazy("Letter"),
    "button": gettext_lazy("Button"),
    "sms": gettext_lazy("Text message"),
    "script": gettext_lazy("What to say or write"),
}


def in_words(journey: Journey, before: Facts, after: Facts) -> list[str]:
    """A sentence for each difference; empty when there is none."""
    return [*_plan(journey, before["plan"], after["plan"]), *_words(before["words"], after["words"])]


# -- When, how, to whom --


def _plan(journey: Journey, before: Facts, after: Facts) -> Iterator[str]:
    for name in COLUMNS:
        title, say = SENTENCES[name]
        old, new = say(journey, before[name]), say(journey, after[name])
        if old != new:
            yield _("%(what)s: %(after)s. Before: %(before)s.") % {"what": title, "after": new, "before": old}


def number(value: int) -> str:
    """A number in the digits of the active language."""
    return local_digits(str(value), get_language() or "en")


def _text(_journey: Journey, value: str) -> str:
    return f"“{value}”" if value else "–"


def _yes(_journey: Journey, value: bool) -> str:
    return _("yes") if value else _("no")


def _trigger(_journey: Journey, value: str) -> str:
    return wording.trigger_label(Trigger(value))


def _number(journey: Journey, value: int | None) -> str:
    usual = wording.usual_number(journey)
    shown = usual if value is None else value
    return "–" if shown is None else number(shown)


def _wait(_journey: Journey, value: int) -> str:
    return wording.duration(value) if value else _("at once")


def _options(journey: Journey, value: dict[str, Any]) -> str:
    if journey.kind != Kind.SHARE_REMINDER:
        return ""
    return wording.listed(value.get("spacing") or wording.spacing_of(journey))


def _ways(_journey: Journey, value: list[str]) -> str:
    return _(", then ").join(str(Way(way).label) for way in value if way in Way.values) or "–"


def _audience(journey: Journey, value: int | None) -> str:
    if value is None:
        return _("everybody it may go to")
    found = Segment.objects.for_store(journey.store).filter(pk=value).first()
    return found.name if found else _("a segment that is not there any more")


SENTENCES: dict[str, tuple[Any, Say]] = {
    "name": (gettext_lazy("Name"), _text),
    "is_on": (gettext_lazy("Switched on"), _yes),
    "trigger": (gettext_lazy("Starts with"), _trigger),
    "event_kind": (gettext_lazy("Event"), _text),
    "number": (gettext_lazy("Number"), _number),
    "wait_minutes": (gettext_lazy("How long after"), _wait),
    "options": (gettext_lazy("Days from one to the next"), _options),
    "ways": (gettext_lazy("Ways"), _ways),
    "segment_id": (gettext_lazy("To whom"), _audience),
}

# -- Words --


def _words(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> Iterator[str]:
    for language, label in settings.LANGUAGES:
        old, new = before.get(language, {}), after.get(language, {})
        for name in PIECES:
            was, says = old.get(name, ""), new.get(name, "")
            if was != says:
                start = max(0, _first_difference(was, says) - BEFORE_IT) if was and says else 0
                told = {"after": excerpt(says, start), "before": excerpt(was, start)}
                facts: dict[str, Any] = {"piece": NAMES[name], "language": label, **told}
                yield _("%(piece)s, %(language)s: %(after)s. Before: %(before)s.") % facts


def excerpt(text: str, start: int = 0) -> str:
    """A piece of words, shortened and quoted; what is empty is said in ours."""
    if not text:
        return _("our words")
    flat = " ".join(text[start:].split())
    shown = flat if len(flat) <= EXCERPT else flat[: EXCERPT - 1].rstrip() + "…"
    return f"“{'…' if start else ''}{shown}”"


def _first_difference(one: str, other: str) -> int:
    shorter = min(len(one), len(other))
    return next((place for place in range(shorter) if one[place] != other[place]), shorter)


# -- Whom it concerns --


def coming_of(journey: Journey, wanted: Facts, at: datetime) -> drafts.Coming:
    """What publishing `wanted` changes, and for whom."""
    in_force = facts_of(journey)
    lines = in_words(journey, in_force, wanted)
    return drafts.Coming(
        lines,
        drafts.seal(in_force, wanted),
        keeps=keeps(journey, at) if lines else [],
        gets=gets(journey, wanted) if lines else [],
    )


def keeps(journey: Journey, at: datetime) -> list[str]:
    """What went out already."""
    gone = _messages(journey).filter(status=Message.Status.SENT, due_at__gt=at - LATELY, due_at__lte=at)
    count = gone.order_by()[:MOST_COUNTED].count()
    words = ngettext(
        "%(count)s message of the last 30 days went out as it was.",
        "%(count)s messages of the last 30 days went out as they were.",
        count,
    )
    return [words % {"count": number(count)}] if count else []


def gets(journey: Journey, wanted: Facts) -> list[str]:
    """What is still to go out."""
    if not wanted["plan"]["is_on"]:
        return [_("It is switched off: nobody gets it until you switch it on.")]
    waiting = _messages(journey).filter(status=Message.Status.PENDING)
    count = waiting.order_by()[:MOST_COUNTED].count()
    words = ngettext(
        "%(count)s message is waiting: it goes out in the new words, at the time that was set for it.",
        "%(count)s messages are waiting: they go out in the new words, at the time that was set for them.",
        count,
    )
    waits = [words % {"count": number(count)}] if count else []
    return [*waits, _("Everybody for whom it starts from then on.")]


def _messages(journey: Journey) -> Any:
    """Its messages; those planned before the owner first changed the kind name no journey."""
    mine = Q(journey=journey) if journey.pk else Q()
    if journey.kind != Kind.OWN:
        mine |= Q(kind=journey.kind, journey=None)
    return Message.objects.for_store(journey.store).filter(mine)
