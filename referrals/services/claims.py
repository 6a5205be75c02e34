"""A friend takes the gift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone, translation

from customers.models import Customer, Order
from customers.services import Person, find_or_create_customer
from outreach.journeys import journey_of, start
from outreach.kinds import Kind
from outreach.rendering import language_of, unsubscribe_url
from referrals.fraud import blocks
from referrals.models import Claim, Program, Referral, ShareLink
from referrals.services.devices import note_device
from referrals.services.links import landing_url
from referrals.services.programs import program_for
from referrals.services.promising import promise_advocate
from rewards.models import Redemption, Terms, Voucher
from rewards.services import budgets, granting, telling, vouchers
from rewards.wording import offer_text
from stores.codes import spaced
from stores.models import Store


class NotForThem(Exception):
    """The person cannot take this gift; `reason` is a Referral.Reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Trace:
    """What the friend's browser tells, as keyed hashes: its cookie, its network's address."""

    device: str = ""
    address: str = ""


def claim(link: ShareLink, person: Person, *, at: datetime, trace: Trace | None = None) -> Claim:
    """Give a friend the link's gift as a voucher in their name; the same friend again gets the same.

    Raises NotForThem for the advocate's own link, for known customers, when either is blocked, while no
    program runs and when its budget or places are used up; BadEmail, BadPhone.
    """
    trace = trace or Trace()
    with transaction.atomic():
        friend = find_or_create_customer(link.store, person, at=at, source="landing page")
        if not is_blocked(link, friend, device=trace.device):
            return _claim(link, friend, trace, at)
        note_device(friend, trace.device, at=at)  # it is known as theirs when they come with the code alone
    raise NotForThem(Referral.Reason.BLOCKED)


def _claim(link: ShareLink, friend: Customer, trace: Trace, at: datetime) -> Claim:
    known = Claim.objects.filter(store_id=link.store_id, friend=friend).select_related("voucher").first()
    if known:
        return known
    program = program_for(link.customer, at)
    reason = reason_against(link, friend, program)
    if reason or program is None:
        raise NotForThem(reason)
    try:
        taken = _take(link, friend, program, trace, at)
    except budgets.Exhausted as error:
        raise NotForThem(Referral.Reason.FULL) from error
    except IntegrityError:  # the same friend's second tap was faster
        return Claim.objects.select_related("voucher").get(store_id=link.store_id, friend=friend)
    _send_gift(taken, at)
    return taken


def _take(link: ShareLink, friend: Customer, program: Program, trace: Trace, at: datetime) -> Claim:
    terms = program.terms
    with transaction.atomic():
        return Claim.objects.create(
            store=link.store,
            link=link,
            friend=friend,
            program=program,
            terms=terms,
            promise=promise_advocate(link.store, terms, key=f"claim:{friend.pk}", at=at),
            voucher=gift_for(terms, friend, at=at),
            device=trace.device,
            address=trace.address,
            at=at,
            expires_at=at + timedelta(days=terms.claim_days),
        )


def reason_against(link: ShareLink, friend: Customer, program: Program | None, *, than: Order | None = None) -> str:
    """Why `friend` cannot be this link's friend (buying `than`, if given); '' when they can."""
    if program is None:
        return Referral.Reason.PAUSED
    if is_own(link, friend):
        return Referral.Reason.OWN_CODE
    return Referral.Reason.KNOWN_CUSTOMER if is_known(program.terms, friend, than=than) else ""


def is_blocked(link: ShareLink, friend: Customer | None = None, *, device: str = "") -> bool:
    """Whether the store has blocked the link's advocate, or the friend: their referrals do not count."""
    people = [link.customer, friend] if friend else [link.customer]
    return blocks.is_blocked(link.store, people, device=device)


def is_own(link: ShareLink, friend: Customer) -> bool:
    """Whether the friend is the advocate: the same row (people are one by e-mail or phone)."""
    return friend.pk == link.customer_id


def bought_before(friend: Customer, *, than: Order | None = None, look_back_days: int | None = None) -> bool:
    """Whether an order of theirs stands, earlier than `than`; of those in so many days before it, if given."""
    orders = Order.objects.for_store(friend.store).filter(customer=friend).standing()
    if than:
        orders = orders.exclude(pk=than.pk).filter(placed_at__lte=than.placed_at)
    if look_back_days is not None:
        until = than.placed_at if than else timezone.now()
        orders = orders.filter(placed_at__gte=until - timedelta(days=look_back_days))
    return orders.exists()


def is_known(terms: Terms, friend: Customer, *, than: Order | None = None) -> bool:
    """Whether the friend is no new customer, as the terms count it."""
    return terms.new_only and bought_before(friend, than=than, look_back_days=terms.look_back_days)


def gift_for(terms: Terms, friend: Customer | None, *, at: datetime, key: str = "") -> Voucher:
    """The friend's voucher: one a person and store, whichever way they come by it; `key` for one without a name.

    Raises budgets.Exhausted.
    """
    offer = terms.friend_offer
    return vouchers.issue(
        terms.store,
        offer,
        key=f"friend:{friend.pk}" if friend else key,
        at=at,
        customer=friend,
        budget=terms.budget,
        promised_minor=0 if vouchers.is_given_later(offer) else granting.worth(offer, terms),
    )


def gift_was_given(referral: Referral) -> bool:
    """Whether the friend already has their side: used with this order, or waiting as their voucher."""
    if Redemption.objects.filter(store_id=referral.store_id, order=referral.order_id, reversed_at=None).exists():
        return True
    return Voucher.objects.filter(store_id=referral.store_id, key=f"friend:{referral.friend_id}").exists()


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
