"""Messages for many people at once: what `journeys.start` does for one fact, for all that a sweep found."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.utils import translation
from django.utils.functional import Promise

from customers.models import Customer
from outreach import journeys
from outreach.kinds import Kind
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


# What more the words of these facts need, in their order; asked only for facts that start a message.
More = Callable[[Store, Sequence[Fact], datetime], Sequence[dict[str, Any]]]


def start_all(store: Store, journey: Journey, facts: Iterable[Fact], *, at: datetime, more: More | None = None) -> int:
    """Plan the message for each fact, once for its key; returns how many were new.

    As `journeys.start`: nothing while the journey is off, nothing for facts from before it was switched
    on, nothing to partner stores. And nothing for a fact found so late that its message would be harm: a
    repair looks far back.
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
    if fact.customer.erased_at or fact.customer.is_store or (journey.started_at and fact.at < journey.started_at):
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
    return journeys.message(
        fact.customer,
        journey,
        key=fact.key,
        context=context,
        fact_at=fact.at,
        at=at,
        due_at=due,
        not_after=not_after,
        about=fact.about,
    )


def _context(store: Store, fact: Fact, extra: dict[str, Any]) -> dict[str, Any]:
    """The values in the person's language, and every link. What the fact says goes before `extra`."""
    values = {**extra, **fact.values}
    links = {**extra.get("links", {}), **fact.values.get("links", {})}
    with translation.override(language_of(store, fact.customer)):
        said = {name: str(value) if isinstance(value, Promise) else value for name, value in values.items()}
    return {**said, "links": {**links, "unsubscribe": unsubscribe_url(store, fact.customer)}}
