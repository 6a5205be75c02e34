"""Asking for a good word: on the answer page, and one later message to those who stayed silent.

Source: EFFECTIVENESS 4.4, the best of five chains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.utils import translation

from customers.models import Customer
from outreach import journeys
from outreach.kinds import Kind
from outreach.models import Hold, Journey, Message
from outreach.rendering import language_of, unsubscribe_url
from outreach.services import customers_written_since, note_all_skipped, plan_messages
from referrals.models import Program, ShareLink
from referrals.services.links import landing_url, share_links_of, share_page_url
from referrals.services.programs import program_of, programs_for
from rewards.wording import offer_text
from stores.models import Store
from stores.rows import in_halves
from surveys import rules as survey_rules
from surveys.models import Invitation, Response
from surveys.services import answering, inviting

# The question that never reached them: then their silence says nothing.
NEVER_CAME = (Message.Status.SKIPPED, Message.Status.FAILED)


def ask_on_answer(store: Store, response: Response, *, at: datetime) -> ShareLink | None:
    """The share link to show with "thank you", and the note that it was shown; None for no ask.

    Nobody with an open case is asked, whatever they answer now; nor somebody who seems to be a program.
    """
    if response.customer is None:
        return None
    return ask_on_answers(store, [(response, at)]).get(response.customer.pk)


def ask_on_answers(store: Store, answered: Sequence[tuple[Response, datetime]]) -> dict[int, ShareLink]:
    """The same for answers of different people, each with its time; share links by the customer's id."""
    wanted = [one for one in answered if _may_be_asked(store, one[0])]
    held = _held(store, {response.customer_id for response, _ in wanted if response.customer_id})
    asked = [(response, at) for response, at in wanted if response.customer_id not in held]
    latest = max((at for _, at in asked), default=None)
    programs = programs_for(store, [one.customer_id for one, _ in asked if one.customer_id], latest) if latest else {}
    asked = [(response, at) for response, at in asked if response.customer_id in programs]
    if not asked:
        return {}
    answering.note_asks_shown(store, {response.pk: at for response, at in asked})
    return share_links_of(store, {one.customer: at for one, at in asked if one.customer})


def _may_be_asked(store: Store, response: Response) -> bool:
    if response.customer is None or response.is_suspect:
        return False
    return survey_rules.may_be_asked(response.score, ask_passives=store.ask_passives, of_five=response.of_five)


def _held(store: Store, customers: set[int]) -> set[int]:
    """Of these customers, those who are to be left in peace."""
    if not customers:
        return set()
    holds = Hold.objects.for_store(store).filter(customer__in=customers)
    return set(holds.values_list("customer_id", flat=True))


def ask_silent(store: Store, at: datetime, *, limit: int = 500) -> int:
    """Ask those who left a survey unanswered, once an order; returns how many asks were planned."""
    due = (
        Invitation.objects.for_store(store)
        .filter(status=Invitation.Status.INVITED, silent_ask_at__lte=at)
        .exclude(message__status__in=[Message.Status.PENDING, Message.Status.SENDING])  # they are not asked yet
        .order_by("silent_ask_at", "pk")
        .select_related("order", "customer", "message")
        .select_for_update(skip_locked=True, of=("self",))
    )
    rounds = _one_a_person(due[:limit])
    return sum(sum(in_halves(few, partial(_ask_all, store, at=at), refused=lambda *_: False)) for few in rounds)


def _one_a_person(invitations: Iterable[Invitation]) -> list[list[Invitation]]:
    """The invitations in rounds in which nobody stands twice: an ask is a reason against the person's next."""
    rounds: list[list[Invitation]] = []
    seen: Counter[int] = Counter()
    for invitation in invitations:
        number = seen[invitation.customer_id]
        seen[invitation.customer_id] += 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(invitation)
    return rounds


def _ask_all(store: Store, invitations: Sequence[Invitation], *, at: datetime) -> list[bool]:
    """Decide about these people's one later ask; for each whether it was planned."""
    journey = journeys.journey_of(store, Kind.ASK)
    programs = programs_for(store, [one.customer_id for one in invitations], at)
    reasons = _reasons_against(store, journey, invitations, set(programs), at)
    asked = [one for one, reason in zip(invitations, reasons, strict=True) if not reason]
    skipped = [_skipped(one, reason) for one, reason in zip(invitations, reasons, strict=True) if reason]
    note_all_skipped(skipped, at=at)
    if asked:
        links = share_links_of(store, {one.customer: at for one in asked})
        asks = [_ask(journey, programs[one.customer_id], one, links[one.customer_id], at) for one in asked]
        plan_messages(store, asks)
    inviting.note_silent_asks_decided(store, invitations)
    return [not reason for reason in reasons]


def _ask(journey: Journey, program: Program, invitation: Invitation, link: ShareLink, at: datetime) -> Message:
    context = ask_context(journey.store, invitation.customer, link, invitation.product_name, program=program)
    return journeys.message(
        invitation.customer, journey, key=f"ask:{invitation.order_id}", context=context, fact_at=at, at=at
    )


def _skipped(invitation: Invitation, reason: str) -> Message:
    """The row that says why this invitation has no ask, not yet written."""
    return Message(
        store_id=invitation.store_id,
        customer=invitation.customer,
        kind=Kind.ASK,
        key=f"ask:{invitation.order_id}",
        reason=reason,
    )


def _reasons_against(
    store: Store, journey: Journey, invitations: Sequence[Invitation], rewarded: set[int], at: datetime
) -> list[str]:
    """Why each of these people is not asked; '' when they are. For those in `rewarded` (ids) a program runs."""
    since = at - timedelta(days=store.cooldown_days)
    own = tuple(f"survey:{one.order_id}" for one in invitations)  # a question does not count against its own ask
    people = {one.customer_id for one in invitations}
    resting = customers_written_since(store, people, since, except_keys=own)
    stopped = "" if journey.is_on else "switched_off"
    return [
        _reason_against(one, stopped or ("" if one.customer_id in rewarded else "paused"), resting)
        for one in invitations
    ]


def _reason_against(invitation: Invitation, stopped: str, resting: set[int]) -> str:
    order = invitation.order
    assert order is not None  # only questions about orders have a later ask
    if order.refunded_at or order.cancelled_at:
        return "refunded" if order.refunded_at else "cancelled"
    if invitation.message and invitation.message.status in NEVER_CAME:
        return "not_asked"
    return stopped or ("cooldown" if invitation.customer_id in resting else "")


def ask_context(
    store: Store, customer: Customer, link: ShareLink, product: str, *, program: Program | None = None
) -> dict[str, object]:
    """What the ask's template needs, in the customer's language; `program`, the store's, spares a look-up."""
    program = program or program_of(store)
    first = program.terms.ladder.tiers.select_related("offer").order_by("threshold", "gives").first()
    with translation.override(language_of(store, customer)):
        return {
            "product": product,
            "code": link.code,
            "friend_gets": offer_text(program.terms.friend_offer, store),
            "you_get": offer_text(first.offer, store) if first else "",
            "links": {
                "share": share_page_url(customer),
                "landing": landing_url(link),
                "unsubscribe": unsubscribe_url(store, customer),
            },
        }
