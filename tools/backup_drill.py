"""Does a backup come back? python tools/backup_drill.py [people]

A server is filled while its log is archived, a base backup is taken in between, a table of the books is dropped; a
second server is brought to a second before, and compared: rows of every table, sums of the books. Nothing may be
sent from there until somebody has released it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import environ

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from config import embedded  # noqa: E402
from config.embedded import backups, places, postgres, processes, roles  # noqa: E402

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.update(embedded.placeholders())
    os.environ |= {"EMAIL_CHANNEL": "outbox", "SMS_CHANNEL": "outbox"}
    import django

    django.setup()

import psycopg2  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from customers.models import Customer  # noqa: E402
from insights.operation import fingerprint  # noqa: E402
from insights.operation.fingerprint import Fingerprint  # noqa: E402
from outreach import dispatch  # noqa: E402
from outreach.models import Kind, Message  # noqa: E402
from outreach.services import plan_messages  # noqa: E402
from outreach.tasks import send_due  # noqa: E402
from referrals.services.programs import open_store  # noqa: E402
from rewards.models import Account  # noqa: E402
from rewards.services import ledger  # noqa: E402
from stores import holding  # noqa: E402
from stores.models import Store  # noqa: E402
from stores.tenancy import acting_for  # noqa: E402

SECOND = 1.0


@dataclass(frozen=True)
class Report:
    """What the drill found; the two fingerprints are of the moment before the DROP."""

    before: Fingerprint
    after: Fingerprint
    dropped: bool  # whether the table was gone on the first server
    held: bool  # whether the second one sent nothing of its own accord
    sent_while_held: int
    sent_after: int
    backup_seconds: float
    restore_seconds: float

    @property
    def is_good(self) -> bool:
        """Whether everything came back, and nothing left before somebody said so."""
        same = self.before == self.after and any(self.before.rows.values())
        return same and self.dropped and self.held and not self.sent_while_held and self.sent_after > 0


@dataclass(frozen=True)
class Server:
    """A PostgreSQL of the drill."""

    place: places.Place
    port: int

    @property
    def admin_url(self) -> str:
        """Its administrator's address."""
        return f"postgresql://goodword_admin:{self.place.secrets['admin']}@127.0.0.1:{self.port}/goodword"

    def url(self, role: str) -> str:
        """The address of a role."""
        return f"postgresql://goodword_{role}:{self.place.secrets[role]}@127.0.0.1:{self.port}/goodword"

    def run(self, statement: str, *, role: str = "") -> None:
        """Run one statement, as the administrator or a role."""
        connection = psycopg2.connect(self.url(role) if role else self.admin_url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()

    def stop(self) -> None:
        """Stop it, if it runs."""
        running = postgres.postmaster(self.place.servers)
        if running:
            processes.send(running, signal.SIGINT)
            processes.wait_for([running], 30)


def drill(folder: Path, *, people: int, make_tables: Callable[[Server], object]) -> Report:
    """The whole drill in this folder, which every user may pass through: `people` customers before the base backup, and
    as many after it. Both servers are stopped at the end.
    """
    with ExitStack() as leaving:
        first = _first(folder)
        leaving.callback(first.stop)
        make_tables(first)
        with looking_at(first):
            store = open_store(slug="drill", name="Drill", currency="PHP", at=timezone.now())
            assert holding.held_since() is None
            _fill(store, people)
            backup_seconds = _timed(lambda: backups.base_backup(first.place, first.admin_url, _backup(first)))
            _fill(store, people)
        before, until = fingerprint.take(first.url("ops")), timezone.now() + timedelta(seconds=SECOND / 2)
        time.sleep(SECOND)
        dropped = _drop(first)
        second, restore_seconds = _second(folder, first, until)
        leaving.callback(second.stop)
        after = fingerprint.take(second.url("ops"))
        with looking_at(second):
            held, sent_while_held = holding.held_since() is not None, _due_job()
            call_command("release", "--send", "--at-once", stdout=StringIO())
            sent_after = dispatch.dispatch(seconds=20)
        return Report(before, after, dropped, held, sent_while_held, sent_after, backup_seconds, restore_seconds)


def _first(folder: Path) -> Server:
    """A new server whose log is archived."""
    os.environ["WAL_ARCHIVE"] = str(folder / "archive")
    try:
        place = _place(folder / "first")
    finally:
        del os.environ["WAL_ARCHIVE"]
    server = Server(place, postgres.start_postgres(place))
    passwords = {role: place.secrets[role] for role in places.ROLES.values()}
    roles.urls_of_roles(place, server.admin_url, passwords)
    return server


def migrate(server: Server) -> None:
    """Tables as an installation gets them."""
    with looking_at(server):
        call_command("migrate", database="owner", interactive=False, verbosity=0)


def _second(folder: Path, first: Server, until: datetime) -> tuple[Server, float]:
    """The server brought back, and how long that took. The backup holds the passwords of the first."""
    place = replace(_place(folder / "second"), secrets=first.place.secrets)
    archive = first.place.archive
    assert archive is not None
    began = time.monotonic()
    port = backups.restore(_backup(first), archive, place, until=until)
    return Server(place, port), time.monotonic() - began


def _place(folder: Path) -> places.Place:
    places.make_data_dir(folder)
    return places.place_of(folder)


def _backup(first: Server) -> Path:
    return first.place.servers / "backup"


def _fill(store: Store, people: int) -> None:
    """Customers, each with a message that is due and a transaction in the books."""
    at = timezone.now()
    with acting_for(store):
        emails = [f"{secrets.token_hex(6)}@example.com" for _ in range(people)]
        known = Customer.objects.bulk_create(
            Customer(store=store, name="Sara", email=email, email_norm=email, recorded_at=at) for email in emails
        )
        cost = ledger.account(store, Account.Kind.COST, store.currency)
        credits = [ledger.account(store, Account.Kind.CREDIT, store.currency, one) for one in known]
        ledger.post_all(
            store,
            [
                ledger.Posting(f"drill:{one.customer_id}", ledger.Fact.GRANT, {cost: -amount, one: amount}, at)
                for amount, one in enumerate(credits, 100)
            ],
        )
        links = {"survey": "https://shop.example/s/x", "unsubscribe": "https://shop.example/u/x"}
        due = {"kind": Kind.SURVEY, "due_at": at, "created_at": at, "context": {"product": "Mug", "links": links}}
        plan_messages(store, [Message(store=store, customer=one, key=f"drill:{one.pk}", **due) for one in known])


def _drop(first: Server) -> bool:
    """The accident; then the server ends, and with it the last piece of its log reaches the archive."""
    first.run("DROP TABLE rewards_entry CASCADE", role="owner")
    gone = "rewards_entry" not in _tables(first)
    first.run("SELECT pg_switch_wal()")
    first.stop()
    return gone


def _tables(server: Server) -> list[str]:
    connection = psycopg2.connect(server.url("ops"))
    with connection.cursor() as cursor:
        cursor.execute(fingerprint.TABLES)
        found = [row[0] for row in cursor.fetchall()]
    connection.close()
    return found


def _due_job() -> int:
    """Let beat's job for what is due run once; how many messages left."""
    return int(send_due())


@contextmanager
def looking_at(server: Server) -> Iterator[None]:
    """Django's connections go to this server inside."""
    homes = {one.alias: dict(one.settings_dict) for one in connections.all()}
    try:
        for one in connections.all():
            url = server.url("owner" if one.alias == "owner" else "app")
            one.close()
            one.settings_dict.update(environ.Env.db_url_config(url))
        yield
    finally:
        for one in connections.all():
            one.close()
            one.settings_dict.update(homes[one.alias])


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def main(people: int) -> int:
    """Run it and say what was found; 1 when the backup did not come back whole."""
    folder = Path(tempfile.mkdtemp(prefix="goodword-drill-"))
    folder.chmod(0o711)
    try:
        found = drill(folder, people=people, make_tables=migrate)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    before, after = (sum(one.rows.values()) for one in (found.before, found.after))
    print(f"{before} rows in {len(found.before.rows)} tables before the DROP, {after} after the return")
    for currency, entries, total, turnover, seal in found.after.books:
        print(f"books {currency}: {entries} entries, sum {total}, turnover {turnover}, {seal}")
    print(f"base backup {found.backup_seconds:.1f} s, restore {found.restore_seconds:.1f} s")
    print(f"held after the restore: {'yes' if found.held else 'NO'}; sent while held: {found.sent_while_held}")
    print(f"sent after the release: {found.sent_after}")
    print("The backup came back whole." if found.is_good else "THE BACKUP DID NOT COME BACK.")
    return int(not found.is_good)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
