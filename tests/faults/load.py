"""What a shop does all day, over HTTP, with lines that break: orders, codes at two tills, answers to surveys.

Everybody asks until there is an answer, as the API says they may; of every fifth call the answer gets lost on the way
back. What they were told is kept, to be held against the database.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import count
from random import Random

import httpx
from django.utils import timezone

LOST = 0.2


class Line:
    """One caller's line to the server. `careless`: a call that is made again is taken for another one."""

    def __init__(self, url: str, key: str, *, seed: int, careless: bool = False) -> None:
        self.url, self.careless, self.luck = url, careless, Random(seed)
        self.client = httpx.Client(timeout=10, headers={"authorization": f"Bearer {key}"})
        self.calls = self.broken = 0

    def until_answered(self, path: str, name: str, **body: object) -> httpx.Response:
        """The answer, which is the same however often one asks."""
        lost = None
        for attempt in count():
            key = f"{name}-{attempt}" if self.careless else name
            answer = self.once(path, key, **body)
            if answer is None:
                time.sleep(0.1)
            elif lost is None and self.luck.random() < LOST:
                lost = answer
            else:
                assert self.careless or lost is None or _says(lost) == _says(answer), (lost.text, answer.text)
                return answer
        raise AssertionError

    def once(self, path: str, key: str, **body: object) -> httpx.Response | None:
        """The answer; None when there was none, or none yet."""
        self.calls += 1
        with suppress(httpx.HTTPError):
            answer = self.client.post(f"{self.url}{path}", headers={"idempotency-key": key}, **body)
            if answer.status_code < 500 and not (answer.status_code == 409 and "in-progress" in answer.text):
                return answer
        self.broken += 1
        return None


def _says(answer: httpx.Response) -> object:
    """What an answer tells its caller; whether an order was new is true once only, and each refusal has its number."""
    if "json" not in answer.headers.get("content-type", ""):
        return answer.status_code, answer.headers.get("location")
    told = json.loads(answer.text)
    if "results" in told:
        return [one["public_id"] for one in told["results"]]
    return answer.status_code, {name: value for name, value in told.items() if name != "request_id"}


class Load:
    """The callers. `codes` and `purse` are for the tills, `advocates` are codes on orders, `surveys` are tokens."""

    def __init__(self, url, key, *, codes, purse, advocates, surveys) -> None:
        self.url, self.key, self.over = url, key, threading.Event()
        self.placed_at = (timezone.now() - timedelta(days=40)).isoformat()  # so that the friends' hold is over
        self.codes, self.purse, self.advocates, self.surveys = codes, purse, advocates, surveys
        self.used: dict[str, list[str]] = {}  # the code: the redemptions that tills were told of
        self.taken: list[str] = []  # redemptions from the purse
        self.stored: set[str] = set()  # orders that the shop was told are in
        self.answered: dict[str, int] = {}  # the token: the score whose POST was answered
        self.posted: dict[str, bool] = {}  # orders reported once only: whether that was answered
        self.lines: list[Line] = []
        self.errors: list[BaseException] = []
        work = [self.till, self.till, self.shop, self.people, self.forgetful_shop]
        self.threads = [
            threading.Thread(target=self._run, args=(job, seed), daemon=True) for seed, job in enumerate(work)
        ]

    def answers(self) -> int:
        """How many calls have been answered so far."""
        return sum(line.calls - line.broken for line in self.lines)

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def finish(self) -> None:
        """Let everybody get the answer they wait for."""
        self.over.set()
        for thread in self.threads:
            thread.join(120)
        assert not self.errors, self.errors
        assert not any(thread.is_alive() for thread in self.threads)

    def _run(self, job, seed: int) -> None:
        self.lines.append(Line(self.url, self.key, seed=seed))
        try:
            for step in job(self.lines[-1], seed):
                step()
                if self.over.wait(0.02):
                    return
        except BaseException as error:
            self.errors.append(error)

    def till(self, line: Line, seed: int) -> Iterator:
        """Tries every code, in the same order as the other till; and takes a centavo from the purse in between."""
        for number in count():
            if number < len(self.codes):
                yield lambda number=number: self.use(line, self.codes[number], f"till-{seed}-{number}")
            yield lambda number=number: self.take(line, f"purse-{seed}-{number}")

    def use(self, line: Line, code: str, name: str) -> None:
        body = {"code": code, "amount_minor": 100_00, "currency": "PHP"}
        answer = line.until_answered("/api/v1/vouchers/redeem/", name, json=body)
        assert answer.status_code == 201 or answer.json()["type"] == "used", answer.text
        told = self.used.setdefault(code, [])
        if answer.status_code == 201:
            told.append(answer.json()["redemption"])

    def take(self, line: Line, name: str) -> None:
        body = {"code": self.purse, "amount_minor": 1, "currency": "PHP"}
        answer = line.until_answered("/api/v1/vouchers/redeem/", name, json=body)
        assert answer.status_code == 201, answer.text
        self.taken.append(answer.json()["redemption"])

    def shop(self, line: Line, seed: int) -> Iterator:
        """Reports five orders at a time, by friends who came by an advocate's code."""
        for number in count():
            yield lambda number=number: self.report(line, [self.order(f"{number}-{place}") for place in range(5)])

    def report(self, line: Line, orders: list[dict[str, object]]) -> None:
        while orders:
            answer = line.until_answered("/api/v1/orders/", "", json=orders)
            assert answer.status_code == 200, answer.text
            stored = {one["external_id"] for one in answer.json()["results"] if one["status"] != "error"}
            self.stored |= stored
            orders = [one for one in orders if one["external_id"] not in stored]

    def forgetful_shop(self, line: Line, seed: int) -> Iterator:
        """The control: reports each order once, answered or not."""
        for number in count():
            yield lambda number=number: self.report_once(line, self.order(f"once-{number}"))

    def report_once(self, line: Line, order: dict[str, object]) -> None:
        answer = line.once("/api/v1/orders/", "", json=order)
        self.posted[str(order["external_id"])] = answer is not None
        time.sleep(0.1)

    def order(self, name: str) -> dict[str, object]:
        number = abs(hash(name))
        return {
            "source": "shop",
            "external_id": name,
            "currency": "PHP",
            "total_minor": 1_550_00 + number % 100_00,
            "placed_at": self.placed_at,
            "delivered_at": self.placed_at,
            "code": self.advocates[number % len(self.advocates)],
            "customer": {"name": f"Friend {name}", "email": f"{name}@friends.example"},
            "lines": [{"sku": "MUG-1", "name": "Mug", "quantity": 1, "unit_price_minor": 1_550_00}],
        }

    def people(self, line: Line, seed: int) -> Iterator:
        """Answer what they were asked, and think again."""
        for number in count():
            token, score = self.surveys[number % len(self.surveys)], 6 + (number // len(self.surveys)) % 5
            yield lambda token=token, score=score: self.answer(line, token, score)

    def answer(self, line: Line, token: str, score: int) -> None:
        answer = line.until_answered(f"/s/{token}", "", data={"score": str(score), "comment": ""})
        assert answer.status_code == 302, answer.text
        self.answered[token] = score
