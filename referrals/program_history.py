"""A program's versions: who changed what and when, in words, and the way back. Reads only."""

from __future__ import annotations

from referrals import changes
from referrals.models import Program
from referrals.services.terms import Facts, describe
from stores.drafts import Step
from stores.models import AuditEvent
from stores.tenancy import StoreQuerySet

SHOWN = 20
VERSIONS = ("program.made", "program.changed")  # what makes a version; the others are steps between
ACTIONS = (*VERSIONS, "program.status", "program.boost")


def events_of(program: Program) -> StoreQuerySet:
    """What happened to the program, newest first."""
    events: StoreQuerySet = AuditEvent.objects.for_store(program.store).filter(
        action__in=ACTIONS, subject=program.public_id
    )
    return events.select_related("user").order_by("-at", "-pk")


def history(program: Program) -> list[Step]:
    """The latest changes of the program in words, newest first; the version that it began with at the end."""
    events = list(events_of(program)[:SHOWN])
    rows = [_step(program, event) for event in events]
    began = next((event for event in reversed(events) if event.action in VERSIONS), None)
    if began and began.action == "program.changed" and "version" in began.before and len(events) < SHOWN:
        lines = changes.in_words({}, began.before, program.store)
        rows.append(Step(program.created_at, "", lines, str(began.before["version"])))
    return rows


def _step(program: Program, event: AuditEvent) -> Step:
    number = event.after.get("version") if event.action in VERSIONS else None
    lines = changes.in_words(event.before, event.after, program.store)
    return Step(event.at, str(event.user or ""), lines, str(number or ""), is_now=number == program.terms.number)


def facts_of_version(program: Program, typed: str) -> Facts | None:
    """What the version of that number (as it was sent) said; None where there is no such one."""
    if not (typed.isascii() and typed.isdigit() and len(typed) < 9):
        return None
    number = int(typed)
    if number == program.terms.number:
        return describe(program)
    changed = events_of(program).filter(action__in=VERSIONS)
    made = changed.filter(after__version=number).first()
    if made:
        return Facts(made.after)
    left = changed.filter(before__version=number).last()  # the one it began with, made by nobody
    return Facts(left.before) if left else None


def latest(program: Program) -> AuditEvent | None:
    """The last thing that somebody did to it."""
    return events_of(program).first()
