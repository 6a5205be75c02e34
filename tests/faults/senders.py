"""A sending process that lives until it is killed: `python -m tests.faults.senders real|naive`.

`real` is what the celery task does, without celery. `naive` has no claim and no lease: it reads what waits, sends it,
and writes that down afterwards.
"""

from __future__ import annotations

import os
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


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


if __name__ == "__main__":
    django.setup()
    way = {"real": real, "naive": naive}[sys.argv[1]]
    while True:
        way()
        time.sleep(0.1)
