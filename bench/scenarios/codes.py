"""100,000 vouchers as the job of a pool makes them, against COPY of the same rows."""

from __future__ import annotations

import io
import secrets
import time

from django.db import connection, connections

from bench.measuring import Figure, compare
from bench.world import World
from referrals.services.terms import OfferTerms, make_offer
from rewards.models import Offer
from rewards.services import pools
from stores.models import Store
from stores.tenancy import acting_for

NUMBER = 100_000
TABLE = "bench_codes"
# What must hold of any table of codes, as in `intake`: a row is found by its id and by its code, which no two have.
PLAIN = f"""
DROP TABLE IF EXISTS {TABLE};
CREATE TABLE {TABLE} (LIKE rewards_voucher, PRIMARY KEY (id), UNIQUE (store_id, code))
"""


def measure(world: World, rounds: int) -> list[Figure]:
    """Codes a second against rows a second."""
    making = _Making(world.store, world)
    with connections["owner"].cursor() as cursor:
        cursor.execute(PLAIN)
    try:
        return [compare("codes", making.job, making.copy, unit="codes/s", limit_name="COPY", reach=0.25, rounds=rounds)]
    finally:
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"DROP TABLE {TABLE}")


class _Making:
    def __init__(self, store: Store, world: World) -> None:
        self.store, self.at = store, world.now
        with acting_for(store):
            self.offer = make_offer(store, OfferTerms(Offer.Kind.PERCENT_OFF, percent=10))
        self.lines = io.StringIO()

    def job(self) -> float:
        """Codes a second, from the wish to the last of them."""
        begun = time.perf_counter()
        with acting_for(self.store):
            name = f"bench {secrets.token_hex(6)}"
            pool, job = pools.make(self.store, name, self.offer, NUMBER, pools.Conditions(), by=None, at=self.at)
        done = pools.work(self.store, job.pk).done
        passed = time.perf_counter() - begun
        if done != NUMBER:
            raise RuntimeError(f"the job made {done} codes")
        self._read(pool.pk)
        return NUMBER / passed

    def _read(self, pool: int) -> None:
        """The rows that were made, as COPY takes them."""
        self.lines = io.StringIO()
        with acting_for(self.store), connection.cursor() as cursor:
            cursor.copy_expert(f"COPY (SELECT * FROM rewards_voucher WHERE pool_id = {pool}) TO STDOUT", self.lines)

    def copy(self) -> float:
        """Rows a second."""
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"TRUNCATE {TABLE}")
            self.lines.seek(0)
            begun = time.perf_counter()
            cursor.copy_expert(f"COPY {TABLE} FROM STDIN", self.lines)
        return NUMBER / (time.perf_counter() - begun)
