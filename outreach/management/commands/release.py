"""`release`: after a restore, let messages go out again."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from outreach import restoring
from stores import holding
from stores.directory import each_store
from stores.tenancy import acting_for

# By then the sweeps have planned again what they had planned on the lost server, so that it is among what is due.
SWEPT = timedelta(minutes=10)


class Command(BaseCommand):
    """Without an option it only says what waits: which of the two is less harm, a person decides."""

    help = "After a restore: say what waits, then let messages go out again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What becomes of the messages that are due."""
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument(
            "--skip", action="store_true", help="send none that is due now: nobody gets one twice, some get none"
        )
        choice.add_argument(
            "--send", action="store_true", help="send all that are due now: everybody gets one, some get it twice"
        )
        parser.add_argument(
            "--at-once", action="store_true", help="do not wait until the sweeps have looked at everything"
        )

    def handle(self, **options: Any) -> None:
        """Say, skip, release."""
        at = timezone.now()
        since = holding.held_since(at)
        if since is None:
            self.stdout.write("Nothing is held.")
            return
        self._say(since, at)
        if not (options["skip"] or options["send"]):
            self.stdout.write("Still held. --skip or --send lets later messages go out, too; docs/operate.md, restore.")
            return
        if at - since < SWEPT and not options["at_once"]:
            raise CommandError(
                "Held for less than ten minutes. Let worker and beat run first: the sweeps plan again what the lost "
                "server had planned, and that must be among what you decide about. Or say --at-once."
            )
        if options["skip"]:
            skipped = sum(restoring.skip_due(store, at) for store in each_store())
            self.stdout.write(f"{skipped} messages are not sent; each store sees which, under Messages.")
        holding.release(timezone.now())
        self.stdout.write("Released: messages go out.")

    def _say(self, since: datetime, at: datetime) -> None:
        self.stdout.write(f"Held since {since:%Y-%m-%d %H:%M} UTC.")
        for store in each_store():
            with acting_for(store):
                oldest = restoring.due(store, at).order_by("due_at").values_list("due_at", flat=True).first()
                number = restoring.due(store, at).count()
            if number:
                self.stdout.write(
                    f"  {store.slug}: {number} messages are due, the oldest since {oldest:%Y-%m-%d %H:%M} UTC"
                )
