"""GET /r/<code>: random codes, the full landing page, the visit counted, against a Django view that says hello."""

from __future__ import annotations

from bench.measuring import Figure, compare
from bench.serving import HELLO, OURS, web
from bench.tools import wrk
from bench.world import World
from referrals.models import ShareLink
from stores.tenancy import acting_for

CODES = 100_000
# Each connection draws a code a request; every request comes from a browser of its own.
SCRIPT = """
local codes = {%s}
math.randomseed(%d)
local asked = 0
request = function()
  asked = asked + 1
  wrk.headers["User-Agent"] = "Mozilla/5.0 (Linux; Android 14) bench " .. asked
  return wrk.format("GET", "/r/" .. codes[math.random(#codes)])
end
"""


def measure(world: World, rounds: int) -> list[Figure]:
    """The rate against hello-world's, and the slowest of a hundred against its."""
    with acting_for(world.store):
        codes = list(ShareLink.objects.for_store(world.store).values_list("code", flat=True)[:CODES])
    script = SCRIPT % (",".join(f'"{code}"' for code in codes), 7)
    slowest: dict[str, list[float]] = {"ours": [], "hello": []}
    with web(OURS) as ours, web(HELLO) as hello:

        def our_round() -> float:
            asked = wrk(ours.url, script=script)
            if asked.wrong:
                raise RuntimeError(f"{asked.wrong} landing pages did not come")
            slowest["ours"].append(asked.p99)
            return asked.rate

        def hello_round() -> float:
            asked = wrk(hello.url)
            slowest["hello"].append(asked.p99)
            return asked.rate

        rate = compare(
            "share-link", our_round, hello_round, unit="pages/s", limit_name="hello-world", reach=0.45, rounds=rounds
        )
    return [rate]
