"""A real PostgreSQL 18 and a real Redis for one machine, kept under DATA_DIR.

`services()` starts what the environment does not name and hands out the addresses. Everybody who uses
the servers holds a shared lock on `run/users.lock`; who leaves last stops them. Locks die with their
process, so a kill -9 leaves at worst running servers, which the next user joins and later stops.
Why it is built this way: docs/decisions/0002-embedded-servers.md.

    DATA_DIR/secrets.json   passwords and the secret key, mode 0600
    DATA_DIR/run/           locks, ports
    DATA_DIR/servers/       postgres/, redis/, log/; a link to a reachable place when root's own is not
"""

import fcntl
import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded.cache import redis_server, start_redis
from config.embedded.places import ROLES, give_to_keeper, make_data_dir, place_of
from config.embedded.postgres import postmaster, start_postgres
from config.embedded.processes import ServersError, send, wait_for
from config.embedded.roles import passwords_for, urls_of_roles

__all__ = ["ROLES", "URLS", "ServersError", "locked", "placeholders", "services"]
URLS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")
STOP_SECONDS = 6  # `make demo` promises to end within ten


@contextmanager
def services(data_dir: Path) -> Iterator[dict[str, str]]:
    """Run with Postgres and Redis at hand; yields the environment that names them.

    The keys are DATABASE_URL (the application's role), DATABASE_OWNER_URL (migrations),
    DATABASE_OPS_URL (backups), REDIS_URL and SECRET_KEY. What the environment names already is kept:
    both database URLs as they are, a lone DATABASE_URL as an administrator's, on whose server the three
    roles are made. Raises ServersError.
    """
    given = {name: os.environ[name] for name in (*ROLES, "REDIS_URL", "SECRET_KEY") if os.environ.get(name)}
    if all(name in given for name in URLS):
        yield given
        return
    data_dir, pid = data_dir.resolve(), os.getpid()
    with _started(data_dir, given) as (users, env):
        try:
            yield env
        finally:
            if os.getpid() == pid:  # a forked child that unwinds this far stops nothing
                _leave(data_dir, users)


def placeholders() -> dict[str, str]:
    """Addresses where nobody answers, for commands that need settings but no server."""
    return {
        "DATABASE_URL": "postgresql://goodword_app@127.0.0.1:1/goodword",
        "DATABASE_OWNER_URL": "postgresql://goodword_owner@127.0.0.1:1/goodword",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": "no-server-no-secret-" + secrets.token_hex(24),
    }


@contextmanager
def locked(data_dir: Path, name: str) -> Iterator[None]:
    """Hold DATA_DIR's lock of this name alone; waits for whoever holds it."""
    with _lock_file(data_dir, name) as fd:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield


@contextmanager
def _started(data_dir: Path, given: dict[str, str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Join the users of the servers, starting them if needed; yields our lock and the environment."""
    make_data_dir(data_dir)
    with _lock_file(data_dir, "users") as users:
        try:
            with locked(data_dir, "start"):
                fcntl.flock(users, fcntl.LOCK_SH)
                env = _provide(data_dir, given)
        except BaseException:
            _leave(data_dir, users)
            raise
        yield users, env


def _leave(data_dir: Path, users: int) -> None:
    """Stop the servers if nobody else uses them."""
    if not (data_dir / "run").is_dir():
        return  # DATA_DIR was removed under us
    with locked(data_dir, "start"):
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        _stop(data_dir)


def _provide(data_dir: Path, given: dict[str, str]) -> dict[str, str]:
    place = place_of(data_dir)
    env = {"SECRET_KEY": place.secrets["secret_key"], **given}
    if "DATABASE_URL" not in given:
        port = start_postgres(place)
        admin = f"postgresql://goodword_admin:{place.secrets['admin']}@127.0.0.1:{port}/goodword"
        env |= urls_of_roles(place, admin, {role: place.secrets[role] for role in ROLES.values()})
    elif "DATABASE_OWNER_URL" not in given:
        env |= urls_of_roles(place, given["DATABASE_URL"], passwords_for(place, given["DATABASE_URL"]))
    if "REDIS_URL" not in given:
        env["REDIS_URL"] = start_redis(place)
    return env


@contextmanager
def _lock_file(data_dir: Path, name: str) -> Iterator[int]:
    path = data_dir / "run" / f"{name}.lock"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        give_to_keeper(path, data_dir)
        yield fd
    finally:
        os.close(fd)


def _stop(data_dir: Path) -> None:
    """Stop both servers, politely first; nobody uses them any more."""
    servers = (data_dir / "servers").resolve()
    postgres, cache = postmaster(servers), redis_server(servers)
    if postgres:
        send(postgres, signal.SIGINT)  # fast shutdown
    if cache:
        send(cache, signal.SIGTERM)  # flushes its file
    for process in wait_for([process for process in (postgres, cache) if process], STOP_SECONDS):
        send(process, signal.SIGQUIT if process == postgres else signal.SIGKILL)
