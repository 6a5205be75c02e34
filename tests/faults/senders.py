"""Sending processes that live until they are killed: `python -m tests.faults.senders real|naive|crew`.

`real` is what the celery task does, without celery. `naive` has no claim and no lease: it reads what waits, sends it,
and writes that down afterwards. `crew` is four real ones, and a parent that starts another for each that dies, as
celery's pool does.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
CREW = 4


def real() -> None:
    from outreach.dispatch import dispatch

    dispatch(seconds=20)


def naive() -> None:
    from outreach.channels import email
    from outreach.models import Message
    from outreach.rendering import letter
    from stores.directory import each_store
    from stores.tenancy import acting_for

    for store in each_store():
        with acting_for(store):
            waiting = Message.objects.for_store(store).filter(status="pending").select_related("customer")
            messages = list(waiting.order_by("pk")[:50])
        for message in messages:
            message.channel, message.to = "email", message.customer.email_norm
            with acting_for(store):
                rendered = letter(store, message)
            email.deliver(rendered)
            with acting_for(store):
                Message.objects.for_store(store).filter(pk=message.pk).update(status="sent")


def for_ever(way: Callable[[], None]) -> None:
    while True:
        way()
        time.sleep(0.1)


def crew() -> None:
    from outreach import dispatch  # noqa: F401  # so that a new child begins at once

    living: set[int] = set()
    while True:
        while len(living) < CREW:
            child = os.fork()
            if not child:
                for_ever(real)
            living.add(child)
        living.discard(os.wait()[0])


if __name__ == "__main__":
    django.setup()
    for_ever({"real": real, "naive": naive, "crew": crew}[sys.argv[1]])
