"""What a customer has agreed to, since when, and where they said so; and changes by the staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from customers.models import Channel, Consent, Customer
from customers.services import record_consent
from stores.models import Store, User
from stores.services import note

LABELS = {Channel.EMAIL: _("Messages by e-mail"), Channel.SMS: _("Messages by text")}
BY_HAND = "staff"  # how the source begins of what the staff wrote down


@dataclass(frozen=True)
class Standing:
    """Whether they agree on a channel; `last` is where that was said, None where nothing ever was."""

    channel: Channel
    label: str
    granted: bool
    last: Consent | None


def standing(store: Store, customer: Customer) -> list[Standing]:
    """What holds on each channel; one query."""
    rows = Consent.objects.for_store(store).filter(customer=customer).order_by("channel", "-at", "-pk")
    last = {one.channel: one for one in rows.distinct("channel")}
    granted = {Channel.EMAIL: customer.email_consent, Channel.SMS: customer.sms_consent}
    return [Standing(one, str(LABELS[one]), granted[one], last.get(one)) for one in Channel]


def write_down(
    customer: Customer, channel: Channel, *, granted: bool, said: str, by: User | None, at: datetime, source: str = ""
) -> bool:
    """Note what they told the staff: `said` is where and how. True when it differs from what stood."""
    told = source or f"{BY_HAND}: {by}"
    changed = record_consent(customer, channel, granted=granted, source=told, at=at, wording=said)
    if changed:
        after = {"channel": channel, "granted": granted}
        note(customer.store, "consent.changed", subject=customer.public_id, after=after, by=by, at=at)
    return changed
