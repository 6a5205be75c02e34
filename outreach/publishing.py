"""A journey from draft to publication: what it is as plain values, what publishing does, back to an older version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from customers.models import Segment
from outreach.journeys import Plan, locked, own_pieces, save_journey, save_words, slug_of
from outreach.kinds import Kind
from outreach.models import Journey, Template
from outreach.words import PIECES, Wording, our_words
from stores import drafts
from stores.models import Draft, User

Facts = dict[str, Any]
# In this order they are told when they change.
COLUMNS = (
    "name", "is_on", "trigger", "event_kind", "number", "wait_minutes", "options", "ways", "segment_id",
)  # fmt: skip


def subject_of(journey: Journey) -> str:
    """How the journey's draft names it."""
    return f"journey:{slug_of(journey)}"


def draft_of(journey: Journey) -> Draft | None:
    """What is typed and not published."""
    return drafts.draft_of(journey.store, subject_of(journey))


def facts_of(journey: Journey) -> Facts:
    """What is in force, as plain values: the plan, and the store's own words by language."""
    rows = Template.objects.for_store(journey.store).filter(journey=journey) if journey.pk else []
    own = {row.language: {name: getattr(row, name) for name in PIECES} for row in rows}
    return {"plan": {name: getattr(journey, name) for name in COLUMNS}, "words": own_only(own)}


def own_only(words: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Only what says something, so that equal words are equal values."""
    kept = {language: {name: text for name, text in pieces.items() if text} for language, pieces in words.items()}
    return {language: pieces for language, pieces in sorted(kept.items()) if pieces}


def wished(journey: Journey, plan: Plan, words: Mapping[str, Wording]) -> Facts:
    """What an editor wants it to be, as `facts_of` would say it."""
    now = {name: getattr(journey, name) for name in COLUMNS}
    said = {language: own_pieces(Kind(journey.kind), language, one) for language, one in words.items()}
    return {"plan": now | plan.columns(journey), "words": own_only(said)}


def base_of(journey: Journey) -> str:
    """Stands for what is in force now."""
    return drafts.seal(facts_of(journey), {})


def publish(
    journey: Journey,
    plan: Plan,
    words: Mapping[str, Wording],
    *,
    seal: str,
    begun: str = "",
    by: User | None,
    at: datetime,
) -> bool:
    """Put in force what was shown; the draft it was begun from goes. False where nothing was different.

    `seal` is that of the changes the page showed. Raises drafts.Unseen.
    """
    with transaction.atomic():
        row = locked(journey)
        drafts.check_seal(seal, facts_of(row), wished(row, plan, words))
        changed = _put(row, plan, words, by=by, at=at)
        drafts.end_draft(row.store, subject_of(row), begun)
    return changed


def go_back(journey: Journey, facts: Facts, *, by: User | None, at: datetime) -> bool:
    """Put in force what an older version said. Whether it is switched on stays as it is.

    An audience that is not there any more is left as it is now: going back must not widen it.
    """
    with transaction.atomic():
        row = locked(journey)
        return _put(row, plan_from(row, facts), words_from(row, facts), by=by, at=at)


def plan_from(journey: Journey, facts: Facts) -> Plan:
    """The plan of an older version."""
    said = {name: value for name, value in facts["plan"].items() if name in {field.name for field in fields(Plan)}}
    wanted = facts["plan"]["segment_id"]
    segment = Segment.objects.for_store(journey.store).filter(pk=wanted).first() if wanted else None
    kept = journey.segment if wanted and segment is None else segment
    return Plan(**{**said, "is_on": journey.is_on, "segment": kept})


def words_from(journey: Journey, facts: Facts) -> dict[str, Wording]:
    """The words of an older version in every language, ours where it had none of its own."""
    kind, found = Kind(journey.kind), {}
    for language, _name in settings.LANGUAGES:
        own, ours = facts["words"].get(language, {}), our_words(kind, language)
        found[language] = Wording(**{name: own.get(name) or ours.piece(name) for name in PIECES})
    return found


def _put(row: Journey, plan: Plan, words: Mapping[str, Wording], *, by: User | None, at: datetime) -> bool:
    changed = bool(save_journey(row, plan, by=by, at=at))
    for language, one in words.items():
        changed |= save_words(row, language, one, by=by, at=at)
    return changed
