"""`doctor`: is everything well, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import get_connection
from django.core.management.base import BaseCommand
from django.db.models import Count, Min, Q
from django.utils import timezone

from outreach import health as sending
from outreach.models import Message
from referrals.materials import drawing
from rewards.services import recounting
from stores import directory, health
from stores.health import NotReady
from stores.tenancy import acting_for

LATE = timedelta(minutes=10)


class Command(BaseCommand):
    """One line a check; exit 1 if one fails."""

    help = "Check database, broker, beat, queue, mail and books."

    def handle(self, **options: Any) -> None:
        """Run every check."""
        failed = 0
        for name, check in {**health.CHECKS, **CHECKS}.items():
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


def _queue() -> str:
    """Nothing should wait long past its time, nor stay unknown."""
    now = timezone.now()
    late = unknown = 0
    oldest = now
    for store in directory.each_store():
        with acting_for(store):
            due = Message.objects.for_store(store).filter(status=Message.Status.PENDING, due_at__lt=now)
            found = due.aggregate(oldest=Min("due_at"), late=Count("pk", filter=Q(due_at__lt=now - LATE)))
            late, oldest = late + found["late"], min(oldest, found["oldest"] or now)
            unknown += Message.objects.for_store(store).filter(status=Message.Status.UNKNOWN).count()
    waits = f"the oldest due message waits {int((now - oldest).total_seconds())} s"
    if late:
        raise NotReady(f"{late} messages wait more than 10 minutes past their time: is a worker running? {waits}")
    return f"nothing is late, {waits}; {unknown} messages wait for somebody to say whether they were sent"


def _books() -> str:
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
    "queue": _queue,
    "books": _books,
    "mail": _mail,
    "text messages": sending.text_gateway,
    "stores' accounts": sending.own_accounts,
    "sender domains": sending.sender_domains,
    "complaints": sending.spam_complaints,
    "paper": _paper,
    "safety": _safety,
}
