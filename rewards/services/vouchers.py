"""Vouchers: issue, quote, redeem, undo, expire. The only writer of Voucher.status and Redemption."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from customers.models import Customer, Order
from outreach.services import cancel_about, cancel_all_about
from rewards import rules
from rewards.models import Account, Offer, Redemption, Reward, Voucher
from rewards.services import ledger
from stores import codes
from stores.models import Location, Store, User

UNDO_WINDOW = timedelta(minutes=10)  # at the counter; the API may undo later


@dataclass(frozen=True)
class Bill:
    """What the customer is about to pay, before discount, in minor units."""

    amount_minor: int
    currency: str


@dataclass(frozen=True)
class Quote:
    """What a code would do to a bill; `reason` (a `rules.Reason`) is '' when it may be used."""

    voucher: Voucher
    discount_minor: int
    reason: str = ""


def voucher_of(reward: Reward) -> Voucher | None:
    """The code by which a reward is used: its own, or that of the person's store credit."""
    held = Voucher.objects.for_store(reward.store)
    if reward.offer.kind == Offer.Kind.STORE_CREDIT:
        purse = held.filter(kind=Voucher.Kind.CREDIT, customer=reward.customer_id, currency=reward.offer.currency)
        return purse.first()
    return held.filter(reward=reward).first()


class NotRedeemable(Exception):
    """The code cannot be used on this bill; `reason` is one of `rules.Reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AlreadyReversed(Exception):
    """This redemption was undone before."""


def promise_of(offer: Offer) -> rules.Promise:
    """The offer as the rules see it."""
    return rules.Promise(offer.percent, offer.amount_minor, offer.minimum_minor)


def issue(
    store: Store,
    offer: Offer,
    *,
    key: str,
    at: datetime,
    customer: Customer | None = None,
    reward: Reward | None = None,
) -> Voucher:
    """A voucher for one use of the offer; once for `key`, the fact it is issued for."""
    return Voucher.objects.get_or_create(
        store=store,
        key=key,
        defaults={
            "code": codes.voucher_code(),
            "offer": offer,
            "customer": customer,
            "reward": reward,
            "currency": offer.currency,
            "issued_at": at,
            "expires_at": at + timedelta(days=offer.valid_days),
        },
    )[0]


def credit_voucher(store: Store, customer: Customer, currency: str, *, at: datetime) -> Voucher:
    """The code by which a person spends their store credit; one a person and currency, no end."""
    return Voucher.objects.get_or_create(
        store=store,
        key=f"credit:{customer.pk}:{currency}",
        defaults={
            "code": codes.voucher_code(),
            "kind": Voucher.Kind.CREDIT,
            "customer": customer,
            "currency": currency,
            "issued_at": at,
        },
    )[0]


def find(store: Store, code: str) -> Voucher | None:
    """The voucher of a normalised code."""
    if not codes.has_good_check(code):
        return None
    return Voucher.objects.for_store(store).select_related("offer", "customer").filter(code=code).first()


def quote(voucher: Voucher, bill: Bill, *, at: datetime) -> Quote:
    """What the voucher would take off the bill at `at`; changes nothing."""
    reason = rules.refusal(
        status=voucher.status,
        expires_at=voucher.expires_at,
        currency=voucher.currency,
        bill_currency=bill.currency,
        bill_minor=bill.amount_minor,
        minimum_minor=voucher.offer.minimum_minor if voucher.offer else 0,
        at=at,
    )
    if reason:
        return Quote(voucher, 0, reason)
    if voucher.kind == Voucher.Kind.CREDIT:
        assert voucher.customer is not None
        value = min(ledger.credit_balance(voucher.store, voucher.customer, bill.currency), bill.amount_minor)
    else:
        assert voucher.offer is not None
        # A gift of store credit takes nothing off today; it is posted when the referral counts.
        later = voucher.offer.kind == Offer.Kind.STORE_CREDIT
        value = 0 if later else rules.discount(promise_of(voucher.offer), bill.amount_minor)
    spent = voucher.kind == Voucher.Kind.CREDIT and value == 0
    return Quote(voucher, value, rules.Reason.USED if spent else "")


def redeem(
    voucher: Voucher,
    bill: Bill,
    *,
    at: datetime,
    order: Order | None = None,
    by: User | None = None,
    location: Location | None = None,
    public_id: str = "",
) -> Redemption:
    """Use the voucher on the bill, in one transaction with its ledger entries.

    An offer's voucher is claimed by a guarded UPDATE: of racing callers exactly one gets it; a
    partial unique index stands below. `public_id` names the redemption beforehand, for callers that
    may repeat themselves. Raises NotRedeemable, and then nothing has changed.
    """
    with transaction.atomic():
        if voucher.kind == Voucher.Kind.CREDIT:
            assert voucher.customer is not None
            purse = ledger.locked(
                ledger.account(voucher.store, Account.Kind.CREDIT, voucher.currency, voucher.customer)
            )
        else:
            purse = ledger.account(voucher.store, Account.Kind.COST, voucher.currency)
            _claim(voucher, at)
        offered = quote(voucher, bill, at=at)
        if offered.reason:
            raise NotRedeemable(offered.reason)
        return _record(
            voucher,
            bill,
            offered.discount_minor,
            purse,
            at=at,
            order=order,
            by=by,
            location=location,
            public_id=public_id or codes.public_id(),
        )


def _claim(voucher: Voucher, at: datetime) -> None:
    """Lock the row and read what it says now, so that a twin that came first is seen."""
    fresh = Voucher.objects.select_for_update(of=("self",)).get(pk=voucher.pk, store_id=voucher.store_id)
    voucher.status, voucher.expires_at = fresh.status, fresh.expires_at


def _record(
    voucher: Voucher,
    bill: Bill,
    discount_minor: int,
    purse: Account,
    *,
    at: datetime,
    order: Order | None,
    by: User | None,
    location: Location | None,
    public_id: str,
) -> Redemption:
    single_use = voucher.kind == Voucher.Kind.OFFER
    if single_use:
        taken = Voucher.objects.filter(pk=voucher.pk, store_id=voucher.store_id, status=Voucher.Status.ISSUED).update(
            status=Voucher.Status.REDEEMED
        )
        if not taken:
            raise NotRedeemable(rules.Reason.USED)
        voucher.status = Voucher.Status.REDEEMED
        cancel_about(voucher.store, about(voucher.pk), reason="used", at=at)
    posted = None
    if discount_minor:
        used = ledger.account(voucher.store, Account.Kind.REDEEMED, voucher.currency)
        posted = ledger.post(
            voucher.store,
            key=f"redeem:{public_id}",
            kind="redeem",
            amounts={purse: -discount_minor, used: discount_minor},
            at=at,
        )
    return Redemption.objects.create(
        store=voucher.store,
        public_id=public_id,
        voucher=voucher,
        single_use=single_use,
        order=order,
        amount_minor=bill.amount_minor,
        discount_minor=discount_minor,
        currency=bill.currency,
        transaction=posted,
        at=at,
        by=by,
        location=location,
    )


def reverse(redemption: Redemption, *, at: datetime, by: User | None = None) -> Redemption:
    """Undo a redemption: the opposite entries, and the voucher may be used again.

    Raises AlreadyReversed the second time. What has expired meanwhile stays expired.
    """
    with transaction.atomic():
        moved = Redemption.objects.filter(pk=redemption.pk, store_id=redemption.store_id, reversed_at=None).update(
            reversed_at=at, reversed_by=by
        )
        if not moved:
            raise AlreadyReversed(redemption.public_id)
        if redemption.transaction:
            ledger.reverse(redemption.store, redemption.transaction, key=f"reverse:{redemption.public_id}", at=at)
        Voucher.objects.filter(
            pk=redemption.voucher_id, store_id=redemption.store_id, status=Voucher.Status.REDEEMED
        ).update(status=Voucher.Status.ISSUED)
        redemption.refresh_from_db()
    return redemption


def void(voucher: Voucher, *, at: datetime) -> bool:
    """Take an unused voucher back; False when it was used, expired or taken back before."""
    moved = Voucher.objects.filter(pk=voucher.pk, store_id=voucher.store_id, status=Voucher.Status.ISSUED).update(
        status=Voucher.Status.VOIDED
    )
    if moved:
        cancel_about(voucher.store, about(voucher.pk), reason="voided", at=at)
    return bool(moved)


def expire_due(store: Store, at: datetime) -> int:
    """Mark vouchers past their end; `quote` refuses them from that moment anyway."""
    issued = Voucher.objects.for_store(store).filter(status=Voucher.Status.ISSUED)
    due = list(issued.filter(expires_at__lte=at).values_list("pk", flat=True))
    if not due:
        return 0
    cancel_all_about(store, [about(pk) for pk in due], reason="expired", at=at)
    return issued.filter(pk__in=due).update(status=Voucher.Status.EXPIRED)


def about(pk: int) -> str:
    """What a message about this voucher says it is about: once the voucher ends it is pointless."""
    return f"voucher:{pk}"
