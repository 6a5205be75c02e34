"""POST /api/v1/vouchers/redeem/ with an API key, an Idempotency-Key and a code of its own for each call."""

from __future__ import annotations

import secrets

from bench import vouchers
from bench.measuring import Figure, compare
from bench.serving import HELLO, OURS, Web, web
from bench.tools import wrk
from bench.world import World
from stores.api_auth import hash_key
from stores.models import ApiKey
from stores.tenancy import acting_for

SECONDS = 4
A_ROUND = 8_000  # vouchers
SCRIPT = """
local codes = {%s}
local asked = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer %s"
request = function()
  asked = asked + 1
  local code = codes[asked]
  wrk.headers["Idempotency-Key"] = "bench-" .. code
  return wrk.format(nil, "/api/v1/vouchers/redeem/", nil,
    '{"code": "' .. code .. '", "amount_minor": %d, "currency": "%s"}')
end
"""


def measure(world: World, rounds: int) -> list[Figure]:
    """The rate against hello-world's, with 8 and with 32 connections."""
    figures = []
    # The bench calls more often than a key may: a till's thousand calls a minute are not what is measured.
    with web(OURS, API_CALLS_PER_MINUTE=str(10**9)) as ours, web(HELLO) as hello:
        for connections in (8, 32):
            calls = _Calls(world, rounds, ours, hello, connections)
            figures.append(
                compare(
                    f"redeem-http-{connections}",
                    calls.ours,
                    calls.hello,
                    unit="redemptions/s",
                    limit_name="hello-world",
                    reach=0.15,
                    rounds=rounds,
                )
            )
    return figures


class _Calls:
    """Rounds of wrk; each spends vouchers that no other has."""

    def __init__(self, world: World, rounds: int, ours: Web, hello: Web, connections: int) -> None:
        self.store, self.web, self.limit, self.connections = world.store, ours, hello, connections
        self.codes = vouchers.make(self.store, A_ROUND * (rounds + 1), at=world.now).codes
        self.key = f"gw_{secrets.token_hex(20)}"
        with acting_for(self.store):
            fields = {"prefix": self.key[:8], "hash": hash_key(self.key), "scopes": list(ApiKey.SCOPES)}
            ApiKey.objects.create(store=self.store, name="bench", **fields)

    def ours(self) -> float:
        """Redemptions a second."""
        mine, self.codes = self.codes[:A_ROUND], self.codes[A_ROUND:]
        codes = ",".join(f'"{code}"' for code in mine)
        script = SCRIPT % (codes, self.key, vouchers.BILL_MINOR, self.store.currency)
        asked = wrk(self.web.url, script=script, connections=self.connections, seconds=SECONDS)
        if asked.wrong:
            raise RuntimeError(f"{asked.wrong} codes were not redeemed")
        return asked.rate

    def hello(self) -> float:
        """Hellos a second."""
        return wrk(self.limit.url, connections=self.connections, seconds=SECONDS).rate
