"""POST /api/v1/orders/ in lists of 1,000 and the questions planned for them, against COPY of the same order rows."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from io import StringIO
from urllib.parse import urlsplit

from django.db import connections

from bench.measuring import Figure, compare
from bench.orders import NO_CALL_LIMIT, Shop, key_of
from bench.rows import lines_of
from bench.serving import OURS, web
from bench.world import World
from customers.models import Order
from stores.tenancy import acting_for
from surveys.services import inviting

ORDERS, LISTS, CLIENTS = 1000, 4, 2  # in a list; lists a client sends in a round; the Procfile's two workers
# What must hold of any table that takes orders in: a row is found again, by its id and by the shop's name for it.
PLAIN = """
CREATE TABLE IF NOT EXISTS bench_orders (LIKE customers_order INCLUDING DEFAULTS INCLUDING IDENTITY);
ALTER TABLE bench_orders DROP CONSTRAINT IF EXISTS bench_key, DROP CONSTRAINT IF EXISTS bench_once;
ALTER TABLE bench_orders ADD CONSTRAINT bench_key PRIMARY KEY (id);
ALTER TABLE bench_orders ADD CONSTRAINT bench_once UNIQUE (store_id, source, external_id);
"""


def measure(world: World, rounds: int) -> list[Figure]:
    """Orders a second: ours as two clients post them and beat plans the questions, the limit over two connections."""
    shop, key = Shop(world), key_of(world)
    with web(OURS, **NO_CALL_LIMIT) as ours, ThreadPoolExecutor(CLIENTS) as clients:

        def our_round() -> float:
            bodies = [[shop.body(ORDERS) for _ in range(LISTS)] for _ in range(CLIENTS)]
            begun, at = time.monotonic(), datetime.now(UTC)
            list(clients.map(lambda mine: _post(ours.url, key, mine), bodies))
            with acting_for(world.store):
                planned = inviting.plan_invitations(world.store, datetime.now(UTC), since=at)
            seconds = time.monotonic() - begun
            if not planned:
                raise RuntimeError("no question was planned for the orders")
            return ORDERS * LISTS * CLIENTS / seconds

        def copy_round() -> float:
            lists = [[_rows(world, shop) for _ in range(LISTS)] for _ in range(CLIENTS)]
            begun = time.monotonic()
            list(clients.map(_copy, lists))
            return ORDERS * LISTS * CLIENTS / (time.monotonic() - begun)

        with connections["owner"].cursor() as cursor:
            cursor.execute(PLAIN)
        figure = compare(
            "intake", our_round, copy_round, unit="orders/s", limit_name="COPY of the rows", reach=0.20, rounds=rounds
        )
        with connections["owner"].cursor() as cursor:
            cursor.execute("DROP TABLE bench_orders")
    return [figure]


def _post(url: str, key: str, bodies: Sequence[bytes]) -> None:
    """Send lists one after the other; each order of each must have been created."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with closing(http.client.HTTPConnection(urlsplit(url).netloc)) as client:
        for body in bodies:
            client.request("POST", "/api/v1/orders/", body, headers)
            answer = json.loads(client.getresponse().read())
            if {one["status"] for one in answer["results"]} != {"created"}:
                raise RuntimeError(f"orders were not created: {answer['results'][:3]}")


def _rows(world: World, shop: Shop) -> str:
    """A list of new orders as COPY takes it."""
    rows = []
    for order in (shop.order() for _ in range(ORDERS)):
        columns = {name: order[name] for name in ("source", "external_id", "currency", "total_minor")}
        times = {name: order[name] and datetime.fromisoformat(order[name]) for name in ("placed_at", "delivered_at")}
        rows.append({"store_id": world.store.pk, "customer_id": 1, **columns, **times})
    return "".join(lines_of(Order, rows, without="id"))


def _copy(lists: Sequence[str]) -> None:
    """COPY lists one after the other, each in a transaction of its own."""
    columns = ", ".join(field.column for field in Order._meta.concrete_fields if field.attname != "id")
    with closing(connections.create_connection("owner")) as connection, connection.cursor() as cursor:
        for lines in lists:
            cursor.copy_expert(f"COPY bench_orders ({columns}) FROM STDIN", StringIO(lines))
