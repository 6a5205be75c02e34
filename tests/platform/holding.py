"""Processes that use embedded servers, and what is looked at from outside."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
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


def clean(data_dir: Path) -> None:
    """End what still runs there, and what lies outside of it."""
    for pid in server_pids(data_dir).values():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if (data_dir / "servers").is_symlink():
        shutil.rmtree((data_dir / "servers").resolve())
