"""Recency, frequency and spend, each scored 1 to 5: everybody who bought, cut into fifths.

5 is best: bought most lately, most often, for most money. Scores come from the orders that stand (neither
cancelled nor refunded in full) of known, named customers; money is what was kept of orders in the store's currency.

Ties: those with the same number get the same score, the lowest fifth that any of them falls into. Where seven in
ten bought once, all seven score 1 in frequency; cut by chance some of them would score 4. Who has no standing
order has no score, and is in no range. A store with fewer than five buyers has no score of 5.
Source: Hughes, "Strategic Database Marketing" (1994), for the fifths; the rule for ties is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL

from stores.models import Store

SCORES = ("recency", "frequency", "spend")
LOWEST, HIGHEST = 1, 5

# One pass over the orders for all three. Postgres drops the windows of columns that nobody reads.
SCORED = """
    SELECT customer_id,
           min(recency) OVER (PARTITION BY last_at) AS recency,
           min(frequency) OVER (PARTITION BY orders) AS frequency,
           min(spend) OVER (PARTITION BY spent) AS spend
    FROM (
        SELECT customer_id, last_at, orders, spent,
               ntile(5) OVER (ORDER BY last_at) AS recency,
               ntile(5) OVER (ORDER BY orders) AS frequency,
               ntile(5) OVER (ORDER BY spent) AS spend
        FROM (
            SELECT bought.customer_id, max(bought.placed_at) AS last_at, count(*) AS orders,
                   coalesce(sum(bought.total_minor - bought.refunded_minor)
                            FILTER (WHERE bought.currency = %s), 0) AS spent
            FROM customers_order AS bought
            JOIN customers_customer AS buyer ON buyer.id = bought.customer_id AND buyer.store_id = bought.store_id
            WHERE bought.store_id = %s AND bought.placed_at <= %s
              AND bought.cancelled_at IS NULL AND bought.refunded_at IS NULL
              AND buyer.erased_at IS NULL AND buyer.merged_into_id IS NULL
              AND NOT starts_with(buyer.external_id, 'guest:')
            GROUP BY bought.customer_id
        ) AS sums
    ) AS cut
"""


def scores(store: Store, at: datetime) -> dict[int, tuple[int, int, int]]:
    """(recency, frequency, spend) of every customer with a standing order at `at` (aware UTC), by customer id."""
    with connection.cursor() as cursor:
        cursor.execute(SCORED, [store.currency, store.pk, at])
        return {customer: (recency, frequency, spend) for customer, recency, frequency, spend in cursor.fetchall()}


def within(store: Store, ranges: Mapping[str, tuple[int, int]], at: datetime) -> Q:
    """The condition on Customer that each named score lies in its range; one pass over the orders for them all."""
    bounds: list[str] = []
    parameters: list[object] = [store.currency, store.pk, at]
    for score, (lowest, highest) in ranges.items():
        assert score in SCORES
        # Two bounds on one column are guessed to keep a row in 200, and a guess so low brings loops within loops
        # (10 minutes instead of one second for 100,000 customers). One bound, or two that look unlike: a third each.
        if lowest > LOWEST:
            bounds.append(f"{score} >= %s")
            parameters.append(lowest)
        if highest < HIGHEST:
            bounds.append(f"{score} + 0 <= %s")
            parameters.append(highest)
    query = f"SELECT customer_id FROM ({SCORED}) AS scored WHERE {' AND '.join(bounds) or 'true'}"  # noqa: S608
    return Q(pk__in=RawSQL(query, parameters))  # noqa: S611
