"""What devices did without a line, once they are back: each becomes one redemption, or one clear conflict."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.db import transaction
from django.db.models import Q, Sum

from checkout.models import Held
from checkout.services.permits import Permit
from referrals.services import redeeming
from referrals.services.redeeming import Changed
from rewards.models import Redemption
from rewards.rules import Reason
from rewards.services import vouchers
from rewards.services.vouchers import Bill, NotRedeemable
from stores import codes
from stores.models import Location, Membership, Store, User
from stores.tenancy import StoreQuerySet

CHANGED = "changed"  # the code was good, but for another amount than the device took off


class OtherFacts(Exception):
    """The key was used before, for something else."""


@dataclass(frozen=True)
class Sent:
    """One code as the device redeemed it; `key` names the redemption that is to come of it."""

    key: str
    code: str
    amount_minor: int
    discount_minor: int
    given_at: datetime

    @property
    def digest(self) -> str:
        """What makes two of the same key the same."""
        facts = [self.key, codes.normalise(self.code), self.amount_minor, self.discount_minor]
        return sha256(json.dumps(facts).encode()).hexdigest()


def replay(store: Store, sent: Sent, permit: Permit, *, at: datetime) -> Held:
    """Redeem what a device redeemed without a line; `at` is now, aware UTC.

    The first answer stands for every later call with the same key. The redemption is dated when the device
    gave it, as far as its clock is believed. Raises OtherFacts, and then nothing has changed.
    """
    with transaction.atomic():
        known = redeeming.redemption_named(store, sent.key, waiting=True)  # twins wait for each other here
        earlier: Held | None = Held.objects.for_store(store).filter(public_id=sent.key).first()
        if earlier:
            if earlier.digest != sent.digest:
                raise OtherFacts(sent.key)
            return earlier
        given_at = permit.believed(sent.given_at, now=at)
        if known:
            return _note(store, sent, permit, *_of_known(known, sent), given_at=given_at, at=at)
        return _note(store, sent, permit, *_redeem(store, sent, permit, given_at), given_at=given_at, at=at)


def _of_known(known: Redemption, sent: Sent) -> tuple[str, Redemption]:
    """The line went after the redemption and before its answer: it stands, if it is the same."""
    same = (known.amount_minor, known.discount_minor) == (sent.amount_minor, sent.discount_minor)
    return "" if same else CHANGED, known


def _redeem(store: Store, sent: Sent, permit: Permit, given_at: datetime) -> tuple[str, Redemption | None]:
    """(why not, the redemption or the one in its way)."""
    place = Location.objects.for_store(store).filter(pk=permit.location).first() if permit.location else None
    try:
        with transaction.atomic():
            done = redeeming.redeem(
                store,
                sent.code,
                Bill(sent.amount_minor, store.currency),
                at=given_at,
                by=User.objects.filter(pk=permit.user).first(),
                location=place.code if place else "",
                public_id=sent.key,
                shown_minor=sent.discount_minor,
            )
    except NotRedeemable as refused:
        return refused.reason, _winner(store, sent.code) if refused.reason == Reason.USED else None
    except Changed:
        return CHANGED, None
    return "", done.redemption


def _winner(store: Store, code: str) -> Redemption | None:
    """The redemption that used the code up."""
    voucher = vouchers.find(store, codes.normalise(code))
    live = Redemption.objects.for_store(store).filter(voucher=voucher, reversed_at=None) if voucher else None
    found: Redemption | None = live.order_by("-at").first() if live is not None else None
    return found


def _note(
    store: Store,
    sent: Sent,
    permit: Permit,
    reason: str,
    redemption: Redemption | None,
    *,
    given_at: datetime,
    at: datetime,
) -> Held:
    held: Held = Held.objects.create(
        store=store,
        public_id=sent.key,
        device=permit.device,
        permit=permit.name,
        digest=sent.digest,
        code=codes.normalise(sent.code),
        amount_minor=sent.amount_minor,
        discount_minor=sent.discount_minor,
        currency=store.currency,
        given_at=given_at,
        received_at=at,
        by_id=permit.user,
        location_id=permit.location,
        status=Held.Status.REFUSED if reason else Held.Status.DONE,
        reason=reason,
        odd=_odd(store, sent, permit, at),
        redemption=redemption,
    )
    return held


def _odd(store: Store, sent: Sent, permit: Permit, at: datetime) -> str:
    """Why a manager should look at it, a Held.Odd; it counts all the same: the customer has left with it."""
    if not permit.most_held:
        return Held.Odd.NO_PERMIT
    if permit.is_old(at):
        return Held.Odd.LATE
    if not Membership.objects.for_store(store).filter(user=permit.user).exists():
        return Held.Odd.LEFT
    return Held.Odd.OVER if _is_over(store, sent, permit) else ""


def _is_over(store: Store, sent: Sent, permit: Permit) -> bool:
    """Whether this is more than the owner lets a device hold in one time without a line."""
    mine = Held.objects.for_store(store).filter(permit=permit.name)
    taken = mine.aggregate(minor=Sum("discount_minor"))["minor"] or 0
    too_much = permit.most_minor is not None and taken + sent.discount_minor > permit.most_minor
    return too_much or mine.count() >= permit.most_held


def conflicts(store: Store) -> StoreQuerySet:
    """What nobody has seen to yet: refused, or odd."""
    odd: StoreQuerySet = Held.objects.for_store(store).filter(Q(status=Held.Status.REFUSED) | ~Q(odd=""))
    return odd.filter(settled_at=None)


def settle(held: Held, *, by: User, at: datetime) -> bool:
    """A manager has seen to it; False when somebody had before."""
    return _set(held, lambda rows: rows.filter(settled_at=None).update(settled_at=at, settled_by=by))


def unsettle(held: Held) -> bool:
    """Undo of `settle`."""
    return _set(held, lambda rows: rows.exclude(settled_at=None).update(settled_at=None, settled_by=None))


def _set(held: Held, write: Callable[[StoreQuerySet], int]) -> bool:
    return write(Held.objects.for_store(held.store).filter(pk=held.pk)) == 1
