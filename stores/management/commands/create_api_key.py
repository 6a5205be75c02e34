"""`create_api_key SLUG`: a key for the shop's developer or POS."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from stores import directory
from stores.models import ApiKey
from stores.services import create_key
from stores.tenancy import acting_for


class Command(BaseCommand):
    """The key is printed once, on the last line, alone; only its hash is kept."""

    help = "Make an API key of a store."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See API.md, "Command line"."""
        parser.add_argument("slug")
        parser.add_argument("--scopes", default=",".join(ApiKey.SCOPES))
        parser.add_argument("--name", default="command line")

    def handle(self, **options: Any) -> None:
        """Create, print."""
        store = directory.named(options["slug"])
        if store is None:
            raise CommandError(f"There is no store {options['slug']!r}; create_store makes one.")
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        unknown = set(scopes) - set(ApiKey.SCOPES)
        if unknown or not scopes:
            raise CommandError(f"Known scopes are: {', '.join(ApiKey.SCOPES)}.")
        with acting_for(store):
            _, key = create_key(store, name=options["name"], scopes=scopes, by=None, at=timezone.now())
        self.stdout.write(f"Scopes: {', '.join(scopes)}. Keep the key safe; it is not shown again:")
        self.stdout.write(key)
