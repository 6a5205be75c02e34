"""Where the servers live, as whom they run, and their secrets."""

import hashlib
import json
import os
import pwd
import random
import secrets
import socket
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from config.embedded.processes import Account, ServersError, run

ROLES = {"DATABASE_URL": "app", "DATABASE_OWNER_URL": "owner", "DATABASE_OPS_URL": "ops"}


@dataclass(frozen=True)
class Place:
    """Where one DATA_DIR keeps its servers, and as whom they run (None: as ourselves)."""

    data_dir: Path
    servers: Path
    account: Account | None
    secrets: dict[str, str]
    archive: Path | None = None  # where PostgreSQL copies each finished piece of its log; None: nowhere

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


def _short_name(path: Path) -> str:
    return "goodword-" + hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def make_data_dir(data_dir: Path) -> None:
    """Make DATA_DIR and its `run`. Raises ServersError for a folder that is another user's."""
    try:
        if not data_dir.exists():
            data_dir.mkdir(parents=True)
            data_dir.chmod(0o700)
        run = data_dir / "run"
        run.mkdir(mode=0o700, exist_ok=True)
        give_to_keeper(run, data_dir)
    except PermissionError as error:
        raise ServersError(f"No access to {data_dir}: {error}. Set DATA_DIR to a folder of yours.") from error
    if not os.access(run, os.W_OK):
        raise ServersError(f"{run} belongs to another user. Set DATA_DIR to a folder of yours.")


def give_to_keeper(path: Path, data_dir: Path) -> None:
    """What root makes in another user's DATA_DIR is that user's, or they could not use it later."""
    keeper = data_dir.stat()
    if os.geteuid() == 0 and path.stat().st_uid != keeper.st_uid:
        os.chown(path, keeper.st_uid, keeper.st_gid)


def place_of(data_dir: Path) -> Place:
    """The place of this DATA_DIR, its folders made."""
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
    return Place(data_dir, servers, account, _secrets(data_dir), _archive(account))


def _archive(account: Account | None) -> Path | None:
    """The folder that WAL_ARCHIVE names, made for the servers' user."""
    named = os.environ.get("WAL_ARCHIVE")
    if not named:
        return None
    _make_dir(Path(named).resolve(), account)
    return Path(named).resolve()


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
    if not can_pass(parent, account):
        parent.chmod(parent.stat().st_mode | 0o011)  # to pass, not to list
    if can_pass(parent, account) and _make_dir(servers, account):
        return
    with suppress(FileNotFoundError):
        servers.rmdir()
    # A name never used before: what an earlier DATA_DIR of this path left may still be somebody's data.
    outside = Path(tempfile.mkdtemp(dir=folder_outside(), prefix=_short_name(parent) + "-"))
    _make_dir(outside, account)
    servers.symlink_to(outside)


def _make_dir(path: Path, account: Account | None) -> bool:
    """Make a private directory of the servers' user; False where the file system knows no owners."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account and path.stat().st_uid != account.uid:
        with suppress(OSError):
            os.chown(path, account.uid, account.gid)
    return account is None or path.stat().st_uid == account.uid


def folder_outside() -> Path:
    """A folder that every user can pass through and that outlives a restart, if there is one."""
    for path in (Path("/var/lib/goodword"), Path("/var/tmp/goodword")):  # noqa: S108, its owner is looked at
        with suppress(OSError):
            path.mkdir(exist_ok=True)
            if path.lstat().st_uid == os.geteuid() and not path.is_symlink():
                path.chmod(0o711)
                return path
    raise ServersError("The servers' user reaches no folder. Set DATA_DIR to one outside of root's home.")


def can_pass(path: Path, account: Account) -> bool:
    """Whether the account can pass through this folder, or run this file."""
    return run(["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)], account).returncode == 0


def _secrets(data_dir: Path) -> dict[str, str]:
    """The passwords and the secret key of this DATA_DIR, made at the first start."""
    path = data_dir / "secrets.json"
    if not path.exists():
        made = {name: secrets.token_hex(24) for name in ("admin", *ROLES.values(), "redis", "secret_key")}
        write(path, json.dumps(made, indent=1), None)
        give_to_keeper(path, data_dir)
    return dict(json.loads(path.read_text()))


def write(path: Path, text: str, account: Account | None) -> None:
    """Replace the file as a whole, readable by one user only."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    if account:
        os.chown(fresh, account.uid, account.gid)
    fresh.replace(path)


def port_for(place: Place, server: str, *, fresh: bool) -> int:
    """The port this server had before, so that old addresses stay true, or else a free one."""
    path = place.data_dir / "run" / "ports.json"
    ports = json.loads(path.read_text()) if path.exists() else {}
    if fresh or not _is_free(ports.get(server, 0)):
        # Below the range that the system hands to outgoing connections.
        candidates = random.SystemRandom().sample(range(20000, 32000), 200)
        ports[server] = next(port for port in candidates if _is_free(port))
        write(path, json.dumps(ports), None)
        give_to_keeper(path, place.data_dir)
    return int(ports[server])


def log_tail(place: Place, server: str) -> str:
    """The end of a server's log, for an error's text."""
    path = place.servers / "log" / f"{server}.log"
    return path.read_text(errors="replace")[-2000:] if path.exists() else ""


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port > 0
    return False
