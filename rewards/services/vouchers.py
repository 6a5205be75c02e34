"""Vouchers: issue, quote, redeem, undo, expire. The only writer of Voucher.status and Redemption."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F

from customers.models import Customer, Order
from outreach.services import cancel_about, cancel_all_about
from rewards import rules
from rewards.models import (
    Account,
    Budget,
    Commitment,
    LedgerTransaction,
    Offer,
    Redemption,
    Reward,
    RewardSettings,
    Voucher,
)
from rewards.services import budgets, ledger, pools
from stores import codes
from stores.models import Location, Store, User

UNDO_WINDOW = timedelta(minutes=10)  # at the counter; the API may undo later


@dataclass(frozen=True)
class Bill:
    """What the customer is about to pay, before discount, in minor units; who pays and where, as far as known."""

    amount_minor: int
    currency: str
    location_id: int | None = None
    bearer_id: int | None = None  # the customer who pays
    is_reduced: bool = False  # another discount of the shop is in it


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
    return rules.Promise(offer.percent, offer.amount_minor, offer.minimum_minor, offer.most_minor)


def issue(
    store: Store,
    offer: Offer,
    *,
    key: str,
    at: datetime,
    customer: Customer | None = None,
    reward: Reward | None = None,
    budget: Budget | None = None,
    promised_minor: int = 0,
    places: int = 0,
) -> Voucher:
    """A voucher for the offer; once for `key`, the fact it is issued for, which also names its commitment.

    `promised_minor` is what it may come to; that, and the `places`, are taken of the budget. Raises
    budgets.Exhausted, and then there is no voucher.
    """
    known = Voucher.objects.filter(store=store, key=key).first()
    if known:
        return known
    try:
        with transaction.atomic():
            return _issue(store, offer, key, at, customer, reward, budget, promised_minor, places)
    except IntegrityError:  # a twin was faster
        return Voucher.objects.get(store=store, key=key)


def _issue(
    store: Store,
    offer: Offer,
    key: str,
    at: datetime,
    customer: Customer | None,
    reward: Reward | None,
    budget: Budget | None,
    promised_minor: int,
    places: int,
) -> Voucher:
    """A code from a pool that waits for such rewards, else a new one; and its promise."""
    voucher = pools.take(store, offer, key=key, customer=customer, reward=reward, at=at)
    if voucher is None:
        voucher = Voucher.objects.create(
            store=store,
            key=key,
            code=codes.voucher_code(),
            kind=Voucher.Kind.GIFT if reward and offer.kind == Offer.Kind.GIFT_CARD else Voucher.Kind.OFFER,
            offer=offer,
            customer=customer,
            reward=reward,
            currency=offer.currency,
            is_personal=offer.is_personal and customer is not None,
            location_id=offer.location_id,
            issued_at=at,
            expires_at=at + timedelta(days=offer.valid_days),
        )
    budgets.commit(
        store,
        budget,
        key=commitment_key(voucher),
        amount_minor=promised_minor,
        currency=offer.currency,
        places=places,
        at=at,
    )
    return voucher


def commitment_key(voucher: Voucher) -> str:
    """Under which its promise stands."""
    return f"voucher:{voucher.key}"


def promise_behind(voucher: Voucher) -> Commitment | None:
    """What was reserved for the voucher, locked; a purse holds money, not a promise."""
    return budgets.commitment_of(voucher.store, commitment_key(voucher))


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
    """The voucher of a normalised code; a code without our check character can only be one of the shop's own."""
    rows = Voucher.objects.for_store(store).select_related("offer", "customer", "store").filter(code=code)
    return (rows if codes.has_good_check(code) else rows.filter(pool__is_imported=True)).first() if code else None


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
        starts_at=voucher.starts_at,
        is_other_place=voucher.location_id is not None and voucher.location_id != bill.location_id,
        is_other_holder=voucher.is_personal and voucher.customer_id != bill.bearer_id,
    )
    if reason:
        return Quote(voucher, 0, reason)
    value = _worth(voucher, bill)
    spent = Voucher.Kind(voucher.kind).is_purse and value == 0
    return Quote(voucher, value, rules.Reason.USED if spent else "")


def _worth(voucher: Voucher, bill: Bill) -> int:
    """What it would take off the bill, were nothing against it."""
    if voucher.kind == Voucher.Kind.CREDIT:
        assert voucher.customer is not None
        return min(ledger.credit_balance(voucher.store, voucher.customer, bill.currency), bill.amount_minor)
    if voucher.kind == Voucher.Kind.GIFT:
        return min(ledger.card_balance(voucher), bill.amount_minor)
    assert voucher.offer is not None
    if is_given_later(voucher.offer):
        return 0
    value = rules.discount(promise_of(voucher.offer), bill.amount_minor)
    return value if voucher.most_minor is None else min(value, voucher.most_minor)


def _against_stacking(voucher: Voucher, bill: Bill, order: Order | None) -> str:
    """`stacking_reason`, with the order's row locked, so that two codes at once on one bill see each other."""
    if order:
        Order.objects.select_for_update(of=("self",)).filter(pk=order.pk, store_id=order.store_id).first()
    return stacking_reason(voucher, bill, order)


def stacking_reason(voucher: Voucher, bill: Bill, order: Order | None) -> str:
    """Why it may not be used together with what is on the bill already, a Reason; '' when it may."""
    settings = RewardSettings.objects.for_store(voucher.store).first() or RewardSettings()
    if bill.is_reduced and not settings.with_shop_discount:
        return rules.Reason.STACKED
    if order is None or settings.stacking == RewardSettings.Stacking.ANY:
        return ""
    live = Redemption.objects.filter(store_id=order.store_id, order=order, reversed_at=None)
    kinds = [Voucher.Kind(kind) for kind in live.values_list("voucher__kind", flat=True)]
    purses = sum(kind.is_purse for kind in kinds)
    is_purse = Voucher.Kind(voucher.kind).is_purse
    fits = rules.may_stack(settings.stacking, is_purse=is_purse, offers=len(kinds) - purses, purses=purses)
    return "" if fits else rules.Reason.STACKED


def is_given_later(offer: Offer) -> bool:
    """Whether a friend's gift of this kind takes nothing off today, but is given when the referral counts."""
    kind = Offer.Kind(offer.kind)
    return kind.is_held or kind == Offer.Kind.CUSTOM


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
        purse = purse_of(voucher)
        if purse:
            [purse] = ledger.held(purse)
        _refresh(voucher)
        offered = quote(voucher, bill, at=at)
        reason = offered.reason or _against_stacking(voucher, bill, order)
        if reason:
            raise NotRedeemable(reason)
        public_id = public_id or codes.public_id()
        if not purse:
            _use(voucher, at)
        posted = _post(voucher, purse, offered.discount_minor, key=f"redeem:{public_id}", at=at)
        return Redemption.objects.create(
            store=voucher.store,
            public_id=public_id,
            voucher=voucher,
            single_use=voucher.kind == Voucher.Kind.OFFER and voucher.uses == 1,
            order=order,
            amount_minor=bill.amount_minor,
            discount_minor=offered.discount_minor,
            currency=bill.currency,
            transaction=posted,
            at=at,
            by=by,
            location=location,
        )


def purse_of(voucher: Voucher) -> Account | None:
    """The account whose money the voucher spends; None for a promise."""
    if voucher.kind == Voucher.Kind.CREDIT:
        return ledger.account(voucher.store, Account.Kind.CREDIT, voucher.currency, voucher.customer)
    if voucher.kind == Voucher.Kind.GIFT:
        return ledger.account(voucher.store, Account.Kind.GIFT, voucher.currency, card=voucher)
    return None


def _refresh(voucher: Voucher) -> None:
    """Lock the row and read what it says now, so that a twin that came first is seen."""
    rows = Voucher.objects.filter(store_id=voucher.store_id)
    fresh = (rows if Voucher.Kind(voucher.kind).is_purse else rows.select_for_update(of=("self",))).get(pk=voucher.pk)
    for name in ("status", "expires_at", "used", "most_minor"):
        setattr(voucher, name, getattr(fresh, name))


def _use(voucher: Voucher, at: datetime) -> None:
    """Count one use by a guarded UPDATE; the last one closes the voucher. Raises NotRedeemable."""
    mine = Voucher.objects.filter(pk=voucher.pk, store_id=voucher.store_id, status=Voucher.Status.ISSUED)
    is_last = voucher.uses == voucher.used + 1
    status = Voucher.Status.REDEEMED if is_last else Voucher.Status.ISSUED
    if not mine.filter(used=voucher.used).update(status=status, used=F("used") + 1):
        raise NotRedeemable(rules.Reason.USED)
    voucher.status, voucher.used = status, voucher.used + 1
    if is_last:
        cancel_about(voucher.store, about(voucher.pk), reason="used", at=at)


def _post(
    voucher: Voucher, purse: Account | None, discount_minor: int, *, key: str, at: datetime
) -> LedgerTransaction | None:
    """The entries of one use: out of the purse, or a promise that became a cost."""
    redeemed = Account.Kind.REDEEMED
    if purse:
        used = ledger.account(voucher.store, redeemed, voucher.currency)
        amounts = {purse: -discount_minor, used: discount_minor}
    else:
        promise = promise_behind(voucher)
        amounts = _settled(promise, discount_minor, at) if promise and voucher.uses == 1 else {}
        if discount_minor:
            budget = promise.budget if promise else None
            cost = ledger.account(voucher.store, Account.Kind.COST, voucher.currency, budget=budget)
            used = ledger.account(voucher.store, redeemed, voucher.currency)
            amounts |= {cost: -discount_minor, used: discount_minor}
    return ledger.post(voucher.store, key=key, kind="redeem", amounts=amounts, at=at) if any(amounts.values()) else None


def _settled(promise: Commitment, discount_minor: int, at: datetime) -> budgets.Amounts:
    """The promise came to this much. Where the budget has no room for more than was reserved, it keeps that:
    what a person was promised is honoured all the same, and the books show what it cost."""
    try:
        with transaction.atomic():
            return budgets.settle(promise, discount_minor, at=at)
    except budgets.Exhausted:
        return budgets.settle(promise, promise.amount_minor, at=at)


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
        if redemption.voucher.kind == Voucher.Kind.OFFER:
            _give_back_use(redemption.voucher)
        redemption.refresh_from_db()
    return redemption


def _give_back_use(voucher: Voucher) -> None:
    """One use less; the voucher stands open again, and so does its promise."""
    mine = Voucher.objects.filter(pk=voucher.pk, store_id=voucher.store_id)
    mine.filter(used__gt=0).update(used=F("used") - 1)
    mine.filter(status=Voucher.Status.REDEEMED).update(status=Voucher.Status.ISSUED)
    promise = promise_behind(voucher)
    if promise and promise.status == Commitment.Status.SPENT and voucher.uses == 1:
        budgets.reopen(promise)


def void(voucher: Voucher, *, at: datetime) -> bool:
    """Take an unused voucher back; False when it was used, expired or taken back before."""
    mine = Voucher.objects.filter(pk=voucher.pk, store_id=voucher.store_id, used=0)
    open_ones = mine.filter(status__in=(Voucher.Status.ISSUED, Voucher.Status.WAITING))
    with transaction.atomic():
        if not open_ones.update(status=Voucher.Status.VOIDED):
            return False
        promise = promise_behind(voucher)
        if promise:
            budgets.release(promise, at=at)
        cancel_about(voucher.store, about(voucher.pk), reason="voided", at=at)
    return True


def expire_due(store: Store, at: datetime) -> int:
    """Mark vouchers past their end; `quote` refuses them from that moment anyway.

    A promise that nobody used gives its room back; what is left on a gift card is the store's (BREAKAGE).
    """
    issued = Voucher.objects.for_store(store).filter(status=Voucher.Status.ISSUED)
    due = list(issued.filter(expires_at__lte=at).select_for_update(skip_locked=True).order_by("pk"))
    if not due:
        return 0
    cancel_all_about(store, [about(voucher.pk) for voucher in due], reason="expired", at=at)
    promises = budgets.commitments_of(store, [commitment_key(voucher) for voucher in due])
    for voucher in due:
        promise = promises.get(commitment_key(voucher))
        if voucher.kind == Voucher.Kind.GIFT:
            _keep_the_rest(voucher, promise, at)
        elif promise:
            budgets.release(promise, at=at, fact=ledger.Fact.LAPSE)
    return issued.filter(pk__in=[voucher.pk for voucher in due]).update(status=Voucher.Status.EXPIRED)


def _keep_the_rest(card: Voucher, promise: Commitment | None, at: datetime) -> None:
    [purse] = ledger.held(ledger.account(card.store, Account.Kind.GIFT, card.currency, card=card))
    if purse.balance_minor:
        kept = ledger.account(card.store, Account.Kind.BREAKAGE, card.currency)
        amounts = {purse: -purse.balance_minor, kept: purse.balance_minor}
        ledger.post(card.store, key=f"expire:{card.pk}", kind="expire", amounts=amounts, at=at)
        if promise:
            budgets.give_back(promise, purse.balance_minor)


def about(pk: int) -> str:
    """What a message about this voucher says it is about: once the voucher ends it is pointless."""
    return f"voucher:{pk}"
