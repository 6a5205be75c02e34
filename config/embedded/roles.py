"""The three database roles (config/sql/roles.sql), on our server or on another's."""

import hashlib
import hmac
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from psycopg2.extensions import parse_dsn

from config.embedded.places import ROLES, Place, give_to_keeper, write
from config.embedded.processes import ServersError, run
from config.embedded.programs import program

ROLES_SQL = Path(__file__).parent.parent / "sql" / "roles.sql"
# libpq's environment variables: psql gets no password on its command line.
_PG_NAMES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "options": "PGOPTIONS",
}


def urls_of_roles(place: Place, admin_url: str, passwords: dict[str, str]) -> dict[str, str]:
    """Make the roles where they are missing or outdated; returns the three URLs."""
    urls = {name: _url_for(admin_url, role, passwords[role]) for name, role in ROLES.items()}
    stamp = place.data_dir / "run" / "roles.stamp"
    wanted = hashlib.sha256(ROLES_SQL.read_bytes() + "".join(passwords.values()).encode()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted and _can_log_in(urls["DATABASE_OWNER_URL"])):
        if admin_url.startswith("postgresql://goodword_admin:"):
            _make_database(admin_url)
        _run_roles_sql(admin_url, passwords)
        write(stamp, wanted, None)
        give_to_keeper(stamp, place.data_dir)
    return urls


def _url_for(admin_url: str, role: str, password: str) -> str:
    parts = urlsplit(admin_url)
    address = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"goodword_{role}:{password}@{address}").geturl()


def passwords_for(place: Place, admin_url: str) -> dict[str, str]:
    """Passwords for the roles on another's server, where roles are shared by all databases.

    They follow from the administrator's password, so that two copies that know it agree.
    """
    known = urlsplit(admin_url).password
    if not known:
        return {role: place.secrets[role] for role in ROLES.values()}
    return {role: hmac.new(known.encode(), role.encode(), "sha256").hexdigest() for role in ROLES.values()}


def _can_log_in(url: str) -> bool:
    with suppress(psycopg2.OperationalError):
        psycopg2.connect(url, connect_timeout=10).close()
        return True
    return False


def _make_database(admin_url: str) -> None:
    connection = psycopg2.connect(admin_url.rpartition("/")[0] + "/postgres")
    connection.autocommit = True
    try:
        with connection.cursor() as cursor, suppress(psycopg2.errors.DuplicateDatabase):
            cursor.execute("CREATE DATABASE goodword")
    finally:
        connection.close()


def _run_roles_sql(admin_url: str, passwords: dict[str, str]) -> None:
    """Run roles.sql in the database, and in template1 so that test databases inherit the rights."""
    env = {_PG_NAMES[key]: value for key, value in parse_dsn(admin_url).items() if key in _PG_NAMES}
    env |= {f"{role.upper()}_PASSWORD": password for role, password in passwords.items()}
    command = [program("psql", None), "--no-psqlrc", "--no-password", "--quiet", "--file", str(ROLES_SQL)]
    done = run(command, None, env)
    if done.returncode:
        raise ServersError(
            f"The roles could not be made (config/sql/roles.sql):\n{done.stdout}"
            "DATABASE_URL alone must name an administrator; else set DATABASE_OWNER_URL as well."
        )
    run(command, None, env | {"PGDATABASE": "template1"})  # no right to, on some servers: no harm
