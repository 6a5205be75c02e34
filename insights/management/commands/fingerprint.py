"""`fingerprint`: rows of every table and sums of the books, to be compared before and after a restore."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from insights.operation import fingerprint


class Command(BaseCommand):
    """One line a table, one a currency: compare two outputs with diff."""

    help = "Print how many rows each table has, and what the books sum to."

    def handle(self, **options: Any) -> None:
        """Print."""
        ops_url = os.environ.get("DATABASE_OPS_URL")
        if not ops_url:
            raise CommandError("Set DATABASE_OPS_URL: goodword_ops alone sees every store's rows.")
        found = fingerprint.take(ops_url)
        for table, rows in found.rows.items():
            self.stdout.write(f"{table} {rows}")
        for currency, entries, total, turnover, seal in found.books:
            self.stdout.write(f"books {currency}: {entries} entries, sum {total}, turnover {turnover}, {seal}")
