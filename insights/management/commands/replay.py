"""`replay SLUG ORDERS`: history through the real engine in simulated time."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_date, parse_datetime

from customers.importing import orders, tables
from customers.management.commands.import_orders import channels
from insights.replay import engine, history
from insights.replay.summary import summary
from stores import directory
from stores.models import Store
from stores.tenancy import acting_for


class Command(BaseCommand):
    """Prints a JSON summary as its last line; running it again changes nothing."""

    help = "Run a file of orders (and feedback) through the real services and sweeps; no mail leaves."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See API.md, "Command line"."""
        parser.add_argument("slug")
        parser.add_argument("orders", type=Path)
        parser.add_argument("--feedback", type=Path)
        parser.add_argument("--until", default="", help="2018-12-31 or 2018-12-31T12:00:00+00:00")
        parser.add_argument("--friends", action="store_true", help="also play advocates' friends, at published rates")
        parser.add_argument("--consent", default="", help="email,sms: the owner states that these people agreed")
        parser.add_argument("--encoding", default="")

    def handle(self, **options: Any) -> None:
        """Read, run, sum up."""
        store = directory.named(options["slug"])
        if store is None:
            raise CommandError(f"There is no store {options['slug']!r}; create_store makes one.")
        facts = history.facts_of(self._orders(store, options))
        answers = history.read_feedback(options["feedback"]) if options["feedback"] else {}
        engine.run(
            store,
            facts,
            answers,
            until=_moment(options["until"]),
            friends=options["friends"],
            consent=frozenset(channels(options["consent"])),
        )
        with acting_for(store):
            self.stdout.write(json.dumps(summary(store)))

    def _orders(self, store: Store, options: dict[str, Any]) -> list[Any]:
        try:
            table = tables.read_table(options["orders"], encoding=options["encoding"])
            read = list(orders.read_orders(store, table, orders.choose_mapping(table)))
        except tables.Unreadable as error:
            raise CommandError(str(error)) from error
        for bad in (order for order in read if order.problem):
            self.stderr.write(f"line {bad.rows[0].line} left out: {bad.problem}")
        return history.good(read)


def _moment(text: str) -> datetime | None:
    """The end of the replay; a day without a time ends at its midnight, UTC."""
    if not text:
        return None
    day = parse_date(text) if len(text) == 10 else None
    found = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else parse_datetime(text)
    if found is None:
        raise CommandError(f"--until {text!r} is no time; write 2018-12-31 or 2018-12-31T12:00:00+00:00.")
    return found if found.tzinfo else found.replace(tzinfo=UTC)
