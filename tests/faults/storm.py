"""Who kills, and who starts again what has died."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random

import httpx
import psutil

from tests.faults.postgres import Postgres
from tests.stack import Stack, until

VICTIMS = ("web", "a child of web", "worker", "a child of worker", "beat", "postgres")
PROCESSES = ("web", "worker", "beat")
BETWEEN = 15  # calls are answered between two deaths, or the storm would meet nobody at work


class Storm:
    """kill -9, at moments that nobody foresees; what has died is started again, as a supervisor does.

    `busy` says how many calls have been answered.
    """

    def __init__(self, stack: Stack, postgres: Postgres, *, seed: int, busy: Callable[[], int]) -> None:
        self.stack, self.postgres, self.luck, self.busy = stack, postgres, Random(seed), busy
        self.deaths: Counter[str] = Counter()

    def rage(self, *, rounds: int) -> None:
        """Each victim so many times, in any order."""
        victims = list(VICTIMS) * rounds
        self.luck.shuffle(victims)
        for victim in victims:
            enough = self.busy() + BETWEEN
            until(lambda enough=enough: self.busy() >= enough, what="the shop is at work")
            time.sleep(self.luck.uniform(0, 1))
            self.strike(victim)
            time.sleep(0.2)
            self.start_again()
        until(self.web_answers, what="web is back")

    def strike(self, victim: str) -> None:
        if victim == "postgres":
            self.postgres.restart(away=0.3)
        else:
            os.kill(until(lambda: self.pid_of(victim), what=f"{victim} is there to be killed"), signal.SIGKILL)
        self.deaths[victim] += 1

    def pid_of(self, victim: str) -> int:
        """A process that has begun its work; 0 while there is none."""
        name = victim.removeprefix("a child of ")
        parent = self.stack.processes[name]
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(parent.pid).children()
            if name == "beat":
                return parent.pid
            if name == "web" and not self.web_answers():
                return 0
            if children:
                return self.luck.choice(children).pid if victim != name else parent.pid
        self.start_again()
        return 0

    def web_answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.stack.url}/healthz", timeout=5).status_code == 200
        return False

    def start_again(self) -> None:
        """A parent that has died takes its children along, as with systemd or a container."""
        for name in PROCESSES:
            process = self.stack.processes[name]
            if process.poll() is not None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                self.stack.launch(name)
