"""A friend takes the gift."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import translation

from customers.models import Customer, Order
from customers.services import Person, find_or_create_customer
from outreach.journeys import journey_of, start
from outreach.kinds import Kind
from outreach.rendering import language_of, unsubscribe_url
from referrals.models import Claim, Program, Referral, ShareLink
from referrals.services.links import landing_url
from rewards.models import Offer, Voucher
from rewards.services import telling, vouchers
from rewards.wording import offer_text
from stores.codes import spaced
from stores.models import Store


class NotForThem(Exception):
    """The person cannot take this gift; `reason` is a Referral.Reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def claim(link: ShareLink, person: Person, *, at: datetime) -> Claim:
    """Give a friend the link's gift as a voucher in their name; the same friend again gets the same.

    Raises NotForThem for the advocate's own link, for known customers and while the program is
    paused; BadEmail, BadPhone.
    """
    with transaction.atomic():
        friend = find_or_create_customer(link.store, person, at=at, source="landing page")
        known = Claim.objects.filter(store_id=link.store_id, friend=friend).select_related("voucher").first()
        if known:
            return known
        reason = reason_against(link, friend)
        if reason:
            raise NotForThem(reason)
        try:
            taken = _take(link, friend, at)
        except IntegrityError:  # the same friend's second tap was faster
            return Claim.objects.select_related("voucher").get(store_id=link.store_id, friend=friend)
        _send_gift(taken, at)
    return taken


def _take(link: ShareLink, friend: Customer, at: datetime) -> Claim:
    with transaction.atomic():
        return Claim.objects.create(
            store=link.store,
            link=link,
            friend=friend,
            voucher=gift_for(link, friend, at=at),
            at=at,
            expires_at=at + timedelta(days=link.program.claim_days),
        )


def reason_against(link: ShareLink, friend: Customer, *, than: Order | None = None) -> str:
    """Why `friend` cannot be this link's friend (buying `than`, if given); '' when they can."""
    if link.program.status != Program.Status.LIVE:
        return Referral.Reason.PAUSED
    if is_own(link, friend):
        return Referral.Reason.OWN_CODE
    return Referral.Reason.KNOWN_CUSTOMER if bought_before(friend, than=than) else ""


def is_own(link: ShareLink, friend: Customer) -> bool:
    """Whether the friend is the advocate: the same row (people are one by e-mail or phone)."""
    return friend.pk == link.customer_id


def bought_before(friend: Customer, *, than: Order | None = None) -> bool:
    """Whether an order of theirs stands, earlier than `than`."""
    orders = Order.objects.for_store(friend.store).filter(customer=friend).standing()
    if than:
        orders = orders.exclude(pk=than.pk).filter(placed_at__lte=than.placed_at)
    return orders.exists()


def gift_for(link: ShareLink, friend: Customer, *, at: datetime) -> Voucher:
    """The friend's voucher: one a person and store, whichever way they come by it."""
    return vouchers.issue(link.store, link.program.friend_offer, key=f"friend:{friend.pk}", at=at, customer=friend)


def gives_credit_later(offer: Offer) -> bool:
    """Whether the friend's gift is posted when the referral counts, not taken off the first bill."""
    return offer.kind == Offer.Kind.STORE_CREDIT


def _send_gift(taken: Claim, at: datetime) -> None:
    store: Store = taken.store
    assert taken.voucher is not None
    assert taken.voucher.offer is not None
    with translation.override(language_of(store, taken.friend)):
        gift = offer_text(taken.voucher.offer, store)
    start(
        taken.friend,
        journey_of(store, Kind.GIFT),
        key=f"gift:{taken.pk}",
        context={
            "gift": gift,
            "code": spaced(taken.voucher.code),
            "friend": taken.link.customer.short_name,
            "until": telling.last_day(store, taken.voucher),
            "links": {"landing": landing_url(taken.link), "unsubscribe": unsubscribe_url(store, taken.friend)},
        },
        fact_at=at,
        at=at,
        about=vouchers.about(taken.voucher.pk),
    )
