"""A journey's versions: who changed what and when, in words, and what it was at any of them. Reads only.

Nothing but the events is kept: an older version is what is in force now with the later events undone.
"""

from __future__ import annotations

from copy import deepcopy
from itertools import groupby

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from outreach import journey_changes
from outreach.journeys import slug_of
from outreach.models import Journey
from outreach.publishing import Facts, facts_of, own_only
from stores.drafts import Step
from stores.lists import row_number
from stores.models import AuditEvent
from stores.tenancy import StoreQuerySet

READ, SHOWN = 200, 20
SWITCHES = {"journey.switched_on": True, "journey.switched_off": False}
ACTIONS = ("journey.changed", "words.changed", *SWITCHES)
FIRST = "0"  # the version it began with: every event undone


def events_of(journey: Journey) -> StoreQuerySet:
    """What changed it, newest first."""
    slug = slug_of(journey)
    subjects = [slug, *(f"{slug} {language}" for language, _name in settings.LANGUAGES)]
    events: StoreQuerySet = AuditEvent.objects.for_store(journey.store).filter(action__in=ACTIONS, subject__in=subjects)
    return events.select_related("user").order_by("-pk")


def history(journey: Journey) -> list[Step]:
    """The latest changes, newest first; what was pressed at once is one. At the end the version it began with."""
    now = state = facts_of(journey)
    steps: list[Step] = []
    events = list(events_of(journey)[:READ])
    for (at, _user), group in groupby(events, key=lambda event: (event.at, event.user_id)):
        rows = list(group)
        before = state
        for event in rows:
            before = undone(before, event)
        lines = journey_changes.in_words(journey, before, state)
        if lines:
            steps.append(Step(at, str(rows[0].user or ""), lines, _version(state, now, rows[0].pk), not steps))
        state = before
    if steps and len(events) < READ:
        steps.append(Step(journey.created_at, "", [_("As it came.")], _version(state, now, 0)))
    return steps[:SHOWN]


def _version(state: Facts, now: Facts, number: int) -> str:
    """How an address names that version; '' where it is what is in force now, on or off."""
    return "" if _without_switch(state) == _without_switch(now) else str(number)


def _without_switch(facts: Facts) -> Facts:
    return {**facts, "plan": {**facts["plan"], "is_on": None}}


def facts_of_version(journey: Journey, typed: str) -> Facts | None:
    """What the journey was after the event of that number (as it was sent); None where there is no such one."""
    events, number = events_of(journey), row_number(typed)
    if number is None or (typed != FIRST and not events.filter(pk=number).exists()):
        return None
    state = facts_of(journey)
    for event in events.filter(pk__gt=number):
        state = undone(state, event)
    return state


def undone(after: Facts, event: AuditEvent) -> Facts:
    """What it was before the event."""
    before = deepcopy(after)
    if event.action == "words.changed":
        language = event.subject.rpartition(" ")[2]
        before["words"] = own_only({**before["words"], language: event.before})
    elif event.action in SWITCHES:
        before["plan"]["is_on"] = not SWITCHES[event.action]
    else:
        before["plan"].update(event.before)
    return before


def latest(journey: Journey) -> AuditEvent | None:
    """The last thing that somebody did to it."""
    found: AuditEvent | None = events_of(journey).filter(~Q(user=None)).first()
    return found
