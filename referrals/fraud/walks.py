"""Two things only SQL tells well: who sent whom in a ring, and what is usual in a store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection

from referrals.fraud.rules import LONGEST_RING, Norm
from stores.models import Store
from stores.rows import as_json

LATEST = 1000  # orders or referrals that a norm is taken from: the newest, by their index

# A friend has at most one advocate who counts, so the way up from an advocate is a line, not a tree.
RINGS = """
    WITH RECURSIVE up AS (
        SELECT given.key, given.friend, given.advocate AS who, 1 AS steps
        FROM jsonb_to_recordset(%s::jsonb) AS given(key int, advocate bigint, friend bigint)
        UNION ALL
        SELECT up.key, up.friend, sent.advocate_id, up.steps + 1
        FROM up JOIN referrals_referral sent
            ON sent.store_id = %s AND sent.friend_id = up.who AND sent.status <> 'voided'
        WHERE up.steps < %s AND up.who <> up.friend
    )
    SELECT key, min(steps) FROM up WHERE who = friend AND steps > 1 GROUP BY key
"""
NORM = """
    SELECT percentile_disc(0.05) WITHIN GROUP (ORDER BY total_minor),
           percentile_disc(0.95) WITHIN GROUP (ORDER BY total_minor), count(*)
    FROM (
        SELECT total_minor FROM customers_order
        WHERE store_id = %s AND currency = %s AND cancelled_at IS NULL AND total_minor > 0 AND placed_at < %s
        ORDER BY placed_at DESC LIMIT %s
    ) latest
"""
USUAL = """
    WITH latest AS (
        SELECT referral.advocate_id, bought.placed_at
        FROM referrals_referral referral
        JOIN customers_order bought ON bought.store_id = referral.store_id AND bought.id = referral.order_id
        WHERE referral.store_id = %s AND referral.created_at >= %s AND NOT referral.advocate_id = ANY(%s)
        ORDER BY referral.created_at DESC LIMIT %s
    ), counted AS (
        SELECT 'day' AS span, count(*) AS n FROM latest GROUP BY advocate_id, date_trunc('day', placed_at)
        UNION ALL
        SELECT 'week', count(*) FROM latest GROUP BY advocate_id, date_trunc('week', placed_at)
    )
    SELECT span, percentile_disc(0.75) WITHIN GROUP (ORDER BY n) FROM counted GROUP BY span
"""


def rings(store: Store, pairs: Sequence[tuple[int, int, int]]) -> dict[int, int]:
    """Of (key, advocate, friend), how many customers a ring through both has, by key; none: not in it."""
    if not pairs:
        return {}
    given = as_json([{"key": key, "advocate": one, "friend": other} for key, one, other in pairs])
    with connection.cursor() as cursor:
        cursor.execute(RINGS, [given, store.pk, LONGEST_RING])
        return dict(cursor.fetchall())


def norm_of(store: Store, currency: str, before: datetime) -> Norm:
    """What the latest orders in this currency came to."""
    with connection.cursor() as cursor:
        cursor.execute(NORM, [store.pk, currency, before, LATEST])
        low, high, orders = cursor.fetchone()
    return Norm(low or 0, high or 0, orders)


def usual_pace(store: Store, besides: Iterable[int], at: datetime) -> tuple[int, int]:
    """Friends of one customer in a day and in a week that three in four of those who bring any do not exceed.

    Not higher: in a store that is being abused the abusers would be the norm.
    """
    with connection.cursor() as cursor:
        cursor.execute(USUAL, [store.pk, at - timedelta(days=90), list(besides), LATEST])
        found = dict(cursor.fetchall())
    return found.get("day", 0), found.get("week", 0)
