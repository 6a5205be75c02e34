"""What a database holds, in few numbers: to be taken before and after a restore, and compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2 import sql

TABLES = """
SELECT relname FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname
"""
BOOKS = """
SELECT currency, count(*), sum(amount_minor), sum(abs(amount_minor)),
       md5(string_agg(concat_ws(':', id, transaction_id, account_id, amount_minor), ',' ORDER BY id))
  FROM rewards_entry GROUP BY currency ORDER BY currency
"""


@dataclass(frozen=True)
class Fingerprint:
    """Rows of each table; of each currency's entries the number, the sum (zero), the turnover and a hash of all."""

    rows: dict[str, int]
    books: list[tuple[Any, ...]]


def take(ops_url: str) -> Fingerprint:
    """As goodword_ops, who alone sees every store's rows; all at one moment."""
    connection = psycopg2.connect(ops_url)
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            cursor.execute(TABLES)
            names = [row[0] for row in cursor.fetchall()]
            return Fingerprint({name: _count(cursor, name) for name in names}, _books(cursor))
    finally:
        connection.close()


def _count(cursor: Any, table: str) -> int:
    cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
    return int(cursor.fetchone()[0])


def _books(cursor: Any) -> list[tuple[Any, ...]]:
    cursor.execute(BOOKS)
    return list(cursor.fetchall())
