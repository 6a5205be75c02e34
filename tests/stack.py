"""Web, worker and beat as processes of their own, as the Procfile starts them, with a mail server that keeps what it
accepts. Everything is fresh: a database, a Redis, ports; everything ends with the `with` block.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
import redis
from aiosmtpd.smtp import SMTP
from django.db import connections
from django.utils import timezone

from config.embedded.programs import program
from stores.models import Store
from stores.tenancy import acting_for
from tests import databases

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60  # seconds until a wait gives up; on an idle machine nothing takes a tenth of it
TEST_ONLY = {"CACHE_URL", "EMAIL_CHANNEL", "SMS_CHANNEL", "DATABASE_OPS_URL", "DJANGO_ALLOW_ASYNC_UNSAFE"}


def until(ask: Callable[[], T], *, what: str, seconds: float = PATIENCE) -> T:
    """Ask again and again until the answer is true; what it was. Raises AssertionError at the deadline."""
    ends = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > ends:
            raise AssertionError(f"{what}: not within {seconds:.0f} s; last seen: {answer!r}")
        time.sleep(0.05)


def where_it_is_noon() -> str:
    """A time zone in which texts may go out now, and the day does not end during the test."""
    return f"Etc/GMT{timezone.now().hour - 12:+d}"  # its sign is the other way round


# -- The other end of the line --


@dataclass(frozen=True)
class Mail:
    """A letter that the mail server has accepted."""

    reference: str  # our own id of the message
    to: str
    message: EmailMessage

    @property
    def text(self) -> str:
        """The plain-text part."""
        part = self.message.get_body(("plain",))
        return part.get_content() if part else ""

    @property
    def html(self) -> str:
        """The HTML part."""
        part = self.message.get_body(("html",))
        return part.get_content() if part else ""


class MailServer:
    """An SMTP server that keeps what it accepts.

    `after_accepting(number)` is called when a letter is taken and the sender has not yet heard of it: the
    worst moment to die.
    """

    def __init__(self) -> None:
        self.accepted: list[Mail] = []
        self.after_accepting: Callable[[int], None] = lambda number: None
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        making = self.loop.create_server(lambda: SMTP(self, loop=self.loop), "127.0.0.1", 0)
        self.server = asyncio.run_coroutine_threadsafe(making, self.loop).result(PATIENCE)
        self.port = self.server.sockets[0].getsockname()[1]

    async def handle_DATA(self, server, session, envelope) -> str:
        letter = message_from_bytes(envelope.content, policy=policy.default)
        self.accepted.append(Mail(str(letter["X-Goodword-Reference"]), envelope.rcpt_tos[0], letter))
        self.after_accepting(len(self.accepted))
        return "250 OK"

    def counts(self) -> Counter[str]:
        """How often each message was accepted, by our reference."""
        return Counter(mail.reference for mail in self.accepted)

    def to(self, address: str) -> list[Mail]:
        """What came for this person."""
        return [mail for mail in self.accepted if mail.to == address]

    def close(self) -> None:
        self.server.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(PATIENCE)


class TextServer:
    """An SMS gateway that keeps what it was given."""

    def __init__(self) -> None:
        self.accepted: list[dict[str, str]] = []
        accepted = self.accepted

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                accepted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                answer = json.dumps({"id": f"sms-{len(accepted)}"}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/send"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Redis:
    """A Redis of our own that forgets: no file, so that a restart comes back empty."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis.from_url(self.url, socket_timeout=10)
        self.start()

    def start(self) -> None:
        command = [
            program("redis-server", None),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(self.folder),
        ]
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen([*command, "--maxmemory-policy", "noeviction"], stdout=log, stderr=log)
        until(self.answers, what="Redis answers")

    def answers(self) -> bool:
        with suppress(redis.RedisError):
            return bool(self.client.ping())
        return False

    def restart_empty(self) -> None:
        """kill -9, and a new one in its place."""
        self.stop()
        self.start()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# -- The stack --


class Stack:
    """`with Stack() as stack:` has the servers; `start("web", "worker", "beat")` starts what the test wants.

    `settings` are environment variables for the processes. `urls` are those of another server than the tests' own.
    """

    def __init__(self, urls: dict[str, str] | None = None, **settings: str) -> None:
        self.urls, self.settings = urls, settings

    def __enter__(self) -> Stack:
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        with ExitStack() as leaving:
            self.folder = Path(tempfile.mkdtemp(prefix="goodword-stack-"))
            leaving.callback(shutil.rmtree, self.folder, ignore_errors=True)
            if self.urls is None:
                name = f"test_stack_{secrets.token_hex(4)}"
                databases.create(name)
                leaving.callback(databases.drop, name)
                self.urls = {key: databases.url_of(os.environ[key], name) for key in databases.URLS}
            self.mail, self.texts, self.redis = MailServer(), TextServer(), Redis(self.folder)
            for server in (self.mail, self.texts):
                leaving.callback(server.close)
            leaving.callback(lambda: self.redis.stop())
            self.thread = ThreadPoolExecutor(1, initializer=self._use_our_database)
            leaving.callback(self._leave_database)
            leaving.callback(self.stop)
            self.port = free_port()
            self.url = f"http://127.0.0.1:{self.port}"
            self.env = self._environment()
            self.leaving = leaving.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self.leaving.close()

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key not in TEST_ONLY}
        return kept | {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            **{key: self.urls[key] for key in databases.URLS},
            "REDIS_URL": self.redis.url,
            "DATA_DIR": str(self.folder),
            "TMPDIR": str(self.folder),  # whatever they leave goes with it
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail.port}",
            "SMS_URL": self.texts.url,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "SITE_URL": self.url,
            "WEB_WORKERS": "1",
            "WORKERS": "2",
            "PYTHONUNBUFFERED": "1",
            **self.settings,
        }

    # -- Processes --

    def start(self, *names: str) -> None:
        """Start processes of the Procfile by name, and wait until web and worker are there."""
        for name in names:
            self.launch(name)
        for name in names:
            {"web": self._wait_for_web, "worker": self._wait_for_worker}.get(name, lambda: None)()

    def launch(self, name: str, *, called: str = "", **settings: str) -> None:
        """Start a process of the Procfile by name; `called` tells several of one kind apart."""
        command = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())[name]
        self.run(called or name, ["sh", "-c", command], **settings)

    def run(self, name: str, command: list[str], **settings: str) -> subprocess.Popen[bytes]:
        """Start a process in a group of its own, so that one signal reaches its children, too."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.env | settings, stdout=log, stderr=log, start_new_session=True
            )
        return self.processes[name]

    def _wait_for_web(self) -> None:
        def ready() -> bool:
            self._assert_alive("web")
            with suppress(httpx.HTTPError):
                return httpx.get(f"{self.url}/readyz", timeout=10).status_code == 200
            return False

        until(ready, what="/readyz answers 200")

    def _wait_for_worker(self) -> None:
        def listens() -> bool:
            self._assert_alive("worker")
            return any("brpop" in str(client["cmd"]).lower() for client in self.redis.client.client_list())

        until(listens, what="the worker listens")

    def _assert_alive(self, name: str) -> None:
        assert self.processes[name].poll() is None, f"{name} has ended:\n{self.log()}"

    def kill(self, name: str) -> int:
        """kill -9 of the process and all its children; how many that were."""
        process, family = self.processes.pop(name), []
        with suppress(psutil.NoSuchProcess):
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        until(lambda: all(map(_is_dead, family)), what=f"{name} is dead")
        return len(family)

    def stop(self) -> None:
        """End all processes; what they leave is thrown away."""
        for name in list(self.processes):
            self.kill(name)

    def log(self) -> str:
        """The end of what each process said."""
        files = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {file.stem}\n{file.read_text(errors='replace')[-4000:]}" for file in files)

    # -- The database --

    def _use_our_database(self) -> None:
        connection = connections["default"]  # each thread has its own
        connection.settings_dict = {**connection.settings_dict, **databases.as_django_says(self.urls["DATABASE_URL"])}

    def _leave_database(self) -> None:
        self.thread.submit(connections.close_all).result(PATIENCE)
        self.thread.shutdown()

    def call(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run something on the stack's database, in a thread that is connected to it."""
        return self.thread.submit(work, *args, **kwargs).result()

    def inside(self, store: Store, work: Callable[[], T]) -> T:
        """The same inside a store's wall, committed."""

        def walled() -> T:
            with acting_for(store):
                return work()

        return self.call(walled)

    def manage(self, *arguments: str) -> str:
        """Run a management command as people do; what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def _is_dead(process: psutil.Process) -> bool:
    """Gone, or a zombie that nobody collects, as orphans in a container without an init."""
    with suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


def repeated(counts: Counter[str]) -> dict[str, int]:
    """What was accepted more than once."""
    return {reference: number for reference, number in counts.items() if number > 1}


def missing(counts: Counter[str], references: Iterable[str]) -> set[str]:
    """What was never accepted."""
    return set(references) - set(counts)
