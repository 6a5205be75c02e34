"""PgBouncer in front of the tests' Postgres, two connections for everybody, each lent for one transaction."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import psycopg2

from tests import databases
from tests.faults.postgres import servers_user
from tests.stack import free_port, until

CONFIG = """
[databases]
* = host={HOST} port={PORT} user={USER} password={PASSWORD}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 100
logfile = {folder}/log
"""


def find_pgbouncer() -> str:
    """Its path; a missing one is an error that says what to do."""
    for name in (os.environ.get("PGBOUNCER"), "pgbouncer", "/usr/sbin/pgbouncer"):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise AssertionError("This needs PgBouncer: apt-get install pgbouncer, or set PGBOUNCER to its path.")


class PgBouncer:
    """`with PgBouncer() as pooler:` listens for the application's role; `urls` lead through it."""

    def __enter__(self) -> PgBouncer:
        self.port, user = free_port(), servers_user()  # it refuses to be root, as Postgres does
        self.folder = Path(tempfile.mkdtemp(prefix="goodword-pooler-"))
        config = self.folder / "pgbouncer.ini"
        home = databases.as_django_says(os.environ["DATABASE_URL"])
        config.write_text(CONFIG.format(port=self.port, folder=self.folder, **home))
        if user:
            for path in (self.folder, config):
                os.chown(path, user.uid, user.gid)
        identity = {"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}
        self.process = subprocess.Popen([find_pgbouncer(), "--quiet", str(config)], cwd="/", **identity)
        there = f"{home['HOST']}:{home['PORT']}"
        self.urls = {name: os.environ[name].replace(there, f"127.0.0.1:{self.port}") for name in databases.URLS}
        until(self._answers, what="PgBouncer answers")
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with suppress(psycopg2.OperationalError):
            psycopg2.connect(self.urls["DATABASE_URL"], connect_timeout=5).close()
            return True
        return False
