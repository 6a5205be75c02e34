"""POST /api/v1/orders/ with one order a call, against a Django view that says hello."""

from __future__ import annotations

import random

from bench.measuring import Figure, compare
from bench.orders import KNOWN, NEW_BUYERS, NO_CALL_LIMIT, Shop, key_of
from bench.serving import HELLO, OURS, web
from bench.tools import wrk
from bench.world import World

# Every request is a new order; a fifth of them by new people, as in `bench.orders`.
SCRIPT = """
local told = 0
math.randomseed(%(seed)d)
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer %(key)s"
local function buyer(name)
  if math.random() < %(new)f then
    return '{"name": "Bea Cruz", "email": "new.' .. name .. '@example.com", "consent": {"email": true}}'
  end
  local number = math.random(0, %(known)d - 1)
  return '{"external_id": "c-' .. number .. '", "name": "Bea Cruz", "email": "person' .. number .. '@example.com"}'
end
local function line()
  local number = math.random(0, 199)
  return '{"sku": "SKU-' .. number .. '", "name": "Thing ' .. number .. '", "category": "kitchen", '
    .. '"unit_price_minor": ' .. math.random(1000, 200000) .. '}'
end
request = function()
  told = told + 1
  local name = "%(run)s-" .. told
  return wrk.format(nil, "/api/v1/orders/", nil, '{"source": "bench", "external_id": "' .. name
    .. '", "currency": "%(currency)s", "total_minor": 155000, "placed_at": "%(placed)s", "customer": ' .. buyer(name)
    .. ', "lines": [' .. line() .. ', ' .. line() .. ']}')
end
"""


def measure(world: World, rounds: int) -> list[Figure]:
    """Orders a second over 32 connections."""
    key = key_of(world)
    with web(OURS, **NO_CALL_LIMIT) as ours, web(HELLO) as hello:

        def our_round() -> float:
            asked = wrk(ours.url, script=_script(world, key))
            if asked.wrong:
                raise RuntimeError(f"{asked.wrong} orders were not taken")
            return asked.rate

        return [
            compare(
                "intake-one",
                our_round,
                lambda: wrk(hello.url).rate,
                unit="orders/s",
                limit_name="hello-world",
                reach=0.10,
                rounds=rounds,
            )
        ]


def _script(world: World, key: str) -> str:
    """The requests of one round, under names of their own."""
    facts = {"key": key, "run": Shop(world).run, "currency": world.store.currency, "placed": world.now.isoformat()}
    return SCRIPT % {**facts, "seed": random.randrange(10**6), "new": NEW_BUYERS, "known": KNOWN}
