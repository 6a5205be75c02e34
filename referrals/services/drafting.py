"""Programs from draft to publication: what is saved without holding, what is published, back to an older version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime

from django.db import transaction

from referrals.models import Program
from referrals.services.programs import (
    Schedule,
    change_program,
    create_program,
    locked,
    schedule_from,
    set_status,
    wished,
)
from referrals.services.terms import Facts, ProgramTerms, describe, make_terms, terms_from
from rewards.models import Budget
from stores import drafts
from stores.models import Draft, Store, User

NOWHERE = 2**62  # the number of a row that is not, and that no sequence reaches


def subject_of(program: Program) -> str:
    """How the program's draft names it."""
    return f"program:{program.public_id}"


def draft_of(program: Program) -> Draft | None:
    """What is typed and not published of a program that runs, or ran."""
    return drafts.draft_of(program.store, subject_of(program))


def base_of(program: Program | None) -> str:
    """Stands for what is in force now: a page that was opened on it is not outdated."""
    return drafts.seal(describe(program) if program else {}, {})


def save_draft(program: Program, typed: Mapping[str, str], *, begun: str, by: User | None, at: datetime) -> Draft:
    """Keep what is typed, right or wrong; it changes nothing for anybody. Raises drafts.SavedMeanwhile."""
    return drafts.save_draft(
        program.store, subject_of(program), typed, base=base_of(program), begun=begun, by=by, at=at
    )


def save_unpublished(
    program: Program, terms: ProgramTerms, schedule: Schedule, *, begun: str, by: User | None, at: datetime
) -> Program:
    """Save a program that nobody sees yet; `begun` is `base_of` when the page was opened.

    Raises drafts.SavedMeanwhile, and what `change_program` raises.
    """
    with transaction.atomic():
        if begun != base_of(locked(program)):
            raise drafts.SavedMeanwhile
        return change_program(program, terms, schedule=schedule, by=by, at=at)


def publish(
    program: Program,
    terms: ProgramTerms,
    schedule: Schedule,
    *,
    seal: str,
    begun: str = "",
    by: User | None,
    at: datetime,
) -> Program:
    """Put in force what was shown, and let a draft program run; the draft that it was begun from goes.

    `seal` is that of the changes the page showed. Raises drafts.Unseen, and what `change_program` raises.
    """
    wanted = wished(terms, schedule, program.store.currency)
    with transaction.atomic():
        row = locked(program)
        drafts.check_seal(seal, describe(row), wanted)
        if any(describe(row)[name] != value for name, value in wanted.items()):
            row = change_program(row, terms, schedule=schedule, by=by, at=at)
        if row.status == Program.Status.DRAFT:
            set_status(row, Program.Status.LIVE, by=by, at=at)
        drafts.end_draft(program.store, subject_of(program), begun)
    return row


def publish_new(
    store: Store, terms: ProgramTerms, schedule: Schedule, *, seal: str, by: User | None, at: datetime
) -> Program:
    """Make a program that runs from its start on. Raises drafts.Unseen, Overlapping."""
    drafts.check_seal(seal, {}, wished(terms, schedule, store.currency))
    with transaction.atomic():
        made = create_program(store, terms, **asdict(schedule), status=Program.Status.DRAFT, by=by, at=at)
        set_status(made, Program.Status.LIVE, by=by, at=at)
    return made


def go_back(program: Program, facts: Facts, *, by: User | None, at: datetime) -> Program:
    """Put in force what an older version said, everything but for whom the program is; as a new version.

    Raises what `change_program` raises.
    """
    then = replace(schedule_from(facts), audience=Program.Audience(program.audience))
    return change_program(program, terms_from(facts), schedule=then, by=by, at=at)


class _Nothing(Exception):
    """Takes back what was written for a look."""


@contextmanager
def as_if_published(
    store: Store, program: Program | None, terms: ProgramTerms, schedule: Schedule, at: datetime
) -> Iterator[Program]:
    """The program as it would run with these terms; what is written for it is taken back at the end.

    So a preview reads the very rows that publishing would make. It locks nothing that others use: the terms
    stand on a budget of their own, with what is promised of the real one.
    """
    try:
        with transaction.atomic():
            yield _rehearsed(store, program, terms, schedule, at)
            raise _Nothing
    except _Nothing:
        pass


def _rehearsed(store: Store, program: Program | None, terms: ProgramTerms, schedule: Schedule, at: datetime) -> Program:
    limits = {"ceiling_minor": terms.ceiling_minor, "places": terms.places}
    promised = {"committed_minor": 0, "places_taken": 0}
    if program:
        promised = {name: getattr(program.budget, name) for name in promised}
    for limit, taken in zip(limits.values(), promised, strict=True):
        if limit is not None:  # less than is promised is refused when it is published
            promised[taken] = min(promised[taken], limit)
    budget = Budget.objects.create(store=store, currency=store.currency, **limits, **promised)
    return Program(
        pk=program.pk if program else NOWHERE,
        public_id=program.public_id if program else "",
        store=store,
        name=terms.name,
        status=Program.Status.LIVE,
        terms=make_terms(store, budget, terms, number=1, at=at),
        budget=budget,
        **asdict(schedule),
    )
