#!/usr/bin/env python
"""Run a management command, with PostgreSQL and Redis at hand.

Servers that the environment does not name are started under DATA_DIR for as long as the command runs, or
joined if another command (the demo, say) runs them already; their database is migrated when it is behind.
"""

import os
import signal
import sys
import warnings
from pathlib import Path
from types import FrameType

from config import embedded

# These read files only. makemigrations would also compare with the database's history, which a database
# that was migrated from the same files cannot contradict.
NEED_NO_SERVER = {
    "", "help", "version", "check", "collectstatic", "compilemessages", "diffsettings", "findstatic",
    "makemessages", "makemigrations", "spectacular", "sqlmigrate", "startapp",
}  # fmt: skip
MIGRATE_BY_HAND = {"migrate", "showmigrations"}


def main() -> None:
    """Run the command named in `sys.argv`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    data_dir = Path(os.environ.setdefault("DATA_DIR", str(Path(__file__).resolve().parent / ".data")))
    # Programs that commands start (honcho, celery, granian) are those of this virtual environment.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    arguments = _with_owner(sys.argv)
    if _needs_no_server(arguments):
        os.environ.update(embedded.placeholders() | dict(os.environ))
        warnings.filterwarnings("ignore", "Got an error checking a consistent migration history")
        _execute(arguments)
        return
    signal.signal(signal.SIGTERM, _leave)
    ours = "DATABASE_OWNER_URL" not in os.environ
    try:
        with embedded.services(data_dir) as env:
            os.environ.update(env)
            if ours and _command(arguments) not in MIGRATE_BY_HAND:
                _migrate_if_behind(data_dir)
            _execute(arguments)
    except embedded.ServersError as error:
        sys.exit(f"manage.py: {error}")


def _command(arguments: list[str]) -> str:
    return arguments[1] if len(arguments) > 1 else ""


def _needs_no_server(arguments: list[str]) -> bool:
    asks_for_help = {"-h", "--help", "--version"} & set(arguments)
    return _command(arguments) in NEED_NO_SERVER or bool(asks_for_help)


def _with_owner(arguments: list[str]) -> list[str]:
    """Migrations run as the role that owns the tables; the application's role may not change them."""
    named = any(argument.startswith("--database") for argument in arguments)
    if _command(arguments) in MIGRATE_BY_HAND and not named:
        return [*arguments, "--database=owner"]
    return arguments


def _leave(signum: int, frame: FrameType | None) -> None:
    """Unwind on SIGTERM, so that servers that we started stop."""
    sys.exit(128 + signum)


def _migrate_if_behind(data_dir: Path) -> None:
    import django
    from django.core.management import call_command
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    django.setup()
    with embedded.locked(data_dir, "migrate"):  # two first commands at once: one migrates, one waits
        executor = MigrationExecutor(connections["owner"])
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", database="owner", interactive=False, verbosity=0)
    connections["owner"].close()


def _execute(arguments: list[str]) -> None:
    from django.core.management import execute_from_command_line

    execute_from_command_line(arguments)


if __name__ == "__main__":
    main()
