"""Messages for many people at once: what `journeys.start` does for one fact, for all that a sweep found."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import connection, models, transaction
from django.utils import translation
from django.utils.functional import Promise

from customers.models import Customer
from outreach.journeys import default_journey
from outreach.kinds import Kind, Trigger
from outreach.models import Journey, Message
from outreach.rendering import language_of, unsubscribe_url
from stores.models import Store
from stores.rows import insert_rows

logger = logging.getLogger(__name__)

BATCH = 500


@dataclass(frozen=True)
class Fact:
    """Something that a message answers, once for `key`: whose it is and when it happened (aware UTC).

    `due_at` stands in place of the journey's wait, `not_after` in place of the kind's freshness. `about`
    is what makes the message pointless when it ends. `values` is what its words need; a lazy text among
    them is read in the person's language.
    """

    customer: Customer
    key: str
    at: datetime
    due_at: datetime | None = None
    not_after: datetime | None = None
    about: str = ""
    values: dict[str, Any] = field(default_factory=dict)


# Facts of a journey that happened, or whose change became known, after `since` and up to `at`.
Find = Callable[[Store, Journey, datetime, datetime], Iterable[Fact]]
# What more the words of these facts need, in their order; asked only for facts that start a message.
More = Callable[[Store, Sequence[Fact], datetime], Sequence[dict[str, Any]]]


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
    for row in Journey.objects.for_store(store).order_by("pk"):
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


def start_all(store: Store, journey: Journey, facts: Iterable[Fact], *, at: datetime, more: More | None = None) -> int:
    """Plan the message for each fact, once for its key; returns how many were new.

    As `journeys.start`: nothing while the journey is off, nothing for facts from before it was switched
    on. And nothing for a fact found so late that its message would be harm: a repair looks far back.
    A fixed number of statements for each BATCH facts.
    """
    if not journey.is_on:
        return 0
    wanted, started = iter([fact for fact in facts if _is_wanted(journey, fact, at)]), 0
    while batch := list(islice(wanted, BATCH)):
        started += _start(store, journey, _unanswered(store, batch), more, at)
    return started


def _due(journey: Journey, fact: Fact) -> tuple[datetime, datetime]:
    """When the fact's message is due, and after when it would be harm."""
    due = fact.due_at or fact.at + journey.wait
    return due, fact.not_after or due + Kind(journey.kind).spec.fresh


def _is_wanted(journey: Journey, fact: Fact, at: datetime) -> bool:
    if fact.customer.erased_at or (journey.started_at and fact.at < journey.started_at):
        return False
    return _due(journey, fact)[1] >= at


def _unanswered(store: Store, facts: Sequence[Fact]) -> list[Fact]:
    by_key = {fact.key: fact for fact in facts}
    known = Message.objects.for_store(store).filter(key__in=by_key).values_list("key", flat=True)
    for key in known:
        del by_key[key]
    return list(by_key.values())


def _start(store: Store, journey: Journey, facts: list[Fact], more: More | None, at: datetime) -> int:
    if not facts:
        return 0
    extras = more(store, facts, at) if more else [{} for _ in facts]
    planned = [_plan(store, journey, fact, extra, at) for fact, extra in zip(facts, extras, strict=True)]
    return len(insert_rows([message for message in planned if message]))  # a twin's row stands


def _plan(store: Store, journey: Journey, fact: Fact, extra: dict[str, Any], at: datetime) -> Message | None:
    """The message, not yet written; None when its words cannot be put together."""
    due, not_after = _due(journey, fact)
    try:
        context = _context(store, fact, extra)
    except Exception:  # one bad fact must not stop the others
        logger.exception("no words for message %s", fact.key)
        return None
    return Message(
        store=store,
        customer=fact.customer,
        kind=journey.kind,
        journey=journey if journey.pk else None,
        key=fact.key,
        about=fact.about,
        context=context,
        due_at=max(due, at),
        not_after=not_after,
        created_at=at,
    )


def _context(store: Store, fact: Fact, extra: dict[str, Any]) -> dict[str, Any]:
    """The values in the person's language, and every link. What the fact says goes before `extra`."""
    values = {**extra, **fact.values}
    links = {**extra.get("links", {}), **fact.values.get("links", {})}
    with translation.override(language_of(store, fact.customer)):
        said = {name: str(value) if isinstance(value, Promise) else value for name, value in values.items()}
    return {**said, "links": {**links, "unsubscribe": unsubscribe_url(store, fact.customer)}}
