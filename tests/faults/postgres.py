"""A PostgreSQL of a test's own: to be killed, to run out of disk. The tests' own server goes on beside it."""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg2

from config.embedded.places import Place
from config.embedded.processes import Account
from config.embedded.programs import program
from config.embedded.roles import urls_of_roles
from tests import databases
from tests.stack import free_port, until

PASSWORDS = dict.fromkeys(("app", "owner", "ops"), "x")  # on loopback, everybody is trusted
# What is written outlives a kill -9 of the server; only a lost machine wants fsync.
CONFIG = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
fsync = off
shared_buffers = 32MB
max_connections = 100
max_wal_size = 64MB
min_wal_size = 32MB
timezone = 'UTC'
"""


def servers_user() -> Account | None:
    """Postgres refuses to be root."""
    if os.geteuid():
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


class Postgres:
    """`with Postgres() as server:` runs with all tables and no rows; `kill` and `start` as often as you like."""

    def __init__(self) -> None:
        self.user = servers_user()
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Postgres:
        self.folder = Path(tempfile.mkdtemp(prefix="goodword-postgres-"))
        self.folder.chmod(0o755)
        self.data = self.place()
        self.run("initdb", "--pgdata", str(self.data), "--username", "goodword_admin", "--auth", "trust", "--no-sync",
                 "--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
                 "--locale", "C")  # fmt: skip
        self.write_config()
        self.start()
        (self.folder / "run").mkdir()
        admin = f"postgresql://goodword_admin:x@127.0.0.1:{self.port}/goodword"
        self.urls = urls_of_roles(Place(self.folder, self.folder, self.user, {}), admin, PASSWORDS)
        restore = [
            program("psql", None),
            "--no-psqlrc",
            "--quiet",
            "-v",
            "ON_ERROR_STOP=1",
            "--output",
            os.devnull,
            admin,
        ]
        done = subprocess.run(restore, input=_schema(), capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return self

    def __exit__(self, *_error: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def place(self) -> Path:
        """An empty folder of the server's user."""
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        if self.user:
            os.chown(data, self.user.uid, self.user.gid)
        return data

    def write_config(self) -> None:
        with self.seen_from_outside("postgresql.conf").open("a") as file:
            file.write(CONFIG.format(port=self.port))

    def seen_from_outside(self, name: str) -> Path:
        """The path of a file of the server's, for us."""
        return self.data / name

    def command(self, name: str, *arguments: str) -> list[str]:
        """How a program of the server's is started."""
        return [program(name, self.user), *arguments]

    def identity(self) -> dict[str, object]:
        """As whom it runs."""
        return {"user": self.user.uid, "group": self.user.gid, "extra_groups": []} if self.user else {}

    def run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(self.command(name, *arguments), cwd="/", capture_output=True, **self.identity())
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        """Start it and wait until it answers; crash recovery is done by then."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command("postgres", "-D", str(self.data)), cwd="/", stdout=log, stderr=log, **self.identity()
            )
        until(self.answers, what="Postgres answers")

    def answers(self) -> bool:
        with suppress(psycopg2.OperationalError):
            psycopg2.connect(
                host="127.0.0.1", port=self.port, user="goodword_admin", dbname="postgres", connect_timeout=5
            ).close()
            return True
        assert self.process.poll() is None, self.log()
        return False

    def family(self) -> list[psutil.Process]:
        """The server and its children."""
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.process.pid)
            return [parent, *parent.children(recursive=True)]
        return []

    def kill(self) -> None:
        """kill -9 of the server and all its children, as when the machine's power is gone."""
        family = self.family()
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self.process:
            self.process.wait()
        psutil.wait_procs(family, timeout=20)

    def restart(self, *, away: float) -> None:
        """Kill it, and start it after so many seconds."""
        self.kill()
        time.sleep(away)
        self.start()

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]


class SmallDisk(Postgres):
    """One whose whole folder lies on a disk of `megabytes`: a tmpfs in a mount namespace that ends with it."""

    def __init__(self, megabytes: int) -> None:
        super().__init__()
        self.megabytes = megabytes

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.holder.kill()
        self.holder.communicate()

    def place(self) -> Path:
        disk = self.folder / "disk"
        disk.mkdir(mode=0o700)
        owner = f",uid={self.user.uid},gid={self.user.gid}" if self.user else ""
        mount = f"mount -t tmpfs -o size={self.megabytes}m,mode=0700{owner} tmpfs '{disk}'"
        inside = [] if self.user else ["--user", "--map-current-user", "--keep-caps"]
        pipe = subprocess.PIPE
        self.holder = subprocess.Popen(
            ["unshare", "--mount", *inside, "sh", "-c", f"{mount} && echo mounted && exec cat"],
            stdin=pipe, stdout=pipe, stderr=pipe, text=True,
        )  # fmt: skip
        if self.holder.stdout.readline().strip() != "mounted":
            raise AssertionError(
                "A small disk cannot be made here: mounting a tmpfs in a namespace of one's own needs root's rights "
                "(a container: --cap-add SYS_ADMIN) or kernel.unprivileged_userns_clone=1. "
                + self.holder.communicate()[1]
            )
        return disk / "data"

    def seen_from_outside(self, name: str) -> Path:
        return Path(f"/proc/{self.holder.pid}/root{self.data}") / name

    def command(self, name: str, *arguments: str) -> list[str]:
        there = ["nsenter", "--target", str(self.holder.pid), "--mount"]
        if self.user:
            become = ["setpriv", f"--reuid={self.user.uid}", f"--regid={self.user.gid}", "--clear-groups"]
        else:
            there, become = [*there, "--user", "--preserve-credentials"], []
        return [*there, "--", *become, *super().command(name, *arguments)]

    def identity(self) -> dict[str, object]:
        return {}  # first into the namespace, as ourselves

    def fill(self) -> None:
        """Leave no room on the disk."""
        with self.seen_from_outside("../ballast").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(1 << 16))

    def free(self) -> None:
        """Give the room back."""
        self.seen_from_outside("../ballast").unlink()


@functools.cache
def _schema() -> bytes:
    """All tables and what migrations wrote, as SQL: from a copy, because the template must stay alone."""
    with databases.own() as name:
        url = databases.url_of(os.environ["DATABASE_OWNER_URL"], name)
        # The owner's dump sees no store's rows, and there are none.
        dump = [program("pg_dump", None), "--enable-row-security", "--dbname", url]
        return subprocess.run(dump, capture_output=True, check=True).stdout
