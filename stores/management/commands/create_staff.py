"""`create_staff SLUG EMAIL --role R`: a login for a store."""

import secrets
from argparse import ArgumentParser
from typing import Any

from allauth.account.models import EmailAddress
from django.core.management.base import BaseCommand, CommandError

from stores import directory
from stores.models import Membership, Role, User
from stores.tenancy import acting_for


class Command(BaseCommand):
    """Makes the person if needed, and gives them the role; a known person keeps their password."""

    help = "Give a person a role in a store and print the login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See API.md, "Command line"."""
        parser.add_argument("slug")
        parser.add_argument("email")
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--password", default="")
        parser.add_argument("--name", default="")

    def handle(self, **options: Any) -> None:
        """Create, print."""
        store = directory.named(options["slug"])
        if store is None:
            raise CommandError(f"There is no store {options['slug']!r}; create_store makes one.")
        email = options["email"].strip().lower()
        if "@" not in email:
            raise CommandError(f"{email!r} is not an e-mail address.")
        user = User.objects.filter(email=email).first()
        password = options["password"] or ("" if user else secrets.token_urlsafe(12))
        if user is None:
            user = User.objects.create_user(email, password, name=options["name"])
            # Who runs commands here vouches for the address; the log-in in two steps wants one that is confirmed.
            EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
        elif password:
            user.set_password(password)
            user.save(update_fields=["password"])
        with acting_for(store):
            Membership.objects.update_or_create(store=store, user=user, defaults={"role": options["role"]})
        shown = password or "(unchanged)"
        self.stdout.write(f"{options['role']} of {store.slug}: {email} password: {shown}")
