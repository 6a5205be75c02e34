"""Is this process alive, and can it serve? The checks of this floor; /readyz adds more (insights.operation)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache

from django.core.cache import cache
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from stores import runs, ticks
from stores.models import JobRun, Tick

BEAT_SILENCE = timedelta(seconds=120)  # the shortest job runs each 30 s


class NotReady(Exception):
    """A check failed; the text says what is wrong and what to do."""


@never_cache
@require_safe
@transaction.non_atomic_requests
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; touches nothing else, so that a lost database restarts no web process."""
    return HttpResponse("ok", content_type="text/plain")


def run(check: Callable[[], str]) -> dict[str, object]:
    """What the check says, as /readyz shows it."""
    try:
        return {"ok": True, "detail": check()}
    except NotReady as failure:
        return {"ok": False, "detail": str(failure)}
    except Exception as error:  # the class tells enough; texts of drivers hold addresses and names
        return {"ok": False, "detail": f"not reachable ({type(error).__name__})"}


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        role, sees_all = cursor.fetchone()
    if sees_all:
        raise NotReady(f"role {role} passes row-level security: log in as goodword_app, see config/sql/roles.sql")
    return f"answers, as {role}"


def _migrations() -> str:
    missing = _known_migrations() - set(MigrationRecorder(connection).applied_migrations())
    if missing:
        raise NotReady(f"{len(missing)} not applied: run python manage.py migrate")
    return "all applied"


@lru_cache(maxsize=1)
def _known_migrations() -> frozenset[tuple[str, str]]:
    """What this code brings; it cannot change while the process lives."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def _redis() -> str:
    cache.set("readyz", "1", timeout=10)
    return "answers"


def _beat() -> str:
    """A fresh installation has no tick yet and may serve; afterwards silence means nothing is sent.

    Beat says itself that it lives; what the workers do at its ticks is proof as well.
    """
    said = JobRun.objects.filter(job=runs.BEAT).values_list("at", flat=True).first()
    ticked = Tick.objects.aggregate(last=Max("at"))["last"]
    last = max((one for one in (said, ticked) if one), default=None)
    if last is None:
        return "no tick yet: beat has not run on this database"
    silence = timezone.now() - last
    if silence < -ticks.SKEW:
        raise NotReady("the last tick lies ahead: was a clock set back? beat takes a minute to get over it")
    if silence > BEAT_SILENCE:
        raise NotReady(f"silent for {int(silence.total_seconds())} s: start beat")
    return f"ticked {max(0, int(silence.total_seconds()))} s ago"


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "redis": _redis,
    "beat": _beat,
}
