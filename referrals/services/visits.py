"""Visits on their way to the database: a line each in a file of the web process, soon loaded, in a rush later.

Equal to `links.record_visit` for each line (tests/referrals/test_visits.py): the first opening of a link by a visitor
in an hour is the row. A line stands in the file before the page is answered, so a process that is killed loses
nothing; the file is on the disk within SYNC_SECONDS, so a machine that dies loses no more than that. Loading a file
twice changes nothing, which is why a file is deleted only after its rows are committed. See decision 0020.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from threading import Lock, Thread
from typing import Any, BinaryIO

from django.db import close_old_connections, connection

from referrals.models import Visit
from stores.rows import typed
from stores.tenancy import acting_for

logger = logging.getLogger(__name__)

SYNC_SECONDS, LOAD_SECONDS = 0.1, 0.5
PIECE = 500  # lines a statement
REST = 4.0  # in a rush those who wait for a page come first: the loader works a fifth of the time
SUFFIX = ".visits"
LINE = re.compile(rb"(\d+) (\{[^\0]*\})\n")  # whose it is, and Visit's columns
COLUMNS = ("link_id", "visitor", "token", "device", "hour", "at", "is_bot", "referrer")

_as_json = json.JSONEncoder(default=str).encode

# Of several openings the earliest stays, in whatever order files are loaded; lines about links that are gone do not.
LOAD = f"""
    INSERT INTO referrals_visit AS known (store_id, {", ".join(COLUMNS)})
    SELECT DISTINCT ON (link_id, visitor, hour) %(store)s, {", ".join(f"fresh.{name}" for name in COLUMNS)}
    FROM jsonb_to_recordset(%(lines)s::jsonb) AS fresh({{types}})
    WHERE EXISTS (SELECT FROM referrals_sharelink link WHERE link.store_id = %(store)s AND link.id = fresh.link_id)
    ORDER BY link_id, visitor, hour, at
    ON CONFLICT (store_id, link_id, visitor, hour) DO UPDATE
    SET device = excluded.device, at = excluded.at, is_bot = excluded.is_bot, referrer = excluded.referrer
    WHERE excluded.at < known.at
"""  # noqa: S608  # the names are our own model's


class VisitLog:
    """The file that one process writes its visits to; each second half of a second it begins another.

    Its writer holds a lock on it, which ends with the process: what is not locked waits to be loaded, by whomever.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: int | None = None
        self._mutex = Lock()

    def append(self, facts: dict[str, Any]) -> None:
        """Write down an opening (`links.opening`). Raises OSError where it cannot be kept."""
        line = f"{facts['store_id']} {_as_json(facts)}\n".encode()
        with self._mutex:
            if self._file is None:
                self._file = self._begin()
            os.write(self._file, line)

    def _begin(self) -> int:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{time.time_ns()}-{os.getpid()}.begun"
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        path.rename(path.with_suffix(SUFFIX))  # only now does anybody look for it
        return file

    def sync(self) -> None:
        """See to it that what was written stands on the disk."""
        with self._mutex:
            copy = None if self._file is None else os.dup(self._file)
        if copy is not None:  # outside the mutex: nobody waits for the disk
            os.fdatasync(copy)
            os.close(copy)

    def close(self) -> None:
        """End the file, so that it can be loaded; the next visit begins another."""
        with self._mutex:
            file, self._file = self._file, None
        if file is not None:
            os.fdatasync(file)
            os.close(file)

    def keep_loading(self) -> None:
        """From now on threads sync the file, and load it and those that dead processes left."""
        for seconds, work in ((SYNC_SECONDS, self.sync), (LOAD_SECONDS, self._load)):
            Thread(target=_repeat, args=(seconds, work), daemon=True).start()

    def _load(self) -> None:
        self.close()
        close_old_connections()
        load(self.folder, rest=REST)


def _repeat(seconds: float, work: Callable[[], None]) -> None:
    while True:
        time.sleep(seconds)
        try:
            work()
        except Exception:  # whatever it was: the next visits need it, too
            logger.exception("visits wait in their files")


def load(folder: Path, *, rest: float = 0.0) -> int:
    """Write the visits of all files that nobody writes to into the database; how many lines there were.

    A file that cannot be loaded waits for the next time. After each piece it rests so many times as long as it worked.
    """
    total = 0
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            with suppress(FileNotFoundError), path.open("rb") as file:
                # Where somebody else was faster the lock is ours, but the name is gone.
                if _is_ours(file) and path.exists():
                    total += _load(file, rest)
                    path.unlink()
        except Exception:
            logger.exception("visits of %s not loaded", path.name)
    return total


def waiting_since(folder: Path) -> datetime | None:
    """When the oldest file that is not loaded yet was begun (aware UTC); None where there is none."""
    begun = [int(path.name.partition("-")[0]) for path in folder.glob(f"*{SUFFIX}")]
    return datetime.fromtimestamp(min(begun) / 1e9, UTC) if begun else None


def _is_ours(file: BinaryIO) -> bool:
    """Whether nobody writes to the file or loads it; from now on we do."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _load(lines: Iterable[bytes], rest: float) -> int:
    total, lines = 0, iter(lines)
    while piece := list(islice(lines, PIECE)):
        begun = time.monotonic()
        total += _load_piece(piece)
        time.sleep(rest * (time.monotonic() - begun))
    return total


def _load_piece(lines: Iterable[bytes]) -> int:
    """One statement a store; the database reads the lines, we only tell whose they are."""
    by_store: dict[int, list[bytes]] = defaultdict(list)
    for line in lines:
        whole = LINE.fullmatch(line)
        if whole:  # a machine that died may have left half a line
            by_store[int(whole[1])].append(whole[2])
    for store_id, visits in sorted(by_store.items()):
        with acting_for(store_id), connection.cursor() as cursor:
            cursor.execute(_statement(), {"store": store_id, "lines": f"[{b','.join(visits).decode()}]"})
    return sum(map(len, by_store.values()))


@cache
def _statement() -> str:
    return LOAD.format(types=typed(Visit, COLUMNS))
