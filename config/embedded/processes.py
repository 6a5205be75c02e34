"""Server processes: running them, finding them again, ending them."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


class ServersError(RuntimeError):
    """The servers could not be started or prepared; the text says what to do."""


@dataclass(frozen=True)
class Account:
    """The OS user that the servers run as when we are root (Postgres refuses to be root)."""

    uid: int
    gid: int


START_SECONDS = 120  # crash recovery of a large log takes a while


def run(
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


def alive(pid_file: Path, mark: str) -> psutil.Process | None:
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


def wait_for(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait for these to end; returns those that have not."""
    until(lambda: all(_has_ended(process) for process in processes), seconds)
    return [process for process in processes if not _has_ended(process)]


def send(process: psutil.Process, number: signal.Signals) -> None:
    """Send a signal; a process that has ended takes none."""
    with suppress(psutil.Error):
        process.send_signal(number)


def end_orphans(titles: tuple[str, ...]) -> None:
    """End server processes that nobody's pid file names any more, found by how their titles begin.

    Children of a killed postmaster notice by themselves, mostly at once; the rest is killed.
    """
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if " ".join(process.cmdline()).startswith(titles):
                found.append(process)
    stubborn = wait_for(found, 2)
    for process in stubborn:
        send(process, signal.SIGKILL)
    wait_for(stubborn, 5)


def is_stranger(pid_file: Path) -> bool:
    """True if the file names a live process; call it when `alive` said that it is not ours."""
    with suppress(OSError, ValueError, IndexError):
        return bool(psutil.pid_exists(int(pid_file.read_text().split()[0])))
    return False


def until(ready: Callable[[], bool], seconds: float) -> bool:
    """Wait until `ready` says so; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
