"""The embedded PostgreSQL and Redis: real servers in DATA_DIRs of their own, from processes of their own."""

import json
import os
import pwd
import re
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import redis

from config import embedded
from config.embedded.programs import program
from config.embedded.roles import ROLES_SQL
from tests.platform.holding import AS_ROOT, is_kept, keep_something, kill_servers, server_pids, sql, type_of_hold

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


def test_two_copies_make_the_roles_of_one_server_from_two_databases(home: Path, hold: type_of_hold) -> None:
    server = hold(home / "server").env
    password = json.loads((home / "server" / "secrets.json").read_text())["admin"]
    address = server["DATABASE_URL"].rpartition("@")[2]
    admin = f"postgresql://goodword_admin:{password}@{address}"
    assert second_of_two_runs(admin, ROLES_SQL.read_text()) == ""
    # The control: without the comment, the second run is refused.
    unguarded = re.sub(r"COMMENT ON ROLE.*", "", ROLES_SQL.read_text())
    assert "tuple concurrently updated" in second_of_two_runs(admin, unguarded)


def second_of_two_runs(admin: str, script: str) -> str:
    """What Postgres says to whoever runs the script in template1 while a run in our database has not ended."""
    first = psql(admin)
    assert first.stdin
    before_the_end, commit, _ = script.rpartition("COMMIT;")
    first.stdin.write(before_the_end)
    first.stdin.flush()
    in_transaction = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    wait_for(lambda: sql(admin, in_transaction) == [(1,)])
    second = psql(admin.rpartition("/")[0] + "/template1")
    assert second.stdin
    second.stdin.write(script)
    second.stdin.flush()
    wait_for(lambda: sql(admin, waiting) == [(1,)])
    assert first.communicate(commit, timeout=30)[0] == ""
    return second.communicate(timeout=30)[0]


def wait_for(what: Callable[[], bool]) -> None:
    """Look until it is so, for as long as a slow machine may take."""
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def psql(admin: str) -> subprocess.Popen[str]:
    """A psql that reads from us; the passwords are any."""
    env = {**os.environ, "OWNER_PASSWORD": "a", "APP_PASSWORD": "b", "OPS_PASSWORD": "c"}
    command = [program("psql", None), "--no-psqlrc", "--quiet", "--tuples-only", admin]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True)


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
