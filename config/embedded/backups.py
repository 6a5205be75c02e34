"""A base backup of the embedded PostgreSQL, and its return to any moment since, by the archived log (WAL_ARCHIVE)."""

import shlex
from datetime import datetime
from pathlib import Path

from psycopg2.extensions import parse_dsn

from config.embedded.places import Place
from config.embedded.postgres import start_postgres
from config.embedded.processes import ServersError, run
from config.embedded.programs import program

RECOVERY = """
restore_command = '{command}'
recovery_target_time = '{until}'
recovery_target_action = 'promote'
"""


def base_backup(place: Place, admin_url: str, folder: Path) -> None:
    """Copy the running server into `folder`, which must not exist. Raises ServersError."""
    facts = parse_dsn(admin_url)
    names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
    command = [
        program("pg_basebackup", place.account),
        "--pgdata",
        str(folder),
        "--checkpoint",
        "fast",
        "--no-password",
    ]
    done = run(command, place.account, {name: facts[key] for name, key in names.items()})
    if done.returncode:
        raise ServersError(f"The base backup failed:\n{done.stdout}")


def restore(backup: Path, archive: Path, place: Place, *, until: datetime) -> int:
    """Start a server at `place`, which has none yet, as the other was at `until` (aware); returns its port.

    What was committed later is not there. The backup and the archive stay as they are. Raises ServersError.
    """
    done = run(["cp", "-a", str(backup), str(place.postgres)], place.account)
    if done.returncode:
        raise ServersError(f"The backup could not be copied:\n{done.stdout}")
    fetch = f"cp {shlex.quote(str(archive).replace('%', '%%'))}/%f %p".replace("'", "''")
    recovery = RECOVERY.format(command=fetch, until=until.isoformat())
    script = 'printf "%s" "$1" >> "$2/postgresql.auto.conf" && touch "$2/recovery.signal"'
    done = run(["sh", "-c", script, "sh", recovery, str(place.postgres)], place.account)
    if done.returncode:
        raise ServersError(f"The way back could not be written down:\n{done.stdout}")
    return start_postgres(place)
