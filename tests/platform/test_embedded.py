"""The embedded PostgreSQL and Redis: real servers in DATA_DIRs of their own, from processes of their own."""

import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
import redis

from config import embedded

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = Path(redis.__file__).parent.parent
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="about what root does; everybody else is ordinary already")
# Enters services(), tells the environment it got, and leaves when its input closes. Before it becomes
# another user it enters once as root, so that Python has read what lies where that user cannot.
HOLD = """
import json, os, sys, tempfile
from pathlib import Path
from config import embedded
if len(sys.argv) > 2:
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o755)
        with embedded.services(Path(path, "data")):
            pass
    os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
try:
    with embedded.services(Path(sys.argv[1])) as env:
        print(json.dumps(env), flush=True)
        sys.stdin.read()
except embedded.ServersError as error:
    print(json.dumps({"error": str(error)}), flush=True)
"""


def skip_unless_readable(uid: int) -> None:
    """Skip where wheels or checkout lie in root's home: an ordinary user has no business there."""
    for path in (PACKAGES / "redis", ROOT / "manage.py"):
        test = subprocess.run(["test", "-r", str(path)], user=uid, group=uid, extra_groups=[], check=False)
        if test.returncode:
            pytest.skip(f"user {uid} cannot read {path}")


class Holder:
    """A process that uses the servers of a DATA_DIR until it is told to leave."""

    def __init__(self, data_dir: Path, *, uid: int | None = None, given: dict[str, str] | None = None) -> None:
        ours = {*embedded.ROLES, "REDIS_URL", "SECRET_KEY", "DATA_DIR"}
        env = {name: value for name, value in os.environ.items() if name not in ours} | (given or {})
        if uid is not None:
            skip_unless_readable(uid)
        command = [sys.executable, "-c", HOLD, str(data_dir), *([] if uid is None else [str(uid)])]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=pipe, stdout=pipe, text=True)
        self._env: dict[str, str] = {}

    @property
    def env(self) -> dict[str, str]:
        """What services() handed out."""
        if not self._env:
            assert self.process.stdout
            self._env = json.loads(self.process.stdout.readline())
            assert "error" not in self._env, self._env["error"]
        return self._env

    def leave(self) -> None:
        """End in order, and wait for it."""
        self.process.communicate(timeout=30)
        assert self.process.returncode == 0

    def kill(self) -> None:
        """End without a chance to clean up."""
        self.process.kill()
        self.process.wait()


type_of_hold = Callable[..., Holder]


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that every user may pass through; pytest's own is root's alone."""
    path = Path(tempfile.mkdtemp(prefix="goodword-test-"))
    path.chmod(0o755)
    yield path
    for secrets in path.rglob("secrets.json"):  # never above our own folder: others' servers run beside it
        _clean(secrets.parent)
    shutil.rmtree(path)


def _clean(data_dir: Path) -> None:
    for pid in server_pids(data_dir).values():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if (data_dir / "servers").is_symlink():
        shutil.rmtree((data_dir / "servers").resolve())


@pytest.fixture
def hold() -> Iterator[type_of_hold]:
    """Start users of the servers; those that the test leaves behind are killed."""
    started: list[Holder] = []

    def start(*args: Any, **kwargs: Any) -> Holder:
        started.append(Holder(*args, **kwargs))
        return started[-1]

    yield start
    for holder in started:
        holder.kill()
        for pipe in (holder.process.stdin, holder.process.stdout):
            if pipe:
                pipe.close()


def server_pids(data_dir: Path) -> dict[str, int]:
    """The running servers of this DATA_DIR, by name."""
    files = {"postgres": "postgres/postmaster.pid", "redis": "redis/redis.pid"}
    pids = {}
    for name, file in files.items():
        path = data_dir / "servers" / file
        if path.exists():
            pids[name] = int(path.read_text().split()[0])
    directory = str((data_dir / "servers").resolve())
    return {name: pid for name, pid in pids.items() if is_running(pid, directory)}


def is_running(pid: int, directory: str) -> bool:
    """True if it works in this folder and has not ended, reaped or not; a number may be another's by now."""
    try:
        process = psutil.Process(pid)
        return directory in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill_servers(data_dir: Path) -> None:
    """Kill -9 of both, and wait until they are gone."""
    pids = server_pids(data_dir)
    assert set(pids) == {"postgres", "redis"}
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while server_pids(data_dir) and time.monotonic() < deadline:
        time.sleep(0.02)


def sql(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Run them in one transaction; returns the rows of the last one."""
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def in_database(url: str, name: str) -> str:
    """The same server and role, another database."""
    return url.rpartition("/")[0] + "/" + name


def keep_something(env: dict[str, str]) -> None:
    sql(env["DATABASE_OWNER_URL"], "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('good')")
    redis.Redis.from_url(env["REDIS_URL"]).set("kept", "word")


def is_kept(env: dict[str, str]) -> bool:
    rows = sql(env["DATABASE_URL"], "SELECT word FROM kept")
    return rows == [("good",)] and redis.Redis.from_url(env["REDIS_URL"]).get("kept") == b"word"


# -- What is handed out --


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, str]]:
    """The environment of servers that the tests below only look at."""
    path = Path(tempfile.mkdtemp(prefix="goodword-test-"))
    path.chmod(0o755)
    holder = Holder(path / "data")
    try:
        yield holder.env | {"DATA_DIR": str(path / "data")}
    finally:
        holder.leave()
        shutil.rmtree(path)


def test_it_is_postgres_18_with_durable_commits(running: dict[str, str]) -> None:
    asked = "SELECT current_setting('server_version_num')::int / 10000, current_setting('fsync')"
    assert sql(running["DATABASE_URL"], asked) == [(18, "on")]


def test_the_roles_have_the_rights_they_need_and_no_more(running: dict[str, str]) -> None:
    asked = "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles"
    assert sorted(sql(running["DATABASE_URL"], asked + " WHERE rolname ~ '^goodword_(app|owner|ops)$'")) == [
        ("goodword_app", False, False, False, False),
        ("goodword_ops", False, True, False, False),
        ("goodword_owner", False, False, True, False),
    ]


def test_the_application_owns_nothing(running: dict[str, str]) -> None:
    sql(running["DATABASE_OWNER_URL"], "CREATE TABLE owned (id bigint)")
    owned = "SELECT count(*) FROM pg_shdepend WHERE refobjid = 'goodword_app'::regrole AND deptype = 'o'"
    assert sql(running["DATABASE_URL"], owned) == [(0,)]
    assert sql(running["DATABASE_URL"], "SELECT tableowner FROM pg_tables WHERE tablename = 'owned'") == [
        ("goodword_owner",)
    ]


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE mine (id int)", "TRUNCATE guarded", "DROP TABLE guarded", "CREATE ROLE friend"],
)
def test_the_application_may_not(running: dict[str, str], statement: str) -> None:
    sql(running["DATABASE_OWNER_URL"], "CREATE TABLE IF NOT EXISTS guarded (id int)")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        sql(running["DATABASE_URL"], statement)


def test_row_level_security_binds_the_application_and_not_ops(running: dict[str, str]) -> None:
    make = "CREATE TABLE walled (id bigint GENERATED BY DEFAULT AS IDENTITY, word text)"
    sql(running["DATABASE_OWNER_URL"], make)
    sql(running["DATABASE_URL"], "INSERT INTO walled (word) VALUES ('good')")  # the control: no wall yet
    assert sql(running["DATABASE_URL"], "SELECT count(*) FROM walled") == [(1,)]
    force = "ALTER TABLE walled FORCE ROW LEVEL SECURITY"
    sql(running["DATABASE_OWNER_URL"], "ALTER TABLE walled ENABLE ROW LEVEL SECURITY", force)
    counts = [sql(running[name], "SELECT count(*) FROM walled")[0][0] for name in embedded.ROLES]
    assert dict(zip(embedded.ROLES, counts, strict=True)) == {
        "DATABASE_URL": 0,
        "DATABASE_OWNER_URL": 0,
        "DATABASE_OPS_URL": 1,
    }


def test_the_owner_hands_functions_to_ops_and_only_the_application_calls_them(
    running: dict[str, str],
) -> None:
    make = "CREATE FUNCTION whoami() RETURNS name LANGUAGE sql SECURITY DEFINER AS 'SELECT current_user'"
    sql(running["DATABASE_OWNER_URL"], make, "ALTER FUNCTION whoami() OWNER TO goodword_ops")
    assert sql(running["DATABASE_URL"], "SELECT whoami()") == [("goodword_ops",)]
    public = "SELECT bool_or(grantee = 0) FROM pg_proc, aclexplode(proacl) WHERE proname = 'whoami'"
    assert sql(running["DATABASE_URL"], public) == [(False,)]


def test_a_test_database_inherits_the_rights(running: dict[str, str]) -> None:
    connection = psycopg2.connect(running["DATABASE_OWNER_URL"])
    connection.autocommit = True
    connection.cursor().execute("CREATE DATABASE test_goodword")
    connection.close()
    owner = in_database(running["DATABASE_OWNER_URL"], "test_goodword")
    app = in_database(running["DATABASE_URL"], "test_goodword")
    sql(owner, "CREATE TABLE inherited (id bigint GENERATED BY DEFAULT AS IDENTITY, word text)")
    assert sql(app, "INSERT INTO inherited (word) VALUES ('good') RETURNING id") == [(1,)]


def test_redis_refuses_when_full_and_writes_what_it_takes(running: dict[str, str]) -> None:
    client = redis.Redis.from_url(running["REDIS_URL"])
    names = ("maxmemory-policy", "appendonly", "appendfsync", "bind")
    settings = {name: client.config_get(name)[name] for name in names}
    assert settings == dict(zip(names, ("noeviction", "yes", "everysec", "127.0.0.1"), strict=True))


def test_nobody_gets_in_without_a_password(running: dict[str, str]) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        sql(running["DATABASE_URL"].replace("goodword_app:", "goodword_app:not"))
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url("redis://" + running["REDIS_URL"].rpartition("@")[2]).ping()


def test_the_secrets_are_for_one_reader(running: dict[str, str]) -> None:
    data_dir = Path(running["DATA_DIR"])
    kept = [data_dir / "secrets.json", data_dir / "servers" / "redis" / "redis.conf"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in kept] == [0o600, 0o600]
    assert len(running["SECRET_KEY"]) >= 40
    assert running["SECRET_KEY"] == json.loads(kept[0].read_text())["secret_key"]


# -- Starting, joining, stopping --


def test_the_last_to_leave_stops_the_servers(home: Path, hold: type_of_hold) -> None:
    first = hold(home)
    assert first.env
    started = server_pids(home)
    second = hold(home)
    assert second.env == first.env
    assert server_pids(home) == started  # joined, not started again
    first.leave()
    assert server_pids(home) == started
    second.leave()
    assert server_pids(home) == {}


def test_three_first_starts_at_once_share_one_pair(home: Path, hold: type_of_hold) -> None:
    holders = [hold(home / "new") for _ in range(3)]
    envs = [holder.env for holder in holders]
    assert envs[0] == envs[1] == envs[2]
    assert len(server_pids(home / "new")) == 2


def test_what_was_kept_outlives_a_stop(home: Path, hold: type_of_hold) -> None:
    first = hold(home)
    keep_something(first.env)
    first.leave()
    assert is_kept(hold(home).env)


def test_killed_servers_start_again_with_their_data_and_addresses(home: Path, hold: type_of_hold) -> None:
    first = hold(home)
    keep_something(first.env)
    kill_servers(home)
    second = hold(home)
    assert is_kept(second.env)
    assert second.env == first.env  # the first one may go on with its old addresses


def test_a_killed_user_leaves_servers_that_the_next_joins_and_stops(home: Path, hold: type_of_hold) -> None:
    first = hold(home)
    keep_something(first.env)
    left = server_pids(home)
    first.kill()
    assert server_pids(home) == left
    second = hold(home)
    assert is_kept(second.env)
    assert server_pids(home) == left
    second.leave()
    assert server_pids(home) == {}


def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(home: Path, hold: type_of_hold) -> None:
    first = hold(home)
    keep_something(first.env)
    files = [home / "servers" / "postgres" / "postmaster.pid", home / "servers" / "redis" / "redis.pid"]
    before = [(file, file.read_text()) for file in files]
    kill_servers(home)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        for file, text in before:
            file.write_text("\n".join([str(stranger.pid), *text.splitlines()[1:]]) + "\n")
        try:
            assert is_kept(hold(home).env)
            assert stranger.poll() is None  # and it was left alone
        finally:
            stranger.kill()


def test_a_start_that_was_cut_off_is_done_over(home: Path, hold: type_of_hold) -> None:
    first = hold(home)
    assert first.env
    first.leave()
    (home / "servers" / "postgres").rename(home / "servers" / "postgres.new")
    (home / "servers" / "postgres.new" / "PG_VERSION").unlink()
    assert sql(hold(home).env["DATABASE_URL"], "SELECT 1") == [(1,)]


def test_two_copies_run_side_by_side(home: Path, hold: type_of_hold) -> None:
    one, two = hold(home / "one"), hold(home / "two")
    keep_something(one.env)
    assert is_kept(one.env)
    assert sql(two.env["DATABASE_URL"], "SELECT to_regclass('kept')") == [(None,)]
    assert redis.Redis.from_url(two.env["REDIS_URL"]).get("kept") is None
    one.leave()
    assert len(server_pids(home / "two")) == 2


def test_a_deep_data_dir_works(home: Path, hold: type_of_hold) -> None:
    deep = home / ("a folder with a long name" * 4) / ("and 'another' one" * 8)
    assert len(str(deep)) > 200
    first = hold(deep)
    keep_something(first.env)
    first.leave()
    assert is_kept(hold(deep).env)


# -- Who runs it --


@AS_ROOT
def test_root_runs_the_servers_as_somebody_else(home: Path, hold: type_of_hold) -> None:
    assert hold(home).env
    users = {psutil.Process(pid).uids().real for pid in server_pids(home).values()}
    assert users == {pwd.getpwnam("nobody").pw_uid}


@AS_ROOT
def test_root_may_keep_its_data_where_nobody_else_gets(home: Path, hold: type_of_hold) -> None:
    home.chmod(0o700)
    first = hold(home / "private")
    keep_something(first.env)
    first.leave()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700  # not opened to make it work
    assert is_kept(hold(home / "private").env)


@AS_ROOT
def test_a_new_data_dir_leaves_the_outside_data_of_a_moved_one_alone(home: Path, hold: type_of_hold) -> None:
    home.chmod(0o700)
    first = hold(home / "private")
    keep_something(first.env)
    first.leave()
    (home / "private").rename(home / "moved")
    assert sql(hold(home / "private").env["DATABASE_URL"], "SELECT to_regclass('kept')") == [(None,)]
    assert is_kept(hold(home / "moved").env)


@AS_ROOT
def test_an_ordinary_user_and_then_root_share_one_data_dir(home: Path, hold: type_of_hold) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    home = home / "ordinary"
    home.mkdir()
    os.chown(home, nobody, -1)
    first = hold(home, uid=nobody)
    keep_something(first.env)
    first.leave()
    as_root = hold(home)
    assert is_kept(as_root.env)
    as_root.leave()
    assert is_kept(hold(home, uid=nobody).env)


@AS_ROOT
def test_another_users_data_dir_is_refused_with_a_sentence(home: Path, hold: type_of_hold) -> None:
    assert hold(home / "roots").env
    with pytest.raises(AssertionError, match="Set DATA_DIR to a folder of yours"):
        assert hold(home / "roots", uid=pwd.getpwnam("nobody").pw_uid).env


# -- Servers that the environment names --


def test_named_servers_are_used_as_they_are(home: Path, hold: type_of_hold) -> None:
    given = {name: f"given-{name}" for name in embedded.URLS}
    assert hold(home, given=given).env == given
    assert list(home.iterdir()) == []


def test_a_named_redis_is_used_beside_our_postgres(home: Path, hold: type_of_hold) -> None:
    env = hold(home, given={"REDIS_URL": "redis://elsewhere:6379/0"}).env
    assert env["REDIS_URL"] == "redis://elsewhere:6379/0"
    assert set(server_pids(home)) == {"postgres"}


def test_a_lone_database_url_is_an_administrators(home: Path, hold: type_of_hold) -> None:
    server = hold(home / "server").env
    password = json.loads((home / "server" / "secrets.json").read_text())["admin"]
    address = server["DATABASE_URL"].rpartition("@")[2]
    admin = f"postgresql://goodword_admin:{password}@{address}"
    one, two = (hold(home / name, given={"DATABASE_URL": admin}) for name in ("one", "two"))
    assert sql(one.env["DATABASE_URL"], "SELECT current_user") == [("goodword_app",)]
    assert one.env["DATABASE_OWNER_URL"] == two.env["DATABASE_OWNER_URL"]  # or they would lock each other out
    assert set(server_pids(home / "one")) == {"redis"}


def test_a_lone_database_url_that_may_not_make_roles_is_explained(home: Path, hold: type_of_hold) -> None:
    server = hold(home / "server").env
    with pytest.raises(AssertionError, match="must name an administrator"):
        assert hold(home / "one", given={"DATABASE_URL": server["DATABASE_URL"]}).env


def test_a_foreign_folder_in_the_clusters_place_is_left_alone(home: Path, hold: type_of_hold) -> None:
    letter = home / "servers" / "postgres" / "letter.txt"
    letter.parent.mkdir(parents=True)
    letter.write_text("not a cluster")
    with pytest.raises(AssertionError, match="is no PostgreSQL cluster"):
        assert hold(home).env
    assert letter.read_text() == "not a cluster"
