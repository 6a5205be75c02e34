"""`create_store SLUG --name N`: a store with a running program, survey and messages."""

from argparse import ArgumentParser
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_slug
from django.utils import timezone

from referrals.services.programs import open_store
from stores import directory


class Command(BaseCommand):
    """Both sides get 10 % off, 14 days of hold; time to value 7 days after delivery."""

    help = "Open a store with a sensible default program, ready to use."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See API.md, "Command line"."""
        parser.add_argument("slug")
        parser.add_argument("--name", required=True)
        parser.add_argument("--currency", default="USD")
        parser.add_argument("--timezone", default="UTC")
        parser.add_argument("--locale", default="en", choices=[code for code, _ in settings.LANGUAGES])
        parser.add_argument("--country", default="", help="two letters; reads phone numbers written without +")
        parser.add_argument("--toman", action="store_true", help="show rial amounts in toman")

    def handle(self, **options: Any) -> None:
        """Open it."""
        slug, currency = options["slug"], options["currency"].upper()
        try:
            validate_slug(slug)
        except ValidationError as error:
            raise CommandError("The slug may have letters, digits, - and _ only.") from error
        if directory.store_id_by_slug(slug):
            raise CommandError(f"There is a store {slug!r} already; choose another slug.")
        if options["timezone"] not in available_timezones():
            raise CommandError(f"{options['timezone']!r} is no time zone; write Asia/Manila, for example.")
        if len(currency) != 3 or not currency.isalpha():
            raise CommandError("The currency is three letters: USD, PHP, IRR.")
        open_store(
            slug=slug,
            name=options["name"],
            currency=currency,
            timezone=options["timezone"],
            locale=options["locale"],
            country=options["country"].upper(),
            toman=options["toman"],
            at=timezone.now(),
        )
        self.stdout.write(f"Store {slug} is open. Next: create_staff {slug} you@example.com --role owner")
