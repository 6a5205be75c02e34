"""A claim of 50 due messages, with every check, beside the plainest claim in SQL; and in a queue ten times as long."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from uuid import uuid4

from bench.measuring import Figure, compare
from bench.tools import pgbench
from bench.waiting import middle, put_back, swept, waiting
from bench.world import World
from outreach import dispatch
from stores.models import Store
from stores.tenancy import acting_for

ROWS, CLAIMS = 50, 60
# The index of the queue finds the rows, nothing is read of them or of their people, nothing is checked.
PLAINEST = """
BEGIN;
SELECT set_config('app.store', '{store}', true);
WITH due AS MATERIALIZED (
    SELECT id FROM outreach_message WHERE store_id = {store} AND status = 'pending' AND due_at <= '{at}'
    ORDER BY due_at LIMIT {rows} FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE outreach_message AS kept
SET status = 'sending', lease_until = now() + interval '1 minute', lease_token = gen_random_uuid(),
    attempts = attempts + 1
FROM due WHERE kept.id = due.id RETURNING kept.id;
COMMIT;
"""


def measure(world: World, rounds: int) -> list[Figure]:
    """Claims a second by one worker."""

    def claims(store: Store) -> float:
        put_back(store)
        at = middle(store)
        swept()
        begun = time.perf_counter()
        for _turn in range(CLAIMS):
            if not dispatch.claim(store, at, token=uuid4(), lease_until=at + timedelta(minutes=1), limit=ROWS):
                raise RuntimeError("nothing was claimed")
        return CLAIMS / (time.perf_counter() - begun)

    def plainest() -> float:
        put_back(world.store)
        with acting_for(world.store):
            due = waiting(world.store).count() / 2
        script = PLAINEST.format(store=world.store.pk, at=middle(world.store).isoformat(), rows=ROWS)
        swept()
        rate = pgbench(os.environ["DATABASE_URL"], script, clients=1, seconds=2)
        if rate * 2 * ROWS > due:
            raise RuntimeError("the world is too small: the plainest claim found nothing left to claim")
        return rate

    figures = [
        compare(
            "claim",
            lambda: claims(world.store),
            plainest,
            unit="claims/s",
            limit_name="plainest SQL",
            reach=0.5,
            rounds=rounds,
        ),
        compare(
            "claim-flat",
            lambda: claims(world.store),
            lambda: claims(world.tenth),
            unit="claims/s",
            limit_name="a tenth of the queue",
            reach=0.8,
            rounds=rounds,
        ),
    ]
    put_back(world.store), put_back(world.tenth)
    return figures
