"""Who belongs to an audience: counted before it is saved, written down after, kept up to date by a sweep."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from customers.models import Customer, Segment, SegmentMember
from customers.queries import GUESTS, HERE
from outreach.models import Journey
from referrals.audiences.facts import Condition, checked, matching
from referrals.audiences.values import BadCondition
from stores.models import Store
from surveys.models import Survey

logger = logging.getLogger(__name__)

EXAMPLES = 10
# The audience is worked out once and compared with what is written down: rows that stay are not touched.
DIFFERENCE = """
    WITH now AS MATERIALIZED ({people}),
    gone AS (
        DELETE FROM customers_segmentmember AS member
        WHERE member.store_id = %s AND member.segment_id = %s
          AND NOT EXISTS (SELECT FROM now WHERE now.id = member.customer_id)
        RETURNING 1
    ),
    come AS (
        INSERT INTO customers_segmentmember (store_id, segment_id, customer_id)
        SELECT %s, %s, now.id FROM now
        WHERE NOT EXISTS (
            SELECT FROM customers_segmentmember AS member
            WHERE member.store_id = %s AND member.segment_id = %s AND member.customer_id = now.id
        )
        ON CONFLICT DO NOTHING
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM come), (SELECT count(*) FROM gone)
"""


class NameTaken(Exception):
    """Another audience of the store has this name."""


class InUse(Exception):
    """The audience cannot be deleted: its first argument is the list of what uses it."""


def people(store: Store, conditions: object, at: datetime) -> QuerySet[Customer]:
    """The store's customers for whom every condition holds at `at` (aware UTC). Raises BadCondition.

    Erased people, rows that were merged away and nameless buyers are in no audience.
    """
    return everybody(store).filter(matching(store, conditions, at))


def everybody(store: Store) -> QuerySet[Customer]:
    """All whom an audience may hold."""
    rows: QuerySet[Customer] = Customer.objects.for_store(store).filter(HERE).exclude(GUESTS)
    return rows


def count(store: Store, conditions: object, at: datetime) -> int:
    """How many they are. Raises BadCondition."""
    return people(store, conditions, at).count()


def examples(store: Store, conditions: object, at: datetime, limit: int = EXAMPLES) -> list[Customer]:
    """Some of them, those last come to know first. Raises BadCondition."""
    return list(people(store, conditions, at).order_by("-recorded_at", "-pk")[:limit])


@dataclass(frozen=True)
class Change:
    """How many came into an audience and how many left it."""

    came: int
    went: int


def refresh(segment: Segment, *, at: datetime) -> Change:
    """Write down who belongs to the segment at `at` (aware UTC): one statement that inserts and deletes the difference.

    A second call changes nothing. Raises BadCondition, and leaves the members as they were.
    """
    store = segment.store
    with transaction.atomic():
        # One at a time, by the conditions that stand: a sweep must not write over what was just saved.
        locked = Segment.objects.for_store(store).select_for_update().get(pk=segment.pk)
        change = _write_difference(store, locked, at)
        Segment.objects.for_store(store).filter(pk=locked.pk).update(counted_at=at)
    segment.conditions, segment.counted_at = locked.conditions, at
    return change


def _write_difference(store: Store, segment: Segment, at: datetime) -> Change:
    query, parameters = _ids(people(store, segment.conditions, at))
    mine = [store.pk, segment.pk]
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENCE.format(people=query), [*parameters, *mine, *mine, *mine])
        return Change(*cursor.fetchone())


def _ids(rows: QuerySet[Any]) -> tuple[str, list[Any]]:
    """The SQL that gives the rows' ids."""
    try:
        query, parameters = rows.order_by().values("id").query.sql_with_params()
    except EmptyResultSet:  # Django sees by itself that nobody can match
        return "SELECT NULL::bigint AS id WHERE false", []
    return query, list(parameters)


def refresh_all(store: Store, at: datetime) -> int:
    """Refresh every segment of the store; returns how many. One that cannot be read stops no other."""
    done = 0
    for segment in Segment.objects.for_store(store).select_related("store").order_by("pk"):
        try:
            with transaction.atomic():
                refresh(segment, at=at)
            done += 1
        except BadCondition:
            logger.exception("segment %s was left as it is", segment.public_id)
    return done


def save(
    store: Store, *, name: str, conditions: object, at: datetime, segment: Segment | None = None, public_id: str = ""
) -> Segment:
    """A new segment, or this one with another name and conditions; its members are written down at once.

    Raises BadCondition, NameTaken.
    """
    kept = checked(store, conditions)
    found = segment or Segment(store=store, created_at=at, **({"public_id": public_id} if public_id else {}))
    found.name, found.conditions = name, kept
    try:
        with transaction.atomic():
            found.save(update_fields=["name", "conditions"] if segment else None)
    except IntegrityError as error:
        raise NameTaken(name) from error
    refresh(found, at=at)
    return found


def delete(segment: Segment) -> dict[str, Any]:
    """Take the segment away; returns what `restore` needs to bring it back. Raises InUse."""
    store = segment.store
    with transaction.atomic():
        locked = Segment.objects.for_store(store).select_for_update().get(pk=segment.pk)
        used = uses(store).get(locked.pk)
        if used:
            raise InUse(used)
        SegmentMember.objects.for_store(store).filter(segment=locked).delete()
        locked.delete()
    return {"public_id": locked.public_id, "name": locked.name, "conditions": locked.conditions}


def restore(store: Store, kept: dict[str, Any], *, at: datetime) -> Segment:
    """Bring a deleted segment back under its old address; its members are worked out anew. Raises NameTaken."""
    return save(store, name=kept["name"], conditions=kept["conditions"], public_id=kept["public_id"], at=at)


def uses(store: Store) -> dict[int, list[str]]:
    """What uses each segment, by its id: names of messages and surveys."""
    found: dict[int, list[str]] = defaultdict(list)
    for model in (Journey, Survey):
        for one in model.objects.for_store(store).exclude(segment=None).order_by("pk"):
            found[one.segment_id or 0].append(str(one))
    return dict(found)


def as_conditions(segment: Segment) -> list[Condition]:
    """The segment's conditions as the form and the sentences take them."""
    rows = segment.conditions
    return [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []
