"""Processes that serve: ours as the Procfile starts them, and the hello-world behind the same server."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
WORKERS = "2"
READY_SECONDS = 60
OURS, HELLO = "config.wsgi:application", "bench.hello:application"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def web(application: str, **settings: str) -> Iterator[Web]:
    """The Procfile's web command with `application` in it, until the block ends."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {"HOST": "127.0.0.1", "PORT": str(port), "SITE_URL": url, "WEB_WORKERS": WORKERS, **settings}
    with running(_line("web").replace(OURS, application), env) as process:
        _wait_for(port, process)
        yield Web(url, process)


class Web:
    """A web server that runs."""

    def __init__(self, url: str, process: psutil.Popen) -> None:
        self.url, self.process = url, process


@contextmanager
def procfile(name: str, *, application: tuple[str, str] = ("", ""), **settings: str) -> Iterator[psutil.Popen]:
    """A process of the Procfile by name until the block ends; `application` is a part of it and what replaces that."""
    with running(_line(name).replace(*application), settings) as process:
        yield process


@contextmanager
def running(command: str, settings: Mapping[str, str]) -> Iterator[psutil.Popen]:
    """A shell command in a group of its own, with our environment and `settings`, until the block ends."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    env = os.environ | {"PATH": path, **settings}
    process = psutil.Popen(["sh", "-c", command], cwd=ROOT, env=env, start_new_session=True)
    try:
        yield process
    finally:
        _end(process)


def memory(process: psutil.Process) -> list[float]:
    """MiB that each process of the family holds for itself (USS), the largest first."""
    family = [process, *process.children(recursive=True)]
    return sorted((one.memory_full_info().uss / 2**20 for one in family), reverse=True)


def _line(name: str) -> str:
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    return lines[name]


def _wait_for(port: int, process: psutil.Popen) -> None:
    ends = time.monotonic() + READY_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError("the web server did not start")


def _end(process: psutil.Popen) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except psutil.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
