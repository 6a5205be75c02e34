"""GET /r/<code>: random codes, the full landing page, the visit counted, against a Django view that says hello."""

from __future__ import annotations

import statistics
import time

from bench.measuring import Figure, compare, spread
from bench.serving import HELLO, OURS, web
from bench.tools import Asked, wrk
from bench.world import World
from referrals.models import ShareLink, Visit
from stores.tenancy import acting_for

CODES = 100_000
SECONDS = 4
LOADED_SECONDS = 60  # at most until the last visits are in the database
# Each connection draws a code a request; every request comes from a browser of its own, as visits are counted by it.
SCRIPT = """
local codes = {%s}
local round = %d
math.randomseed(round)
local asked = 0
request = function()
  asked = asked + 1
  wrk.headers["User-Agent"] = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 " .. round .. "." .. asked
  return wrk.format("GET", "/r/" .. codes[math.random(#codes)])
end
"""


def measure(world: World, rounds: int) -> list[Figure]:
    """The rate against hello-world's, and the slowest of a hundred against its."""
    with acting_for(world.store):
        links = ShareLink.objects.for_store(world.store).order_by("pk")
        codes = ",".join(f'"{code}"' for code in links.values_list("code", flat=True)[:CODES])
        before = _visits(world)
    ours, hello = Rounds(), Rounds()
    with web(OURS) as our_web, web(HELLO) as hello_web:
        rate = compare(
            "share-link",
            lambda: ours.add(wrk(our_web.url, script=SCRIPT % (codes, time.time_ns() % 2**31), seconds=SECONDS)),
            lambda: hello.add(wrk(hello_web.url, seconds=SECONDS)),
            unit="pages/s",
            limit_name="hello-world",
            reach=0.45,
            rounds=rounds,
        )
        _must_be_counted(world, before + sum(one.rate * SECONDS for one in ours.asked))
    return [rate, _slowest(ours, hello)]


class Rounds:
    """What was answered in each round."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    def add(self, asked: Asked) -> float:
        """Keep it; its rate. A page that did not come makes the whole run worthless."""
        if asked.wrong:
            raise RuntimeError(f"{asked.wrong} pages did not come")
        self.asked.append(asked)
        return asked.rate


def _slowest(ours: Rounds, hello: Rounds) -> Figure:
    """The 99th percentiles of the rounds that count, each beside the other's of its round."""
    pairs = [(one.p99 * 1000, other.p99 * 1000) for one, other in zip(ours.asked, hello.asked, strict=True)][1:]
    ratios = [one / other for one, other in pairs]
    return Figure(
        name="share-link p99",
        unit="ms",
        value=statistics.median(one for one, _ in pairs),
        limit_name="hello-world's p99",
        limit_value=statistics.median(other for _, other in pairs),
        ratio=statistics.median(ratios),
        reach=3.0,
        at_most=True,
        spread=spread(ratios),
    )


def _visits(world: World) -> int:
    with acting_for(world.store):
        return Visit.objects.for_store(world.store).count()


def _must_be_counted(world: World, expected: float) -> None:
    """Wait until (nearly) as many visits stand in the database as pages were answered; the rates are rounded."""
    ends = time.monotonic() + LOADED_SECONDS
    while _visits(world) < expected * 0.999:
        if time.monotonic() > ends:
            raise RuntimeError(f"{_visits(world)} visits were counted, {expected:.0f} pages were opened")
        time.sleep(0.5)
