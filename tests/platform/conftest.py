"""Folders and users of the embedded servers."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.platform.holding import Holder, clean, type_of_hold


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that every user may pass through; pytest's own is root's alone."""
    path = Path(tempfile.mkdtemp(prefix="goodword-test-"))
    path.chmod(0o755)
    yield path
    for secrets in path.rglob("secrets.json"):  # never above our own folder: others' servers run beside it
        clean(secrets.parent)
    shutil.rmtree(path)


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
