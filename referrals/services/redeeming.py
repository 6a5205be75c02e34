"""What a code does to a bill at the counter: quote it, redeem it, undo it.

Money rules live in rewards, who-sent-whom in referrals. Here they are joined in one transaction for
the two who ask: the counter's pages and the API.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection, transaction

from customers.models import Customer, Order
from customers.services import (
    OrderData,
    Person,
    attach_customer,
    cancel_order,
    change_total,
    find_customer,
    find_or_create_customer,
    record_order,
)
from referrals.models import Claim, Program, Referral, ShareLink
from referrals.services import attribution, claims, deciding, ordinary
from referrals.services.attribution import Foreseen
from referrals.services.links import find_link, order_link, share_link_of
from referrals.services.programs import program_for
from referrals.services.promising import has_room
from rewards.models import Offer, Redemption, Terms, Voucher
from rewards.rules import Reason
from rewards.services import ledger, reducing, vouchers
from rewards.services.budgets import Exhausted
from rewards.services.vouchers import Bill, NotRedeemable
from stores import codes
from stores.models import AuditEvent, Location, Store, User
from stores.tenancy import StoreQuerySet

SOURCE = "checkout"  # of orders that the counter records itself


class Kind(StrEnum):
    """What a code turned out to be; NONE when it is nothing here."""

    NONE = ""
    VOUCHER = "voucher"
    SHARE_CODE = "share_code"
    CREDIT = "credit"


# Why somebody is not this advocate's friend, in the API's words.
REASONS: dict[str, str] = {
    Referral.Reason.PAUSED: Reason.PAUSED,
    Referral.Reason.OWN_CODE: Reason.OWN_CODE,
    Referral.Reason.KNOWN_CUSTOMER: Reason.NOT_NEW_CUSTOMER,
    Referral.Reason.BLOCKED: Reason.BLOCKED,
}


@dataclass(frozen=True)
class Quote:
    """What a code would do to a bill; `reason` (a rewards.rules.Reason) is '' when it may be used."""

    bill: Bill
    kind: Kind = Kind.NONE
    reason: str = Reason.UNKNOWN
    discount_minor: int = 0
    voucher: Voucher | None = None  # None for a share code whose friend has no gift yet
    link: ShareLink | None = None  # whose code it is, or whose gift
    terms: Terms | None = None  # of a gift that would be made now
    foreseen: Foreseen | None = None  # who would be credited, where the buyer is known

    @property
    def sent_by(self) -> ShareLink | None:
        """The link of who would be credited: not whose code it is, where the buyer is somebody else's friend."""
        return self.foreseen.link if self.foreseen else self.link

    @property
    def payable_minor(self) -> int:
        """What is left to pay."""
        return self.bill.amount_minor - self.discount_minor

    @property
    def offer(self) -> Offer | None:
        """The promise behind the code; None for store credit."""
        if self.voucher:
            return self.voucher.offer
        return self.terms.friend_offer if self.terms else None

    @property
    def expires_at(self) -> datetime | None:
        """When the voucher ends; a share code has no end of its own."""
        return self.voucher.expires_at if self.voucher else None


@dataclass(frozen=True)
class OrderRef:
    """The order at the shop's own till that the redemption belongs to."""

    source: str
    external_id: str


@dataclass(frozen=True)
class Redeemed:
    """What came of redeeming a code; `referral` is None when nobody sent the buyer."""

    redemption: Redemption
    referral: Referral | None


class Changed(Exception):
    """The discount is no longer the one that was shown; `quote` is how it stands."""

    def __init__(self, quote: Quote) -> None:
        super().__init__()
        self.quote = quote


class TooLate(Exception):
    """The ten minutes in which the counter may undo are over."""


def quote(
    store: Store,
    typed_code: str,
    bill: Bill,
    *,
    at: datetime,
    person: Person | None = None,
    location: str = "",
    order_ref: OrderRef | None = None,
) -> Quote:
    """What a typed or scanned code would do to the bill at `at` (aware UTC); changes nothing.

    `person` is who pays, when known: then it also says whether they are new here. `location` is a
    location's code; `order_ref` an order on whose bill other codes may be. Raises BadEmail, BadPhone.
    """
    found = _look_up(store, typed_code, at)
    friend = find_customer(store, person) if person else None
    order = _order_of(store, order_ref).first() if order_ref else None
    offered = _judge(found, _with_place(store, bill, friend, location), friend, order, at)
    if offered.link and not offered.reason:
        offered = replace(offered, foreseen=_foresee(offered, friend, order, typed_code, at))
    if offered.voucher and not offered.reason:
        reason = vouchers.stacking_reason(offered.voucher, offered.bill, order)
        return replace(offered, reason=reason, discount_minor=0 if reason else offered.discount_minor)
    return offered


def _foresee(
    offered: Quote, friend: Customer | None, order: Order | None, typed_code: str, at: datetime
) -> Foreseen | None:
    """Who would be credited if the code were used now; None where nothing is known of the buyer."""
    link, buyer = offered.link, friend or (offered.voucher.customer if offered.voucher else None)
    if link is None or buyer is None:
        return None
    currency = offered.bill.currency
    sale = copy(order) if order else Order(store=link.store, currency=currency, placed_at=at, updated_at=at)
    sale.customer, sale.code = sale.customer or buyer, codes.normalise(typed_code)
    return attribution.foresee(sale, link, voucher=offered.voucher)


def _with_place(store: Store, bill: Bill, bearer: Customer | None, location: str) -> Bill:
    place = Location.objects.for_store(store).filter(code=location).first() if location else None
    return replace(bill, location_id=place.pk if place else None, bearer_id=bearer.pk if bearer else None)


def _look_up(store: Store, typed_code: str, at: datetime) -> Voucher | ShareLink | None:
    code = codes.normalise(typed_code)
    return vouchers.find(store, code) or find_link(store, code, at=at)


def _judge(
    found: Voucher | ShareLink | None, bill: Bill, friend: Customer | None, order: Order | None, at: datetime
) -> Quote:
    if isinstance(found, Voucher):
        return _judge_voucher(found, bill, friend, order, at)
    return _judge_link(found, bill, friend, order, at) if found else Quote(bill)


def _judge_voucher(voucher: Voucher, bill: Bill, friend: Customer | None, order: Order | None, at: datetime) -> Quote:
    offered = vouchers.quote(voucher, bill, at=at)
    kind = Kind.CREDIT if Voucher.Kind(voucher.kind).is_purse else Kind.VOUCHER
    claim = _claim_of(voucher)
    reason = offered.reason
    if claim and friend and friend.pk != voucher.customer_id and not reason:
        reason = _against_bearer(claim, friend, order)
    link = claim.link if claim else None
    return Quote(bill, kind, reason, 0 if reason else offered.discount_minor, voucher, link)


def _claim_of(voucher: Voucher) -> Claim | None:
    """The claim that a friend's gift came by."""
    if not voucher.key.startswith("friend:"):
        return None
    taken = Claim.objects.for_store(voucher.store).filter(voucher=voucher)
    return taken.select_related("link__customer__store", "link__store", "terms").first()  # type: ignore[no-any-return]


def _judge_link(link: ShareLink, bill: Bill, friend: Customer | None, order: Order | None, at: datetime) -> Quote:
    """A share code gives the friend's gift: the one they hold already, or a new one."""
    program, gift = program_for(link.customer, at), _gift_of(link, friend)
    reason = _against(link, program, friend, order)
    if gift and reason == Reason.NOT_NEW_CUSTOMER:
        reason = ""  # they were new when they took it
    if program is None and gift is None:
        return Quote(bill, Kind.SHARE_CODE, reason, link=link)
    terms = program.terms if program else None
    if terms and not gift and not has_room(terms):
        reason = reason or Reason.PAUSED
    offered = vouchers.quote(gift or _gift_to_be(terms), bill, at=at)  # type: ignore[arg-type]  # one of the two is there
    reason = reason or offered.reason
    return Quote(bill, Kind.SHARE_CODE, reason, 0 if reason else offered.discount_minor, gift, link, terms)


def _gift_of(link: ShareLink, friend: Customer | None) -> Voucher | None:
    if friend is None:
        return None
    held = Voucher.objects.for_store(link.store).select_related("offer", "customer", "store")
    return held.filter(key=f"friend:{friend.pk}").first()


def _gift_to_be(terms: Terms) -> Voucher:
    """The voucher a friend would get, not stored."""
    return Voucher(store=terms.store, offer=terms.friend_offer, currency=terms.friend_offer.currency)


def _against(link: ShareLink, program: Program | None, friend: Customer | None, order: Order | None) -> str:
    """Why the buyer is not this link's friend, in the API's words; '' when they are, or are not known."""
    if claims.is_blocked(link, friend):
        reason: str = Referral.Reason.BLOCKED
    elif friend:
        reason = claims.reason_against(link, friend, program, than=order)
    else:
        reason = "" if program else Referral.Reason.PAUSED
    return REASONS[reason] if reason else ""


def _against_bearer(claim: Claim, buyer: Customer, order: Order | None) -> str:
    """Why somebody else may not use a friend's voucher; a program paused since does not matter."""
    if claims.is_own(claim.link, buyer):
        return Reason.OWN_CODE
    return Reason.NOT_NEW_CUSTOMER if claims.is_known(claim.terms, buyer, than=order) else ""


def redeem(
    store: Store,
    typed_code: str,
    bill: Bill,
    *,
    at: datetime,
    person: Person | None = None,
    order_ref: OrderRef | None = None,
    by: User | None = None,
    location: str = "",
    public_id: str = "",
    shown_minor: int | None = None,
    named: str = "",
) -> Redeemed:
    """Use a code on a bill: the redemption, its order and its referral, in one transaction.

    The order is the one `order_ref` names, or a new one; without a reference the counter records it
    under the redemption's own id. `location` is a location's code, `public_id` names the redemption
    beforehand, `shown_minor` is the discount the buyer was shown (None: none was). `named` is the name
    by which staff found the code's advocate, where the buyer had no code.
    Raises NotRedeemable, Changed, BadEmail, BadPhone; then nothing has changed.
    """
    public_id = public_id or codes.public_id()
    if not (person or order_ref or named):
        used = ordinary.redeem(
            store,
            typed_code,
            bill,
            at=at,
            source=SOURCE,
            public_id=public_id,
            location=location,
            shown_minor=shown_minor,
            by=by,
        )
        if used:
            return Redeemed(used, None)
    with transaction.atomic():
        order = _known_order(store, order_ref)
        friend = order.customer if order else None
        if person:
            friend = find_or_create_customer(store, person, at=at, source=SOURCE)
        found = _look_up(store, typed_code, at)
        _hold_purse(found)
        bill = _with_place(store, bill, friend, location)
        offered = _judge(found, bill, friend, order, at)
        if offered.reason:
            raise NotRedeemable(offered.reason)
        if shown_minor is not None and shown_minor != offered.discount_minor:
            raise Changed(offered)
        voucher = offered.voucher or _new_gift(offered, friend, public_id, at)
        if order is None or order.source == SOURCE:  # the counter's own bill gets smaller with each code
            given = "" if named else typed_code
            order = _record_order(store, order_ref, offered, given, location, public_id, at, named=named)
        buyer = friend or voucher.customer
        if buyer and order.customer_id is None:
            attach_customer(order, buyer, at=at)
        redemption = vouchers.redeem(
            voucher, bill, at=at, order=order, by=by, location=order.location, public_id=public_id
        )
        link = offered.link if offered.kind is Kind.SHARE_CODE else None
        referral = attribution.attribute_order(order, at=at, link=link, named=bool(named))
        if referral and referral.reason == Referral.Reason.FULL and offered.voucher is None:
            raise NotRedeemable(Reason.PAUSED)  # the last place went to somebody else just now
        _note_own_code(redemption, offered, by, at)
    return Redeemed(redemption, referral)


def _known_order(store: Store, ref: OrderRef | None) -> Order | None:
    if ref is None:
        return None
    return _order_of(store, ref).select_for_update(of=("self",)).first()  # type: ignore[no-any-return]


def _order_of(store: Store, ref: OrderRef) -> StoreQuerySet:
    orders: StoreQuerySet = Order.objects.for_store(store).select_related("customer__store", "location", "store")
    return orders.filter(source=ref.source, external_id=ref.external_id)


def _hold_purse(found: Voucher | ShareLink | None) -> None:
    """Hold the purse before its balance decides the discount, so that the order's total is right."""
    purse = vouchers.purse_of(found) if isinstance(found, Voucher) else None
    if purse:
        ledger.held(purse)


def _new_gift(offered: Quote, friend: Customer | None, public_id: str, at: datetime) -> Voucher:
    """The friend's gift: one a known person; a fresh one each time a stranger says the code."""
    assert offered.terms is not None
    try:
        return claims.gift_for(offered.terms, friend, at=at, key=f"spoken:{public_id}")
    except Exhausted as error:
        raise NotRedeemable(Reason.PAUSED) from error


def _record_order(
    store: Store,
    ref: OrderRef | None,
    offered: Quote,
    code: str,
    location: str,
    public_id: str,
    at: datetime,
    *,
    named: str,
) -> Order:
    data = OrderData(
        source=ref.source if ref else SOURCE,
        external_id=ref.external_id if ref else public_id,
        currency=offered.bill.currency,
        total_minor=offered.payable_minor,
        placed_at=at,
        code=code,
        named=named,
        location=location,
    )
    return record_order(store, data, at=at)[0]


def _note_own_code(redemption: Redemption, offered: Quote, by: User | None, at: datetime) -> None:
    """Staff may use a code of their own like anybody; the owner can see it in the history."""
    holder = offered.voucher.customer if offered.voucher else None
    names = {one.email_norm for one in (holder, offered.link and offered.link.customer) if one}
    if by and by.email.lower() in names:
        AuditEvent.objects.create(
            store=redemption.store, at=at, user=by, action="checkout.own_code", subject=redemption.public_id
        )


def redemption_named(store: Store, public_id: str, *, waiting: bool = False) -> Redemption | None:
    """The redemption with that id. `waiting`: first wait for a twin that is making it right now."""
    if waiting:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 20261123))", [f"{store.pk}:{public_id}"])
    rows = Redemption.objects.for_store(store).select_related(
        "voucher__offer", "voucher__customer", "order__customer", "transaction", "store", "by", "location"
    )
    return rows.filter(public_id=public_id).first()


def last_use(offered: Quote) -> datetime | None:
    """When the quote's voucher was last redeemed."""
    if offered.voucher is None:
        return None
    live = Redemption.objects.for_store(offered.voucher.store).filter(voucher=offered.voucher, reversed_at=None)
    newest = live.order_by("-at").first()
    return newest.at if newest else None


def referral_of(redemption: Redemption) -> Referral | None:
    """The referral of the order that the redemption belongs to."""
    mine = Referral.objects.for_store(redemption.store).filter(order=redemption.order_id).in_force()
    return mine.select_related("advocate", "program", "order", "store").first()


def reverse(redemption: Redemption, *, at: datetime, by: User | None = None) -> Redemption:
    """Undo a redemption: the books, the voucher, and the order and referral if they stand for it alone.

    An order that the shop's own till reported stays: the till says what became of it.
    Raises AlreadyReversed.
    """
    with transaction.atomic():
        undone = vouchers.reverse(redemption, at=at, by=by)
        reducing.undo_use(undone, at=at)
        if undone.voucher.key.startswith("spoken:"):
            vouchers.void(undone.voucher, at=at)  # nobody knows its code; the share code gives a new one
        order = undone.order
        if order and order.source == SOURCE:
            if _others_on(undone).exists():
                change_total(order, order.total_minor + undone.discount_minor, at=at)
            else:
                _forget_sale(undone, order, by, at)
    return undone


def _others_on(redemption: Redemption) -> StoreQuerySet:
    """Other codes that stand on the same bill."""
    live = Redemption.objects.for_store(redemption.store).filter(order=redemption.order_id, reversed_at=None)
    others: StoreQuerySet = live.exclude(pk=redemption.pk)
    return others


def _forget_sale(redemption: Redemption, order: Order, by: User | None, at: datetime) -> None:
    cancel_order(order, at=at)
    referral = referral_of(redemption)
    if referral:
        deciding.void_referral(referral, reason=Referral.Reason.UNDONE, at=at, by=by)


def undo(redemption: Redemption, *, at: datetime, by: User) -> Redemption:
    """`reverse`, as the counter may: within ten minutes. Raises TooLate, AlreadyReversed."""
    if redemption.reversed_at is None and at > redemption.at + vouchers.UNDO_WINDOW:
        raise TooLate(redemption.public_id)
    return reverse(redemption, at=at, by=by)


def receipt_link(order: Order, *, at: datetime) -> ShareLink:
    """The share link printed on an order's receipt or parcel: of its own, so that print is told apart.

    A guest's belongs to a nameless customer whose external_id names the order. It is not made the
    order's buyer, so that the till may still tell who bought. It ends with the program's days to claim.
    """
    known = ShareLink.objects.for_store(order.store).filter(order=order).select_related("customer__store", "store")
    if known.exists():
        return known.get()
    from_guest = Person(external_id=f"guest:{order.public_id}")
    customer = order.customer or find_or_create_customer(order.store, from_guest, at=at, source="receipt")
    program = program_for(customer, at)
    ends = at + timedelta(days=program.terms.claim_days) if program else None
    share_link_of(customer, at=at)
    return order_link(order, customer, at=at, expires_at=ends)
