"""`hold`: let no message go out until `release`; for a restore that the database cannot notice by itself."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from stores import holding


class Command(BaseCommand):
    """Everything else goes on: pages, codes at the counter, orders."""

    help = "Let no message go out until `release`."

    def handle(self, **options: Any) -> None:
        """Hold, say so."""
        held = holding.hold(holding.BY_HAND, timezone.now())
        self.stdout.write("Held: no message goes out until manage.py release." if held else "It was held already.")
