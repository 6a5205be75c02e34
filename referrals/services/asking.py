"""Asking for a good word: on the answer page, and one later message to those who stayed silent.

Source: EFFECTIVENESS 4.4, the best of five chains.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import translation

from customers.models import Customer
from outreach.models import Hold, Kind
from outreach.rendering import language_of, unsubscribe_url
from outreach.services import customers_written_since, note_skipped, plan_message
from referrals.models import ShareLink
from referrals.services.links import landing_url, share_link_of, share_page_url
from referrals.services.programs import live_program, program_of
from rewards.wording import offer_text
from stores.models import Store
from surveys import rules as survey_rules
from surveys.models import Invitation, Response
from surveys.services import answering, inviting

logger = logging.getLogger(__name__)


def ask_on_answer(store: Store, response: Response, *, at: datetime) -> ShareLink | None:
    """The share link to show with "thank you", and the note that it was shown; None for no ask.

    Nobody with an open case is asked, whatever they answer now.
    """
    wanted = survey_rules.may_be_asked(response.score, ask_passives=store.ask_passives)
    if not wanted or Hold.objects.for_store(store).filter(customer=response.customer_id).exists():
        return None
    program = live_program(store)
    if program is None:
        return None
    answering.note_ask_shown(response, at=at)
    return share_link_of(response.customer, at=at, program=program)


def ask_silent(store: Store, at: datetime, *, limit: int = 500) -> int:
    """Ask those who left a survey unanswered, once an order; returns how many asks were planned."""
    due = (
        Invitation.objects.for_store(store)
        .filter(status=Invitation.Status.INVITED, silent_ask_at__lte=at)
        .order_by("silent_ask_at", "pk")
        .select_related("order", "customer__store", "message")
        .select_for_update(skip_locked=True, of=("self",))
    )
    asked = 0
    for invitation in due[:limit]:
        try:
            with transaction.atomic():
                asked += _ask(store, invitation, at)
                inviting.note_silent_ask_decided(invitation)
        except Exception:  # one bad row must not stop the others
            logger.exception("invitation %s: no ask decided", invitation.public_id)
    return asked


def _ask(store: Store, invitation: Invitation, at: datetime) -> bool:
    customer, key = invitation.customer, f"ask:{invitation.order_id}"
    reason = _reason_against(store, invitation, at)
    if reason:
        note_skipped(customer, Kind.ASK, key=key, reason=reason, at=at)
        return False
    link = share_link_of(customer, at=at)
    plan_message(
        customer,
        Kind.ASK,
        key=key,
        due_at=at,
        not_after=at + survey_rules.STALE,
        context=ask_context(store, customer, link, invitation.product_name),
        at=at,
    )
    return True


def _reason_against(store: Store, invitation: Invitation, at: datetime) -> str:
    order, since = invitation.order, at - timedelta(days=store.cooldown_days)
    if order.refunded_at or order.cancelled_at:
        return "refunded" if order.refunded_at else "cancelled"
    if live_program(store) is None:
        return "paused"
    own = (f"survey:{order.pk}",)  # this question's own message does not count against its ask
    resting = customers_written_since(store, {invitation.customer_id}, since, except_keys=own)
    return "cooldown" if resting else ""


def ask_context(store: Store, customer: Customer, link: ShareLink, product: str) -> dict[str, object]:
    """What the ask's template needs, in the customer's language."""
    program = program_of(store)
    first = program.ladder.tiers.select_related("offer").order_by("threshold", "gives").first()
    with translation.override(language_of(store, customer)):
        return {
            "product": product,
            "code": link.code,
            "friend_gets": offer_text(program.friend_offer, store),
            "you_get": offer_text(first.offer, store) if first else "",
            "links": {
                "share": share_page_url(customer),
                "landing": landing_url(link),
                "unsubscribe": unsubscribe_url(store, customer),
            },
        }
