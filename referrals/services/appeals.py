"""A customer says that a friend is missing, or that a decision is wrong; a person answers.

The only writer of Appeal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from customers.models import Customer, Order
from referrals.models import Appeal, Referral, ShareLink
from referrals.services import attribution, deciding
from referrals.services.links import share_link_of
from stores.models import AuditEvent, User

MOST_OPEN = 5  # friends of one customer that may be looked for at a time
MOST_IN_PERIOD = 20
PERIOD = timedelta(days=90)


class TooMany(Exception):
    """This customer has said so often already that a friend is missing."""


class NotDecided(Exception):
    """Nothing was decided against this referral."""


class Decided(Exception):
    """The appeal has its answer already."""


class NotCredited(Exception):
    """The order cannot be credited; `reason` as `attribution.CannotCredit` says."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Missing:
    """What a customer knows of a friend who is missing; something of it is given."""

    friend_name: str = ""
    friend_contact: str = ""
    order_number: str = ""
    words: str = ""


def say_missing(customer: Customer, told: Missing, *, at: datetime) -> Appeal:
    """Ask the store to look for a friend; the same again while it is open is the same appeal. Raises TooMany."""
    with transaction.atomic():
        # Held, so that two taps at once make one.
        Customer.objects.select_for_update().get(pk=customer.pk, store_id=customer.store_id)
        mine = Appeal.objects.for_store(customer.store).filter(customer=customer, kind=Appeal.Kind.MISSING)
        waiting = list(mine.filter(status=Appeal.Status.OPEN))
        same = next((one for one in waiting if _told(one) == told), None)
        if same:
            return same
        if len(waiting) >= MOST_OPEN or mine.filter(at__gt=at - PERIOD).count() >= MOST_IN_PERIOD:
            raise TooMany(customer.public_id)
        return Appeal.objects.create(
            store=customer.store,
            kind=Appeal.Kind.MISSING,
            customer=customer,
            friend_name=told.friend_name,
            friend_contact=told.friend_contact,
            order_number=told.order_number,
            words=told.words,
            at=at,
        )


def _told(appeal: Appeal) -> Missing:
    return Missing(appeal.friend_name, appeal.friend_contact, appeal.order_number, appeal.words)


def contest(referral: Referral, words: str, *, at: datetime) -> Appeal:
    """Speak against a referral that does not count: once; a second time is the first one. Raises NotDecided."""
    known = _against(referral)
    if known:
        return known
    if referral.status != Referral.Status.VOIDED:
        raise NotDecided(referral.public_id)
    try:
        with transaction.atomic():
            return Appeal.objects.create(
                store=referral.store,
                kind=Appeal.Kind.DECISION,
                customer=referral.advocate,
                referral=referral,
                words=words,
                at=at,
            )
    except IntegrityError:  # the second tap was faster
        return Appeal.objects.for_store(referral.store).get(referral=referral, kind=Appeal.Kind.DECISION)


def _against(referral: Referral) -> Appeal | None:
    rows = Appeal.objects.for_store(referral.store).filter(referral=referral, kind=Appeal.Kind.DECISION)
    found: Appeal | None = rows.first()
    return found


def accept(appeal: Appeal, order: Order, answer: str, *, by: User, at: datetime) -> Referral:
    """Credit the order to whoever appealed, by the store's word, and close the appeal.

    It waits out its return time; what is past it counts at once. Raises Decided, NotCredited; then
    nothing has changed.
    """
    with transaction.atomic():
        _close(appeal, Appeal.Status.ACCEPTED, answer, by=by, at=at)
        try:
            referral = attribution.credit_by_hand(order, _link(appeal, at), by=by, reason=_why(appeal), at=at)
        except attribution.CannotCredit as error:
            raise NotCredited(error.reason) from error
        whole = Referral.objects.for_store(appeal.store).select_related(*deciding.JOINED).get(pk=referral.pk)
        if whole.status == Referral.Status.PENDING and whole.hold_until <= at:
            deciding.approve_referral(whole, at=at, by=by)
    return whole


def _link(appeal: Appeal, at: datetime) -> ShareLink:
    return appeal.referral.link if appeal.referral else share_link_of(appeal.customer, at=at)


def _why(appeal: Appeal) -> str:
    return f"appeal {appeal.public_id}"


def decline(appeal: Appeal, answer: str, *, by: User, at: datetime) -> None:
    """Say no, with an answer that the customer reads. Raises Decided."""
    with transaction.atomic():
        _close(appeal, Appeal.Status.DECLINED, answer, by=by, at=at)


def _close(appeal: Appeal, to: Appeal.Status, answer: str, *, by: User, at: datetime) -> None:
    """The guarded step, with its line in the history."""
    sources = [source for source, targets in Appeal.MOVES.items() if to in targets]
    rows = Appeal.objects.filter(pk=appeal.pk, store_id=appeal.store_id, status__in=sources)
    if not rows.update(status=to, answer=answer, decided_at=at, by=by):
        raise Decided(appeal.public_id)
    before = {"status": appeal.status}
    appeal.status, appeal.answer, appeal.decided_at, appeal.by = to, answer, at, by
    AuditEvent.objects.create(
        store=appeal.store,
        at=at,
        user=by,
        action="appeal.decided",
        subject=appeal.public_id,
        before=before,
        after={"status": to},
    )
