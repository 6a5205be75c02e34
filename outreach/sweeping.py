"""Looking for facts: which journeys are on, whether anything happened for them, and what their messages start with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, models, transaction

from outreach.journeys import default_journey, rows_of
from outreach.kinds import Kind, Trigger
from outreach.models import Journey
from outreach.starting import Fact, More, start_all
from stores.models import Store

logger = logging.getLogger(__name__)

# Facts of a journey that happened, or whose change became known, after `since` and up to `at`.
Find = Callable[[Store, Journey, datetime, datetime], Iterable[Fact]]


@dataclass(frozen=True)
class Touch:
    """Where a fact leaves its trace: rows of `model` whose `column` is a time of the span that is swept.

    `shift` moves the span by so many of the journey's waits: -1 for what happened a wait ago, 1 for what is to
    come. `early` begins it sooner. `where` is SQL, for a partial index.
    """

    model: type[models.Model]
    column: str
    where: str = "true"
    shift: int = 0
    early: timedelta = timedelta(0)

    @property
    def sql(self) -> str:
        """Whether there is such a row; takes the store, and the ends of the span."""
        table = self.model._meta.db_table
        return (
            f'EXISTS (SELECT FROM "{table}" WHERE store_id = %s AND {self.where} AND "{self.column}" BETWEEN %s AND %s)'
        )


@dataclass(frozen=True)
class Sweep:
    """How the facts of a kind are found; of the owner's own messages, those with this `trigger`.

    `touches`: where there is none of these, there is no fact; without any, it is looked for each time.
    `when_due`: a fact is that the wait is over (somebody stayed away so long), not what it began with.
    `asks` to share, and so needs a program that runs.
    """

    kind: Kind
    find: Find
    more: More | None = None
    trigger: Trigger | None = None
    touches: tuple[Touch, ...] = ()
    when_due: bool = False
    asks: bool = False


@dataclass(frozen=True)
class Round:
    """A sweep for one journey, over the span in which its facts are looked for."""

    sweep: Sweep
    journey: Journey
    since: datetime
    at: datetime


def run(
    store: Store,
    sweeps: Iterable[Sweep],
    *,
    since: datetime | None,
    at: datetime,
    may_ask: Callable[[], bool] = lambda: True,
) -> int:
    """Start the messages of all that happened after `since`; returns how many.

    None: as far back as their news is still news; the nightly repair. `may_ask` says whether the program
    runs. A journey that fails is logged and stops no other. Where nothing happened it costs two statements.
    """
    rounds, started = _stirred(store, _rounds(store, sweeps, since, at)), 0
    live = any(one.sweep.asks for one in rounds) and may_ask()
    for one in rounds:
        if one.sweep.asks and not live:
            continue
        try:
            facts = list(one.sweep.find(store, one.journey, one.since, at))
            if facts:  # a savepoint is worth it only where something is written
                with transaction.atomic():
                    started += start_all(store, one.journey, facts, at=at, more=one.sweep.more)
        except Exception:
            logger.exception("store %s: no %s messages started", store.pk, one.sweep.kind)
    return started


def _rounds(store: Store, sweeps: Iterable[Sweep], since: datetime | None, at: datetime) -> list[Round]:
    """Every sweep for each of its journeys that is on."""
    rows: dict[Kind, list[Journey]] = {}
    for row in rows_of(store):
        rows.setdefault(Kind(row.kind), []).append(row)
    return [
        Round(sweep, journey, since or _far_back(sweep, journey, at), at)
        for sweep in sweeps
        for journey in _journeys(store, sweep, rows)
    ]


def _stirred(store: Store, rounds: Sequence[Round]) -> list[Round]:
    """Those for which something may have happened, found out for all of them in one statement."""
    asked: dict[tuple[str, datetime, datetime], bool] = {}
    for one in rounds:
        asked |= dict.fromkeys(_traces(one), False)
    if asked:
        parameters = [value for _sql, first, last in asked for value in (store.pk, first, last)]
        with connection.cursor() as cursor:
            cursor.execute("SELECT " + ", ".join(sql for sql, _first, _last in asked), parameters)
            asked = dict(zip(asked, cursor.fetchone(), strict=True))
    return [one for one in rounds if not one.sweep.touches or any(asked[trace] for trace in _traces(one))]


def _traces(one: Round) -> list[tuple[str, datetime, datetime]]:
    wait = one.journey.wait
    return [
        (touch.sql, one.since - touch.early + touch.shift * wait, one.at + touch.shift * wait)
        for touch in one.sweep.touches
    ]


def _journeys(store: Store, sweep: Sweep, rows: dict[Kind, list[Journey]]) -> list[Journey]:
    """Those that are on; a kind the owner never touched as it comes."""
    known = rows.get(sweep.kind, [])
    if sweep.kind is Kind.OWN:
        return [journey for journey in known if journey.is_on and journey.trigger == sweep.trigger]
    return [journey for journey in known or [default_journey(store, sweep.kind)] if journey.is_on]


def _far_back(sweep: Sweep, journey: Journey, at: datetime) -> datetime:
    fresh = at - Kind(journey.kind).spec.fresh
    return fresh if sweep.when_due else fresh - journey.wait


def fact_name(journey: Journey, what: str) -> str:
    """How the keys of a journey's facts begin: "birthday", and "own:12:birthday" for a message of the owner's own."""
    return f"own:{journey.pk}:{what}" if journey.kind == Kind.OWN else str(journey.kind)
