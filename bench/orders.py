"""Orders as a shop's developer sends them: what both intake scenarios post."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from bench.world import World
from stores.models import ApiKey
from stores.services import create_key
from stores.tenancy import acting_for

NEW_BUYERS, DELIVERED = 0.2, 0.5  # shares of the orders; the other buyers are known
KNOWN = 50_000  # of the world's customers
# A test of the machine's limit must not stop at the one that protects it.
NO_CALL_LIMIT = {"API_CALLS_PER_MINUTE": "1000000000"}


def key_of(world: World) -> str:
    """A key of the store, to be sent as a bearer token."""
    with acting_for(world.store):
        _, key = create_key(world.store, name="bench", scopes=list(ApiKey.SCOPES), by=None, at=datetime.now(UTC))
    return key


class Shop:
    """Makes orders that nobody has told yet, a fifth of them by new people."""

    def __init__(self, world: World, seed: int = 7) -> None:
        self.world, self.random, self.numbers = world, random.Random(seed), count(1)
        self.run = f"{datetime.now(UTC):%m%d%H%M%S%f}"  # the world is kept: each run's orders have names of their own

    def order(self) -> dict[str, Any]:
        """A new order with two lines."""
        name = f"{self.run}-{next(self.numbers)}"
        placed = self.world.now - timedelta(seconds=self.random.randrange(86_400 * 3, 86_400 * 5))
        lines = [self._line(), self._line()]
        return {
            "source": "bench",
            "external_id": name,
            "currency": self.world.store.currency,
            "total_minor": sum(line["unit_price_minor"] for line in lines),
            "placed_at": placed.isoformat(),
            "delivered_at": (placed + timedelta(days=2)).isoformat() if self.random.random() < DELIVERED else None,
            "customer": self._buyer(name),
            "lines": lines,
        }

    def body(self, orders: int) -> bytes:
        """A list of so many new orders, as it travels."""
        return json.dumps([self.order() for _ in range(orders)]).encode()

    def _line(self) -> dict[str, Any]:
        number = self.random.randrange(200)
        price = self.random.randrange(1_000, 200_000)
        return {"sku": f"SKU-{number}", "name": f"Thing {number}", "category": "kitchen", "unit_price_minor": price}

    def _buyer(self, order: str) -> dict[str, Any]:
        if self.random.random() < NEW_BUYERS:
            return {"name": "Bea Cruz", "email": f"new.{order}@example.com", "consent": {"email": True}}
        number = self.random.randrange(KNOWN)
        return {"external_id": f"c-{number}", "name": "Bea Cruz", "email": f"person{number}@example.com"}
