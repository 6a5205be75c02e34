"""`doctor`: is everything well, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parseaddr
from functools import cache
from typing import Any

from django.conf import settings
from django.core.mail import get_connection
from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone

from insights.operation import checks, figures
from insights.operation.figures import Figures
from outreach import health as sending
from referrals.materials import drawing
from rewards.services import recounting
from stores import directory, health
from stores.health import NotReady
from stores.tenancy import acting_for


class Command(BaseCommand):
    """One line a check; exit 1 if one fails."""

    help = "Check database, broker, beat, workers, queue, books, backup, mail and disk."

    def handle(self, **options: Any) -> None:
        """Run every check."""
        failed, found = 0, cache(lambda: figures.read(timezone.now()))
        of_server = {name: _about(check, found) for name, check in (checks.SERIOUS | checks.ALARMS).items()}
        for name, check in {**health.CHECKS, **of_server, **CHECKS}.items():
            try:
                self.stdout.write(f"ok    {name}: {check()}")
            except NotReady as problem:
                failed += 1
                self.stdout.write(f"FAIL  {name}: {problem}")
            except Exception as error:
                failed += 1
                self.stdout.write(f"FAIL  {name}: {type(error).__name__}: {error}"[:300])
        if failed:
            raise SystemExit(1)


def _about(check: checks.Check, found: Callable[[], Figures]) -> Callable[[], str]:
    return lambda: check(found())


def _archive() -> str:
    """What Postgres says of its log; a provider who keeps backups otherwise needs none of it."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW archive_mode")
        if cursor.fetchone()[0] == "off":
            return "Postgres archives no log: between two backups everything can be lost, see docs/operate.md, backup"
        cursor.execute(
            "SELECT failed_count, last_failed_wal, last_archived_time, last_failed_time > last_archived_time"
            " OR (failed_count > 0 AND last_archived_time IS NULL) FROM pg_stat_archiver"
        )
        failures, wal, archived, fails = cursor.fetchone()
    if fails:
        raise NotReady(
            f"{wal} could not be archived ({failures} failures): see the log of Postgres, and the disk it goes to"
        )
    return f"last archived {archived:%Y-%m-%d %H:%M} UTC" if archived else "nothing to archive yet"


def _books() -> str:
    """Counted now, not as the last night found them."""
    wrong = []
    for store in directory.each_store():
        with acting_for(store):
            found = recounting.recount(store, timezone.now())
            if found:
                wrong.append(f"{store.slug} ({', '.join(found)})")
    if wrong:
        raise NotReady(f"the books of {', '.join(wrong)} do not add up: payouts are stopped, see docs/books.md")
    return "every transaction sums to zero, balances, promises and budgets equal what they stand for"


def _mail() -> str:
    if settings.EMAIL_CHANNEL == "outbox":
        return "goes to the outbox page; set EMAIL_URL to send for real"
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    if address.endswith("@localhost"):
        raise NotReady("DEFAULT_FROM_EMAIL is not set: mail from @localhost is refused everywhere")
    connection = get_connection()
    try:
        connection.open()
        connection.close()
    except OSError as error:
        raise NotReady(f"the mail server does not answer ({error}): check EMAIL_URL") from error
    return f"the server answers; sent as {address}"


def _paper() -> str:
    if not drawing.can_draw():
        packages = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
        raise NotReady(f"cards and posters cannot be drawn: install {packages}")
    return "cards and posters can be drawn"


def _safety() -> str:
    if settings.DEBUG:
        raise NotReady("DEBUG is on: unset it, it shows internals to visitors")
    if not settings.HTTPS and "127.0.0.1" not in settings.SITE_URL and "localhost" not in settings.SITE_URL:
        raise NotReady("SITE_URL is not https: links, cookies and logins travel readable")
    return f"customers reach us at {settings.SITE_URL}"


CHECKS: dict[str, Callable[[], str]] = {
    "books": _books,
    "backup": _archive,
    "mail": _mail,
    "text messages": sending.text_gateway,
    "stores' accounts": sending.own_accounts,
    "sender domains": sending.sender_domains,
    "complaints": sending.spam_complaints,
    "paper": _paper,
    "safety": _safety,
}
