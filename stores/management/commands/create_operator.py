"""`create_operator EMAIL`: a login that sees how the server is (/operator/), and no store."""

import secrets
from argparse import ArgumentParser
from typing import Any

from allauth.account.models import EmailAddress
from django.core.management.base import BaseCommand, CommandError

from stores.models import User


class Command(BaseCommand):
    """Makes the person if needed; a known person keeps their password. Only here is anybody made an operator."""

    help = "Let a person see the page of the server's operator."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whom, or whom no longer."""
        parser.add_argument("email")
        parser.add_argument("--remove", action="store_true", help="take it from them again")

    def handle(self, **options: Any) -> None:
        """Make, or take away."""
        email = options["email"].strip().lower()
        if "@" not in email:
            raise CommandError(f"{email!r} is not an e-mail address.")
        user = User.objects.filter(email=email).first()
        if options["remove"]:
            User.objects.filter(email=email).update(is_superuser=False)
            self.stdout.write(f"{email} is no operator.")
            return
        password = "" if user else secrets.token_urlsafe(12)
        if user is None:
            user = User.objects.create_user(email, password)
            EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
        User.objects.filter(pk=user.pk).update(is_superuser=True)
        self.stdout.write(f"operator: {email} password: {password or '(unchanged)'}")
