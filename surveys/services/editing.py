"""What owners change about their questions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from customers.models import Category, Product, Segment
from stores import drafts
from stores.models import Location, User
from stores.services import note
from stores.tenancy import StoreModel
from surveys.models import Invitation, Response, Survey

Facts = dict[str, Any]
FACTS = ("name", "occasion", "question", "product_id", "category_id", "location_id", "segment_id", "every_days",
         "wording", "is_on")  # fmt: skip
FIXED_ONCE_USED = ("occasion", "question")
LINKS: dict[str, type[StoreModel]] = {
    "product_id": Product, "category_id": Category, "location_id": Location, "segment_id": Segment,
}  # fmt: skip


class NotThere(Exception):
    """What an older version names is not there any more, or its name is taken."""


def facts_of(survey: Survey) -> Facts:
    """What the audit keeps of it."""
    return {fact: getattr(survey, fact) for fact in FACTS}


def save_survey(survey: Survey, *, before: Facts, by: User | None, at: datetime) -> None:
    """Keep a new or changed survey; `before` is what `facts_of` said, {} for a new one."""
    is_new = survey.pk is None
    survey.save()
    after = facts_of(survey)
    if after != before:
        action = "survey.made" if is_new else "survey.changed"
        note(survey.store, action, subject=survey.public_id, before=before, after=after, by=by, at=at)


def publish(survey: Survey, *, seal: str, by: User | None, at: datetime) -> bool:
    """Put a changed survey in force as it was shown. False where nothing was different. Raises drafts.Unseen."""
    with transaction.atomic():
        before = facts_of(_locked(survey))
        drafts.check_seal(seal, before, facts_of(survey))
        save_survey(survey, before=before, by=by, at=at)
    return before != facts_of(survey)


def go_back(survey: Survey, facts: Facts, *, by: User | None, at: datetime) -> bool:
    """Put an older version in force. Whether it is on stays as it is; how people answer, too, once they were asked.

    Raises NotThere.
    """
    try:
        with transaction.atomic():
            row = _locked(survey)
            before = facts_of(row)
            kept = {"is_on", *(FIXED_ONCE_USED if is_used(row) else ())}
            for fact, value in facts.items():
                if fact not in kept:
                    _check_link(row, fact, value)
                    setattr(row, fact, value)
            save_survey(row, before=before, by=by, at=at)
    except IntegrityError as error:
        raise NotThere("name") from error
    return before != facts_of(row)


def _check_link(survey: Survey, fact: str, value: Any) -> None:
    if fact in LINKS and value and not LINKS[fact].objects.for_store(survey.store).filter(pk=value).exists():
        raise NotThere(fact)


def _locked(survey: Survey) -> Survey:
    """The row as it is now; nobody else changes it meanwhile."""
    rows = Survey.objects.for_store(survey.store).select_for_update(of=("self",)).select_related("store")
    found: Survey = rows.get(pk=survey.pk)
    return found


def switch(survey: Survey, *, on: bool, by: User | None, at: datetime) -> None:
    """Ask from now on, or not any more; what was asked can still be answered."""
    rows = Survey.objects.for_store(survey.store).filter(pk=survey.pk, is_on=not on)
    if rows.update(is_on=on):
        before, after = {"is_on": not on}, {"is_on": on}
        note(survey.store, "survey.changed", subject=survey.public_id, before=before, after=after, by=by, at=at)
    survey.is_on = on


def is_used(survey: Survey) -> bool:
    """Whether anybody was asked, or answered."""
    invitations = Invitation.objects.for_store(survey.store).filter(survey=survey)
    return invitations.exists() or Response.objects.for_store(survey.store).filter(survey=survey).exists()


def delete_survey(survey: Survey, *, by: User | None, at: datetime) -> bool:
    """Take away a survey that nobody was asked; False where somebody was, and it stays."""
    if is_used(survey):
        return False
    note(survey.store, "survey.deleted", subject=survey.public_id, before=facts_of(survey), by=by, at=at)
    survey.delete()
    return True
