"""Drafts of editors: kept apart from what is in force, one a thing, and never over somebody else's unseen.

An editor's page carries two marks. `begun` is the revision of the draft that it shows ('' for none). `seal` stands
for a list of changes: it is made of what is in force and what is typed. Publishing asks for the seal again under a
lock, so nobody publishes changes that they were not shown, nor over what somebody else published meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from stores.codes import public_id
from stores.lists import row_number
from stores.models import AuditEvent, Draft, Store, User
from stores.services import note
from stores.tenancy import insert_new

MARKS = {"csrfmiddlewaretoken", "step", "seal", "begun", "event"}  # of the page, not of what is edited
MOST_FIELDS, LONGEST = 500, 20_000


class SavedMeanwhile(Exception):
    """Somebody saved the draft, or threw it away, after this page was opened."""


class Unseen(Exception):
    """The changes to be published are not those that were shown: look at them first."""


@dataclass(frozen=True)
class Coming:
    """The step from what is in force to what is typed, in words: old and new, who keeps the old, who gets the new.

    `is_first`: nobody has seen it yet, so there is no old.
    """

    changes: list[str]
    seal: str
    is_first: bool = False
    keeps: list[str] = field(default_factory=list)
    gets: list[str] = field(default_factory=list)

    @property
    def is_something(self) -> bool:
        """Whether there is anything to publish."""
        return self.is_first or bool(self.changes)


@dataclass(frozen=True)
class Notice:
    """What stands above an editor, about somebody else or an older version.

    `kind`: look (publish after a look), published or saved (by somebody else, meanwhile), version (an older one).
    """

    kind: str
    by: str = ""
    at: datetime | None = None
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """A change in the past, in words; `back_to` names the version it made, '' for what one cannot go back to."""

    at: datetime
    by: str
    lines: list[str]
    back_to: str = ""
    is_now: bool = False


def seal(in_force: Any, typed: Any) -> str:
    """Stands for the step from one to the other, both plain values."""
    text = json.dumps([in_force, typed], sort_keys=True, default=str)
    return sha256(text.encode()).hexdigest()[:32]


def check_seal(shown: str, in_force: Any, typed: Any) -> None:
    """Raises Unseen unless `shown` is the seal of this step; call it under the lock that the change is made under."""
    if shown != seal(in_force, typed):
        raise Unseen


def draft_of(store: Store, subject: str) -> Draft | None:
    """The draft of that thing, with who saved it."""
    found: Draft | None = Draft.objects.for_store(store).filter(subject=subject).select_related("by").first()
    return found


def fields_of(post: Mapping[str, str], *, besides: Iterable[str] = ()) -> dict[str, str]:
    """What a form sent, as a draft keeps it: without the page's own marks, and not without bounds."""
    left_out = MARKS.union(besides)
    names = [name for name in post if name not in left_out][:MOST_FIELDS]
    return {name: str(post[name]).replace("\0", "")[:LONGEST] for name in names}


def save_draft(
    store: Store, subject: str, typed: Mapping[str, str], *, base: str, begun: str, by: User | None, at: datetime
) -> Draft:
    """Keep what is typed; `begun` is the revision it was begun from. Raises SavedMeanwhile."""
    draft = Draft(store=store, subject=subject, typed=dict(typed), base=base, revision=public_id(), by=by, saved_at=at)
    if not begun:
        if insert_new(draft):
            return draft
        raise SavedMeanwhile
    mine = Draft.objects.for_store(store).filter(subject=subject, revision=begun)
    values = {name: getattr(draft, name) for name in ("typed", "base", "revision", "by", "saved_at")}
    if not mine.update(**values):
        raise SavedMeanwhile
    return draft


def end_draft(store: Store, subject: str, begun: str) -> None:
    """What was typed is published: the draft that it was begun from goes; one that nobody saw stays."""
    Draft.objects.for_store(store).filter(subject=subject, revision=begun).delete()


def drop_draft(store: Store, subject: str, *, by: User | None, at: datetime) -> AuditEvent | None:
    """Throw the draft away; the event has what `bring_back` needs. None where there was none."""
    draft = draft_of(store, subject)
    if draft is None or not Draft.objects.for_store(store).filter(pk=draft.pk, revision=draft.revision).delete()[0]:
        return None
    return note(
        store, "draft.dropped", subject=subject, before={"typed": draft.typed, "base": draft.base}, by=by, at=at
    )


def dropped(store: Store, subject: str, typed: str) -> AuditEvent | None:
    """The draft thrown away, by its event's number as an address has it."""
    number = row_number(typed)
    if number is None:
        return None
    events = AuditEvent.objects.for_store(store).filter(action="draft.dropped", subject=subject)
    found: AuditEvent | None = events.filter(pk=number).first()
    return found


def bring_back(event: AuditEvent, *, by: User | None, at: datetime) -> Draft:
    """Undo `drop_draft`. Raises SavedMeanwhile where there is a newer draft by now."""
    was = event.before
    return save_draft(event.store, event.subject, was["typed"], base=was["base"], begun="", by=by, at=at)


def begun_of(post: Mapping[str, str] | None, draft: Draft | None, notice: Notice | None) -> str:
    """The draft that an editor's page shows or has told about: the mark by which it saves the next one.

    `post` is what was sent, None for a page that is only opened. An older version is looked at beside the draft.
    """
    told = notice is not None and notice.kind == "saved"
    if post is not None and not told:
        return post.get("begun", "")
    return draft.revision if draft and (notice is None or told) else ""


def base_of(post: Mapping[str, str] | None, now: str, notice: Notice | None) -> str:
    """What an editor's page was opened on; `now`, what is in force by now, once the page has told about it."""
    return now if post is None or notice else post.get("base", "")


def subjects(store: Store, kind: str) -> set[str]:
    """Which things of that kind ("program") have a draft."""
    rows = Draft.objects.for_store(store).filter(subject__startswith=f"{kind}:").values_list("subject", flat=True)
    return {subject.partition(":")[2] for subject in rows}
