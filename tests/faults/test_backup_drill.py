"""Backup and restore: base backup, archived log, a table dropped, the way back to a second before."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from config.embedded.programs import program
from tests import databases
from tools import backup_drill

PEOPLE = 20


@pytest.fixture
def folder():
    """A folder that the servers' user may pass through, with a name that shells and Postgres could misread."""
    path = Path(tempfile.mkdtemp(prefix="goodword it's 100%-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def tables(django_db_blocker):
    """A function that gives a server our tables by a dump: migrating would take most of the time."""
    with django_db_blocker.unblock(), databases.own() as name:
        yield lambda server: copy(databases.url_of(os.environ["DATABASE_OPS_URL"], name), server.admin_url)


def copy(source: str, target: str) -> None:
    dump = [program("pg_dump", None), "--dbname", source]
    dumped = subprocess.run(dump, check=True, capture_output=True).stdout
    load = [program("psql", None), "--no-psqlrc", "--quiet", "--dbname", target, "--set", "ON_ERROR_STOP=1"]
    subprocess.run(load, input=dumped, check=True, capture_output=True)


def test_it_comes_back_to_a_second_before_and_sends_nothing(tables, folder):
    found = backup_drill.drill(folder, people=PEOPLE, make_tables=tables)
    assert found.dropped
    assert found.after == found.before
    ((currency, entries, total, turnover, _seal),) = found.after.books
    assert (currency, entries, total) == ("PHP", 4 * PEOPLE, 0)  # half of them are in the log alone
    assert turnover > 0
    assert found.after.rows["outreach_message"] == 2 * PEOPLE
    assert found.held
    assert found.sent_while_held == 0
    assert found.sent_after == 2 * PEOPLE
    assert found.is_good
    print(f"backup {found.backup_seconds:.1f} s, restore {found.restore_seconds:.1f} s")
