"""Held: nothing leaves until a person says so, because some of what waits here may have been sent elsewhere.

A database that was restored from a backup, or copied, wakes up with messages that the lost server sent after the
backup's last moment; sending them again is what a restore must not do. So the database remembers on which server
it was last at work: the cluster, its timeline (a recovery to a point in time, and a promoted replica, begin a new
one) and the database itself. When that has changed it is held, and `manage.py release` lets it go.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.utils.timezone import now

from stores.models import Installation

logger = logging.getLogger("goodword.holding")

MOVED, BY_HAND = "moved", "by hand"


def held_since(at: datetime | None = None) -> datetime | None:
    """Since when nothing may leave; None: it may. The first look on a new place holds it."""
    mine = _mine()
    if mine.held_since is None and settings.HOLD_WHEN_MOVED and mine.place != _place():
        hold(MOVED, at or now())
        mine = _mine()
    return mine.held_since


def hold(because: str, at: datetime) -> bool:
    """Let nothing leave from now on; False when it was held already."""
    _mine()
    held = Installation.objects.filter(pk=1, held_since=None).update(held_since=at, held_because=because)
    if held:
        logger.error("held (%s): nothing is sent until manage.py release", because)
    return bool(held)


def release(at: datetime) -> bool:
    """Let things leave again, from the place where this database is now; False when it was not held."""
    changes = {"place": _place(), "held_since": None, "held_because": "", "released_at": at}
    return bool(Installation.objects.filter(pk=1).exclude(held_since=None).update(**changes))


def _mine() -> Installation:
    """The one row; a new installation notes where it is."""
    found = Installation.objects.filter(pk=1).first()
    if found is None:
        Installation.objects.bulk_create([Installation(pk=1, place=_place())], ignore_conflicts=True)
        found = Installation.objects.get(pk=1)
    return found


def _place() -> str:
    """Cluster, timeline and database as one word."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT system_identifier FROM pg_control_system())"
            " || ':' || left(pg_walfile_name(pg_current_wal_lsn()), 8)"
            " || ':' || (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return str(cursor.fetchone()[0])
