"""What owners change about their questions."""

from __future__ import annotations

from datetime import datetime

from stores.models import User
from stores.services import note
from surveys.models import Invitation, Response, Survey

FACTS = ("name", "occasion", "question", "product_id", "category_id", "location_id", "segment_id", "every_days",
         "wording", "is_on")  # fmt: skip


def facts_of(survey: Survey) -> dict[str, object]:
    """What the audit keeps of it."""
    return {fact: getattr(survey, fact) for fact in FACTS}


def save_survey(survey: Survey, *, before: dict[str, object], by: User | None, at: datetime) -> None:
    """Keep a new or changed survey; `before` is what `facts_of` said, {} for a new one."""
    is_new = survey.pk is None
    survey.save()
    after = facts_of(survey)
    if after != before:
        action = "survey.made" if is_new else "survey.changed"
        note(survey.store, action, subject=survey.name, before=before, after=after, by=by, at=at)


def switch(survey: Survey, *, on: bool, by: User | None, at: datetime) -> None:
    """Ask from now on, or not any more; what was asked can still be answered."""
    rows = Survey.objects.for_store(survey.store).filter(pk=survey.pk, is_on=not on)
    if rows.update(is_on=on):
        before, after = {"is_on": not on}, {"is_on": on}
        note(survey.store, "survey.changed", subject=survey.name, before=before, after=after, by=by, at=at)
    survey.is_on = on


def is_used(survey: Survey) -> bool:
    """Whether anybody was asked, or answered."""
    invitations = Invitation.objects.for_store(survey.store).filter(survey=survey)
    return invitations.exists() or Response.objects.for_store(survey.store).filter(survey=survey).exists()


def delete_survey(survey: Survey, *, by: User | None, at: datetime) -> bool:
    """Take away a survey that nobody was asked; False where somebody was, and it stays."""
    if is_used(survey):
        return False
    note(survey.store, "survey.deleted", subject=survey.name, before=facts_of(survey), by=by, at=at)
    survey.delete()
    return True
