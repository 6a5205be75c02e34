"""Two customers found to be one: what is whose afterwards, and back again.

Rows go table by table (`referrals.services.carrying`), money by the ledger, both written down, so that a
split brings back exactly these. What may be there once a person has a rule:

- a gift taken by both: the earlier claim is the person's, the later stays with the row that is gone; both
  gifts stay usable, as promised;
- a friend's purchase that counted for both: the later one is voided, what it brought is taken back;
- a referral of oneself is voided;
- consent: the stricter wins, and no consent passes to an address it was not given for;
- steps of a ladder: the merge gives none and takes none back; the next friend counts from the sum.

Why: docs/decisions/0008-merging.md.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, Q, Sum, Value, When

from customers.models import Channel, Consent, Customer, CustomerMerge, Order
from customers.services import record_consent
from customers.services.people import CONSENTS
from referrals.models import Claim, Referral, ShareLink
from referrals.services import carrying, deciding
from rewards.models import Account, Commitment, Entry, Offer, Payout, Reward, Voucher
from rewards.services import ledger, vouchers
from stores.models import Store, User
from stores.services import note

logger = logging.getLogger(__name__)

SOURCE = "merge"  # of consents
# What a blank is filled with from the other row: the column that must be blank -> what goes with it.
FILLED = {
    "external_id": (),
    "name": ("name_norm",),
    "email_norm": ("email", "email_alias"),
    "phone_norm": ("phone",),
    "locale": (),
    "time_zone": (),
    "birth_month": ("birth_day",),
    "postal_address": ("address_norm",),
}
NAMES = ("external_id", "email_norm", "phone_norm")  # one person's only: they leave the other row
ADDRESSES = {Channel.EMAIL: "email_norm", Channel.SMS: "phone_norm"}
MONEY = (Account.Kind.CREDIT, Account.Kind.PAYABLE, Account.Kind.OWED)
IS_MAIN, KEYS, SWAPPED = "referrals.sharelink.is_main", "rewards.voucher.key", "referrals.claim.swapped"
PURSES = {
    Offer.Kind.STORE_CREDIT: Account.Kind.CREDIT,
    Offer.Kind.CASH: Account.Kind.PAYABLE,
    Offer.Kind.COMMISSION: Account.Kind.PAYABLE,
}
LATELY = timedelta(days=1)  # so long after a merge its stragglers are looked for


class CannotMerge(Exception):
    """The two cannot be made one, or not be split; `reason` is one of the codes below."""

    SAME, MERGED, ERASED, PAYOUT, SPLIT, LATER = "same", "merged", "erased", "payout", "split", "later"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def merge(survivor: Customer, gone: Customer, *, by: User | None, at: datetime) -> CustomerMerge:
    """Make `gone` the same person as `survivor`: everything theirs is the survivor's from now on.

    `at` is aware UTC. A second call for the same two returns the first one's row. Raises CannotMerge: they
    are one row, one of them was merged into somebody else or erased, or both stand on a list of payouts.
    """
    with transaction.atomic():
        kept, left = _held(survivor, gone)
        done = CustomerMerge.objects.for_store(kept.store).filter(survivor=kept, gone=left, split_at=None).first()
        if done:
            return done  # type: ignore[no-any-return]
        _check(kept, left)
        made = CustomerMerge.objects.create(store=kept.store, survivor=kept, gone=left, at=at, by=by)
        made.filled = _fill(kept, left)
        Customer.objects.filter(pk=left.pk, store_id=left.store_id).update(merged_into=kept)
        left.merged_into = kept
        _join_consents(made, at)
        _carry(made, at)
        note(kept.store, "customer.merged", subject=kept.public_id, after={"gone": left.public_id}, by=by, at=at)
    return made


def _held(survivor: Customer, gone: Customer) -> tuple[Customer, Customer]:
    """Both as they are now, held; with them everybody whose referral may be voided, all in order of their ids.

    Orders come first, as at the counter: who redeems holds the order before the buyer.
    """
    pair, store = [survivor.pk, gone.pk], survivor.store
    list(Order.objects.for_store(store).filter(customer__in=pair).select_for_update().order_by("pk").values("pk"))
    advocates = Referral.objects.for_store(store).filter(friend__in=pair).values("advocate")
    people = Customer.objects.for_store(store).filter(Q(pk__in=pair) | Q(pk__in=advocates)).select_related("store")
    held = {one.pk: one for one in people.select_for_update(of=("self",), no_key=True).order_by("pk")}
    return held[survivor.pk], held[gone.pk]


def _check(kept: Customer, left: Customer) -> None:
    if kept.pk == left.pk:
        raise CannotMerge(CannotMerge.SAME)
    if kept.merged_into_id or left.merged_into_id:
        raise CannotMerge(CannotMerge.MERGED)
    if kept.erased_at or left.erased_at:
        raise CannotMerge(CannotMerge.ERASED)
    listed = Payout.objects.for_store(kept.store).filter(customer__in=[kept, left], status=Payout.Status.LISTED)
    currencies = list(listed.values_list("currency", flat=True))
    if len(currencies) > len(set(currencies)):
        raise CannotMerge(CannotMerge.PAYOUT)


def _fill(kept: Customer, left: Customer) -> dict[str, Any]:
    """Fill the survivor's blanks from the other row; returns what was taken over: column -> [before, now]."""
    taken: dict[str, Any] = {}
    for blank, beside in FILLED.items():
        value = getattr(left, blank)
        if value and not getattr(kept, blank) and not str(value).startswith("guest:"):
            for column in (blank, *beside):
                taken[column] = [getattr(kept, column), getattr(left, column)]
    names = {column for name in NAMES if name in taken for column in (name, *FILLED[name])}
    _write(left, dict.fromkeys(names, ""))
    _write(kept, {column: now for column, (_, now) in taken.items()})
    return taken


def _write(customer: Customer, values: dict[str, Any]) -> None:
    if values:
        Customer.objects.filter(pk=customer.pk, store_id=customer.store_id).update(**values)
    for column, value in values.items():
        setattr(customer, column, value)


def _join_consents(made: CustomerMerge, at: datetime) -> None:
    kept, left = made.survivor, made.gone
    for channel, column in CONSENTS.items():
        before = getattr(kept, column)
        came_along = getattr(left, column) and ADDRESSES[channel] in made.filled
        said_no = _last_word(kept, channel) is False or _last_word(left, channel) is False
        granted = (before or came_along) and not said_no
        if granted != before:
            made.filled[column] = [before, granted]
            record_consent(kept, channel, granted=granted, source=SOURCE, at=at)


def _last_word(customer: Customer, channel: Channel, *, since: datetime | None = None) -> bool | None:
    """What they said last about a channel; None when they were not asked."""
    said = Consent.objects.for_store(customer.store).filter(customer=customer, channel=channel)
    said = said.filter(at__gt=since) if since else said
    found: bool | None = said.order_by("-pk").values_list("granted", flat=True).first()
    return found


def _carry(made: CustomerMerge, at: datetime) -> None:
    """Move everything that still lies with the row that is gone; a second call finds nothing."""
    kept, left = made.survivor, made.gone
    _move_money(made, at)
    moved: dict[str, list[int]] = defaultdict(list, made.moved)
    _add(moved, {IS_MAIN: _demote_link(kept, left), KEYS: _take_keys(kept, left)})
    _add(moved, carrying.move(carrying.LINKS, left, kept))
    _add(moved, _move_claim(kept, left))
    _void_doubles(kept, left, at, made.by)
    _add(moved, carrying.move([carrying.FRIEND], left, kept))
    made.moved = dict(moved)
    made.save(update_fields=["moved", "filled"])


def _add(moved: dict[str, list[int]], more: carrying.Moved) -> None:
    for label, ids in more.items():
        if ids:
            moved[label] = [*moved[label], *ids]


def _demote_link(kept: Customer, left: Customer) -> list[int]:
    """A person has one main link; the other's printed code keeps working beside it."""
    links = ShareLink.objects.for_store(kept.store).filter(is_main=True)
    if not links.filter(customer=kept).exists():
        return []
    mine = links.filter(customer=left)
    ids = list(mine.values_list("pk", flat=True))
    mine.update(is_main=False)
    return ids


def _take_keys(kept: Customer, left: Customer) -> list[int]:
    """A friend's gift, and the code of store credit, are found by the person's number: it becomes the survivor's.

    Without that the next purchase would bring a second gift. Where the survivor has one, both keep theirs.
    """
    held = Voucher.objects.for_store(kept.store).filter(customer=left)
    renamed = [_rename(one, left, kept) for one in held if _belongs_to(one, left)]
    return [one for one in renamed if one]


def _belongs_to(voucher: Voucher, customer: Customer) -> bool:
    return voucher.key.split(":")[:2] in (["friend", str(customer.pk)], ["credit", str(customer.pk)])


def _rename(voucher: Voucher, giver: Customer, taker: Customer) -> int:
    """Name the voucher, and the promise behind it, after the taker; 0 when the taker has such a one."""
    what, _, *rest = voucher.key.split(":")
    key = ":".join([what, str(taker.pk), *rest])
    if Voucher.objects.for_store(voucher.store).filter(key=key).exists():
        return 0
    before = vouchers.commitment_key(voucher)
    Voucher.objects.filter(pk=voucher.pk, store_id=voucher.store_id).update(key=key)
    voucher.key = key
    promise = Commitment.objects.filter(store_id=voucher.store_id, key=before)
    promise.update(key=vouchers.commitment_key(voucher))
    return int(voucher.pk)


def _move_claim(kept: Customer, left: Customer) -> carrying.Moved:
    """The person's claim is the earlier one."""
    claims = {one.friend_id: one for one in Claim.objects.for_store(kept.store).filter(friend__in=[kept, left])}
    mine, theirs = claims.get(kept.pk), claims.get(left.pk)
    if theirs is None:
        return {}
    if mine is None:
        return carrying.move([carrying.CLAIM], left, kept)
    if mine.at <= theirs.at:
        return {}
    _swap_claims(mine, theirs)
    return {SWAPPED: [mine.pk, theirs.pk]}


def _swap_claims(one: Claim, other: Claim) -> None:
    """In one statement: claim_once is looked at when it ends."""
    both = Claim.objects.filter(store_id=one.store_id, pk__in=[one.pk, other.pk])
    both.update(
        friend_id=Case(When(pk=one.pk, then=Value(other.friend_id)), default=Value(one.friend_id)),
    )


def _void_doubles(kept: Customer, left: Customer, at: datetime, by: User | None) -> None:
    """Void referrals of oneself; of two that count for one friend, the later."""
    alive = Referral.objects.for_store(kept.store).exclude(status=Referral.Status.VOIDED)
    received = alive.filter(friend__in=[kept, left]).select_related(*deciding.JOINED).order_by("created_at", "pk")
    others = []
    for referral in received:
        if referral.advocate_id in (kept.pk, left.pk):
            deciding.void_referral(referral, reason=Referral.Reason.MERGED, at=at, by=by)
        else:
            others.append(referral)
    for referral in others[1:]:
        deciding.void_referral(referral, reason=Referral.Reason.MERGED, at=at, by=by)


# -- Money --


def _move_money(made: CustomerMerge, at: datetime) -> None:
    """Move what the row that is gone holds and owes; each account in a transaction of its own."""
    for account in _accounts(made, made.gone):
        if account.balance_minor:
            _transfer(made, ledger.Fact.MERGE, account, made.survivor, account.balance_minor, at)


def _accounts(made: CustomerMerge, of: Customer) -> list[Account]:
    """The accounts of `of`; those of both are held, in order of their ids."""
    both = Account.objects.for_store(made.store).filter(customer__in=[made.survivor, made.gone], kind__in=MONEY)
    held = list(both.select_for_update(no_key=True).order_by("pk"))
    return [one for one in held if one.customer_id == of.pk]


def _transfer(
    made: CustomerMerge, fact: ledger.Fact, account: Account, to: Customer, amount_minor: int, at: datetime
) -> None:
    other = ledger.account(made.store, Account.Kind(account.kind), account.currency, to)
    # A straggler's money comes after the first transaction of the account.
    number = _posted(made, fact, account).values("transaction").distinct().count()
    key = f"{fact.value}:{made.pk}:{account.pk}" + (f":{number}" if number else "")
    amounts = {account: -amount_minor, other: amount_minor}
    ledger.post(made.store, key=key, kind=fact, amounts=amounts, at=at)


def _posted(made: CustomerMerge, fact: ledger.Fact, account: Account) -> Any:
    entries = Entry.objects.for_store(made.store).filter(account=account)
    mine = Q(transaction__key=f"{fact.value}:{made.pk}:{account.pk}")
    return entries.filter(mine | Q(transaction__key__startswith=f"{fact.value}:{made.pk}:{account.pk}:"))


def _return_money(made: CustomerMerge, earned: list[Reward], at: datetime) -> None:
    """Give back what came, and what the returning referrals have earned since, as far as it is still there."""
    since: dict[tuple[str, str], int] = defaultdict(int)
    for reward in earned:
        purse = PURSES.get(Offer.Kind(reward.offer.kind))
        if purse and reward.status == Reward.Status.GRANTED:
            since[purse.value, reward.offer.currency] += reward.amount_minor - reward.reduced_minor
    came: dict[tuple[str, str], int] = {}
    for account in _accounts(made, made.gone):
        total = _posted(made, ledger.Fact.MERGE, account).aggregate(sum=Sum("amount_minor"))["sum"] or 0
        came[str(account.kind), account.currency] = -total
    for account in _accounts(made, made.survivor):
        which = (str(account.kind), account.currency)
        due, there = came.get(which, 0) + since.get(which, 0), account.balance_minor
        back = max(due, there) if account.kind == Account.Kind.OWED else min(due, there)
        if back:
            _transfer(made, ledger.Fact.SPLIT, account, made.gone, back, at)


# -- Back again --


def split(made: CustomerMerge, *, by: User | None, at: datetime) -> bool:
    """They are two after all: what was moved goes back, as far as it is still there; True if this call did it.

    What came since belongs to the survivor, but for what the returning referrals earned. What the merge
    voided stays void. Raises CannotMerge: the survivor was merged or merged with somebody else since, stands
    on a list of payouts made since, or one of them was erased.
    """
    with transaction.atomic():
        kept, left = _held(made.survivor, made.gone)
        made = CustomerMerge.objects.select_for_update(of=("self",)).get(pk=made.pk, store_id=made.store_id)
        made.survivor, made.gone = kept, left
        if made.split_at:
            return False
        _check_split(made)
        CustomerMerge.objects.filter(pk=made.pk, store_id=made.store_id).update(split_at=at, split_by=by)
        Customer.objects.filter(pk=left.pk, store_id=left.store_id).update(merged_into=None)
        earned = _earned_since(made)
        _return_money(made, earned, at)
        _return_rows(made, earned)
        _give_back_blanks(made)
        _part_consents(made, at)
        note(made.store, "customer.split", subject=kept.public_id, after={"gone": left.public_id}, by=by, at=at)
    return True


def _check_split(made: CustomerMerge) -> None:
    kept, left = made.survivor, made.gone
    if kept.erased_at or left.erased_at:
        raise CannotMerge(CannotMerge.ERASED)
    if kept.merged_into_id:
        raise CannotMerge(CannotMerge.MERGED)
    mine = CustomerMerge.objects.for_store(made.store).filter(survivor=kept, split_at=None)
    if mine.filter(pk__gt=made.pk).exists():
        raise CannotMerge(CannotMerge.LATER)
    listed = Payout.objects.for_store(made.store).filter(customer=kept, status=Payout.Status.LISTED)
    if listed.filter(batch__made_at__gt=made.at).exists():
        raise CannotMerge(CannotMerge.PAYOUT)


def _earned_since(made: CustomerMerge) -> list[Reward]:
    """What the returning referrals have brought the survivor meanwhile: it goes with them."""
    returning = {str(pk) for link in ("advocate", "friend") for pk in made.moved.get(f"referrals.referral.{link}", ())}
    known = set(made.moved.get("rewards.reward.customer", ()))
    rewards = Reward.objects.for_store(made.store).filter(customer=made.survivor, granted_at__gte=made.at)
    rewards = (
        rewards.filter(key__startswith="referral:").exclude(pk__in=known).select_related("offer", "store", "customer")
    )
    return [one for one in rewards if one.key.split(":")[1] in returning and not one.key.endswith(":second")]


def _return_rows(made: CustomerMerge, earned: list[Reward]) -> None:
    kept, left, moved = made.survivor, made.gone, made.moved
    rewards = [one.pk for one in earned]
    carrying.point(carrying.Link(Reward, "customer"), rewards, kept, left)
    codes = Voucher.objects.for_store(made.store).filter(reward__in=rewards, customer=kept)
    codes.update(customer=left)
    carrying.move_back(moved, carrying.LINKS, giver=left, taker=kept)
    carrying.move_back(moved, carrying.RULED, giver=left, taker=kept)
    for voucher in Voucher.objects.for_store(made.store).filter(pk__in=moved.get(KEYS, ())):
        if _belongs_to(voucher, kept):
            _rename(voucher, kept, left)
    _swap_back(made)
    links = ShareLink.objects.for_store(made.store).filter(customer=left)
    if not links.filter(is_main=True).exists():
        links.filter(pk__in=moved.get(IS_MAIN, ())).update(is_main=True)


def _swap_back(made: CustomerMerge) -> None:
    claims = list(Claim.objects.for_store(made.store).filter(pk__in=made.moved.get(SWAPPED, ())).order_by("pk"))
    if {one.friend_id for one in claims} == {made.survivor_id, made.gone_id}:
        _swap_claims(*claims)


def _give_back_blanks(made: CustomerMerge) -> None:
    """The survivor's blanks are blank again, unless somebody wrote there; the other's names are theirs again."""
    kept, left = made.survivor, made.gone
    for blank, beside in FILLED.items():
        if blank not in made.filled:
            continue
        columns = [column for column in (blank, *beside) if column in made.filled]
        if getattr(kept, blank) == made.filled[blank][1]:
            _write(kept, {column: made.filled[column][0] for column in columns})
        elsewhere = Customer.objects.for_store(made.store).filter(**{blank: made.filled[blank][1]})
        if blank in NAMES and not getattr(left, blank) and not elsewhere.exists():
            _write(left, {column: made.filled[column][1] for column in columns})


def _part_consents(made: CustomerMerge, at: datetime) -> None:
    """What stood before the merge stands again, unless they said something since; a "no" since holds for both."""
    kept, left = made.survivor, made.gone
    for channel, column in CONSENTS.items():
        said = Consent.objects.for_store(made.store).filter(customer=kept, channel=channel, at__gte=made.at)
        newest = said.order_by("-pk").first()
        if newest and newest.source != SOURCE:
            if not newest.granted and getattr(left, column):
                record_consent(left, channel, granted=False, source=SOURCE, at=at)
        elif column in made.filled and getattr(kept, column) != made.filled[column][0]:
            record_consent(kept, channel, granted=made.filled[column][0], source=SOURCE, at=at)


def keep_apart(one: Customer, other: Customer, *, by: User | None, at: datetime) -> None:
    """Somebody looked: they are two persons, and are not suggested again. A merge that was split at once says so."""
    facts = {"at": at, "by": by, "split_at": at, "split_by": by}
    CustomerMerge.objects.create(store=one.store, survivor=one, gone=other, **facts)


# -- Stragglers --


def bring_along(store: Store, at: datetime) -> int:
    """Move what somebody wrote to a row that was merged away in that very moment; returns for how many merges.

    They had read the row before the merge was committed. The nightly repair needs no more than these.
    """
    recent = CustomerMerge.objects.for_store(store).filter(split_at=None, at__gt=at - LATELY).order_by("pk")
    merges = {one.gone_id: one for one in recent[:500]}
    if not merges:
        return 0
    waiting = carrying.left_behind(store, list(merges)) | _with_money(store, list(merges))
    for gone in sorted(waiting):
        with transaction.atomic():
            kept, left = _held(merges[gone].survivor, merges[gone].gone)
            made = CustomerMerge.objects.select_for_update(of=("self",)).get(pk=merges[gone].pk, store_id=store.pk)
            made.survivor, made.gone = kept, left
            if made.split_at is None:
                _carry(made, at)
    return len(waiting)


def _with_money(store: Store, customers: list[int]) -> set[int]:
    accounts = Account.objects.for_store(store).filter(customer__in=customers, kind__in=MONEY).exclude(balance_minor=0)
    return set(accounts.values_list("customer_id", flat=True))
