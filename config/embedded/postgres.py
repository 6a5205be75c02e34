"""The embedded PostgreSQL."""

import shlex
import shutil
from pathlib import Path

import psutil

from config.embedded.places import Place, log_tail, port_for, write
from config.embedded.processes import START_SECONDS, ServersError, alive, end_orphans, is_stranger, run, until
from config.embedded.programs import POSTGRES_MAJOR, program

POSTGRES_CONF = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''  # a socket's path is limited to some 107 bytes, DATA_DIR is not
cluster_name = '{name}'  # shows in every process title, see _orphans
password_encryption = 'scram-sha-256'
max_connections = 200
shared_buffers = 128MB
jit = off
fsync = on
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %u@%d '
"""
# Each piece of the log is copied under another name first: what bears its name is whole; another's is not overwritten.
ARCHIVE_CONF = """\
archive_mode = on
archive_timeout = 60
archive_command = '{command}'
"""
POSTGRES_HBA = "host all,replication all 127.0.0.1/32 scram-sha-256\n"


def postmaster(servers: Path) -> psutil.Process | None:
    """The PostgreSQL of this place, if it runs."""
    return alive(servers / "postgres" / "postmaster.pid", str(servers / "postgres"))


def start_postgres(place: Place) -> int:
    """Start PostgreSQL, or join the one that runs; returns its port."""
    _make_cluster(place)
    for attempt in range(4):
        if postmaster(place.servers) or _launch_postgres(place, fresh_port=attempt > 0):
            return _ready_port(place)
    raise ServersError(f"PostgreSQL did not start. Its log says:\n{log_tail(place, 'postgres')}")


def _make_cluster(place: Place) -> None:
    version = place.postgres / "PG_VERSION"
    if version.exists():
        if (major := version.read_text().strip()) != POSTGRES_MAJOR:
            raise ServersError(f"{place.postgres} is of PostgreSQL {major}. Dump it there and reload it here.")
        return
    fresh, password = place.servers / "postgres.new", place.servers / "password"
    shutil.rmtree(fresh, ignore_errors=True)
    if place.postgres.exists():  # not of our making: initdb's result arrives there whole
        raise ServersError(f"{place.postgres} is no PostgreSQL cluster. Move it away, or name another DATA_DIR.")
    write(password, place.secrets["admin"], place.account)
    try:
        _initdb(place, fresh, password)
    finally:
        password.unlink()
    fresh.rename(place.postgres)  # all or nothing


def _initdb(place: Place, directory: Path, password: Path) -> None:
    command = [program("initdb", place.account), "--pgdata", str(directory), "--username", "goodword_admin"]
    command += ["--pwfile", str(password), "--auth", "scram-sha-256", "--encoding", "UTF8"]
    # The same order and case rules on every machine, whatever locales it has.
    command += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]
    done = run(command, place.account)
    if done.returncode:
        raise ServersError(f"initdb failed:\n{done.stdout}")
    with (directory / "postgresql.conf").open("a") as file:
        file.write("include 'goodword.conf'\n")


def _launch_postgres(place: Place, *, fresh_port: bool) -> bool:
    _clear_postgres(place)
    port = port_for(place, "postgres", fresh=fresh_port)
    conf = POSTGRES_CONF.format(port=port, name=place.name) + _archive_conf(place)
    write(place.postgres / "goodword.conf", conf, place.account)
    write(place.postgres / "pg_hba.conf", POSTGRES_HBA, place.account)
    log = place.servers / "log" / "postgres.log"
    command = [program("pg_ctl", place.account), "start", "-w", "-t", str(START_SECONDS)]
    command += ["-D", str(place.postgres), "-l", str(log)]
    return run(command, place.account).returncode == 0 or postmaster(place.servers) is not None


def _archive_conf(place: Place) -> str:
    if place.archive is None:
        return ""
    target = shlex.quote(str(place.archive).replace("%", "%%"))
    copy = f"cp %p {target}/%f.part && mv {target}/%f.part {target}/%f"
    copy = f"if test -f {target}/%f; then cmp -s %p {target}/%f; else {copy}; fi"
    return ARCHIVE_CONF.format(command=copy.replace("'", "''"))


def _clear_postgres(place: Place) -> None:
    """After a kill -9: end children that outlived the postmaster, drop a pid file that names a stranger."""
    postgres = f"{program('postgres', place.account)} -D {place.postgres}"
    end_orphans((f"postgres: {place.name}: ", postgres))
    if is_stranger(place.postgres / "postmaster.pid"):  # Postgres would take it for its twin
        (place.postgres / "postmaster.pid").unlink()


def _ready_port(place: Place) -> int:
    """The port that the running server recorded, once it takes connections."""
    path = place.postgres / "postmaster.pid"

    def ready() -> bool:
        lines = path.read_text().splitlines() if path.exists() else []
        return len(lines) > 7 and lines[7].strip() == "ready"

    if not until(ready, START_SECONDS):
        raise ServersError(f"PostgreSQL is not ready. Its log says:\n{log_tail(place, 'postgres')}")
    return int(path.read_text().splitlines()[3])
