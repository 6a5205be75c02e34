"""`import_orders SLUG FILE`: orders from a shop's export."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from customers.importing import orders, run, tables
from customers.models import Channel
from stores.directory import named
from stores.models import Store
from stores.tenancy import acting_for


class Command(BaseCommand):
    """Reads Shopify's order export, our columns, or any with a mapping."""

    help = "Import orders from a CSV file; the same file twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See API.md, "Command line"."""
        parser.add_argument("slug")
        parser.add_argument("file", type=Path)
        parser.add_argument("--mapping", type=Path, help='JSON: {"external_id": "Your column", ...}')
        parser.add_argument("--consent", default="", help="email,sms: the owner states that these people agreed")
        parser.add_argument("--encoding", default="", help="when the file is not UTF-8: windows-1256, ...")

    def handle(self, **options: Any) -> None:
        """Import, print counts, name the error file."""
        store = named(options["slug"])
        if store is None:
            raise CommandError(f"There is no store {options['slug']!r}; create_store makes one.")
        with acting_for(store):
            self._import(store, options)

    def _import(self, store: Store, options: dict[str, Any]) -> None:
        try:
            mapping = json.loads(options["mapping"].read_text()) if options["mapping"] else None
            table = tables.read_table(options["file"], encoding=options["encoding"])
            chosen = orders.choose_mapping(table, mapping)
        except (tables.Unreadable, OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        report = run.import_orders(
            store,
            orders.read_orders(store, table, chosen),
            consent=channels(options["consent"]),
            source=f"import {options['file'].name}",
            at=timezone.now(),
            progress=lambda done: self.stderr.write(f"{done} orders read"),
        )
        counts = {"created": report.created, "updated": report.updated, "unchanged": report.unchanged}
        self.stdout.write(", ".join(f"{name}: {count}" for name, count in {**counts, "bad": len(report.bad)}.items()))
        if report.bad:
            path = settings.DATA_DIR / "imports" / f"{options['file'].stem}.errors.csv"
            run.write_error_file(path, table, report.bad)
            self.stdout.write(f"Bad rows, each with what to mend: {path}")


def channels(text: str) -> set[Channel]:
    """The channels of "email,sms"; raises CommandError for another word."""
    names = {name.strip() for name in text.split(",") if name.strip()}
    if names - set(Channel.values):
        raise CommandError("--consent takes email, sms or both, separated by a comma.")
    return {Channel(name) for name in names}
