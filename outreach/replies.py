"""What people text back: STOP and its kin, START and its kin (outreach/channels/sms/words.py)."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from customers.models import Channel, Consent, Customer
from customers.services import record_consent
from outreach import services
from outreach.accounts import transport_for
from outreach.channels import Letter, NotNow, Refused, Uncertain
from outreach.channels.sms import Said
from outreach.channels.sms.words import is_start, is_stop
from outreach.models import Suppression
from outreach.rendering import language_of
from stores.models import Store
from stores.tenancy import acting_for

logger = logging.getLogger("goodword.replies")

SOURCE = "text message"


def heed(store: Store, number: str, text: str, said: Said, *, at: datetime) -> None:
    """Do what a text asks. `said` is how the gateway understood it; it then has answered the person itself."""
    if said == Said.STOP or (said == Said.NOTHING and is_stop(text)):
        stop(store, number, at=at, confirm=said == Said.NOTHING)
    elif said == Said.START or is_start(text):
        start(store, number, at=at)


def stop(store: Store, number: str, *, at: datetime, confirm: bool) -> None:
    """No message to this number again, and none to its owner by any way; one text confirms it, once.

    Holds for a number we know nobody by, too.
    """
    customer = customer_of(store, Channel.SMS, number)
    was_open = not _closed(store, number).exists()
    if customer:
        services.unsubscribe(store, customer, source=SOURCE, at=at)
    services.suppress(store, Channel.SMS, number, reason=Suppression.Reason.UNSUBSCRIBED, source=SOURCE, at=at)
    if customer and was_open and confirm:
        _confirm(store, customer)


def start(store: Store, number: str, *, at: datetime) -> None:
    """Take back what the person's own stop by text did, and any stop of theirs on this number.

    A "yes" to advertising comes back only where it stood before the stop.
    """
    _closed(store, number).filter(reason=Suppression.Reason.UNSUBSCRIBED).delete()
    customer = customer_of(store, Channel.SMS, number)
    if customer is None:
        return
    Suppression.objects.for_store(store).filter(
        channel=Channel.EMAIL,
        address_hash=services.hash_address(store, Channel.EMAIL, customer.email_norm),
        reason=Suppression.Reason.UNSUBSCRIBED,
        source=SOURCE,
    ).delete()
    for channel in Channel:
        if _withdrew_by_text(customer, channel):
            record_consent(customer, channel, granted=True, source=SOURCE, at=at)


def customer_of(store: Store, channel: Channel, address: str) -> Customer | None:
    """Whose address it is, if anybody's."""
    column = "email_norm" if channel == Channel.EMAIL else "phone_norm"
    found = Customer.objects.for_store(store).filter(**{column: address}).first() if address else None
    return found.today if found else None


def confirmation(store: Store, customer: Customer) -> Letter:
    """The text that says it is done; it advertises nothing."""
    with translation.override(language_of(store, customer)):
        words = _("%(store)s: done, you get no more messages from us. If that was a mistake, text START.")
    return Letter(
        f"stop-{customer.public_id}", customer.phone_norm, "", words % {"store": store.name}, sender_name=store.name
    )


def _closed(store: Store, number: str) -> QuerySet[Suppression]:
    return Suppression.objects.for_store(store).filter(
        channel=Channel.SMS, address_hash=services.hash_address(store, Channel.SMS, number)
    )


def _withdrew_by_text(customer: Customer, channel: Channel) -> bool:
    """Whether the last word on this channel is a stop by text, and a yes stood before it."""
    said = list(
        Consent.objects.filter(store_id=customer.store_id, customer=customer, channel=channel).order_by("-pk")[:20]
    )
    if not said or said[0].granted or said[0].source != SOURCE:
        return False
    before = next((one for one in said if one.granted or one.source != SOURCE), None)
    return before is not None and before.granted


def confirm(store_id: int, customer_id: int) -> bool:
    """Send the confirmation; False when it cannot be sent, and nobody tries again."""
    with acting_for(store_id):
        store = Store.objects.get(pk=store_id)
        customer = (
            Customer.objects.for_store(store).filter(pk=customer_id, erased_at=None).exclude(phone_norm="").first()
        )
    send = transport_for(store, Channel.SMS)
    if customer is None or send is None:
        return False
    try:
        send(confirmation(store, customer))
    except (Refused, NotNow, Uncertain) as error:
        logger.info("a stop was not confirmed: %s", type(error).__name__)
        return False
    return True


def _confirm(store: Store, customer: Customer) -> None:
    """One text that says it is done, after the commit. At most once: lost is better than twice."""
    from outreach.tasks import confirm_stop

    ids = (store.pk, customer.pk)
    transaction.on_commit(lambda: confirm_stop.delay(*ids), robust=True)
