"""PINs: how colleagues change places at one device. The only writer of Pin.

A PIN opens the counter only, on a device where somebody is logged in already, and tries are counted before
they are judged: five wrong ones for a person, thirty on a device, then ten minutes' rest.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from checkout.models import Pin
from stores import limits
from stores.l10n import fold_digits
from stores.models import Membership, Store, User
from stores.services import note
from stores.tenancy import StoreQuerySet

WINDOW = 600  # seconds
TRIES, DEVICE_TRIES = 5, 30
SHORTEST, LONGEST = 4, 8
RUNS = ("01234567890", "09876543210")


class WeakPin(Exception):
    """Not four to eight digits, or the first that anybody would try."""


class Locked(Exception):
    """Too many tries, or nobody can count them now: the password is the way in."""


class WrongPin(Exception):
    """Not this person's PIN."""


def read(typed: str) -> str:
    """The digits of a new PIN; raises WeakPin."""
    digits = fold_digits(typed).strip()
    is_number = digits.isascii() and digits.isdigit() and SHORTEST <= len(digits) <= LONGEST
    if not is_number or len(set(digits)) == 1 or any(digits in run for run in RUNS):
        raise WeakPin
    return digits


def change(membership: Membership, typed: str, *, at: datetime) -> None:
    """Give somebody a new PIN, by themselves. Raises WeakPin."""
    digits = read(typed)
    with transaction.atomic():
        Pin.objects.update_or_create(
            store=membership.store, membership=membership, defaults={"hash": make_password(digits), "changed_at": at}
        )
        note(membership.store, "pin.changed", subject=membership.user.email, by=membership.user, at=at)


def holders(store: Store) -> StoreQuerySet:
    """Who may take over a device: those who work here and have a PIN, by name."""
    mine: StoreQuerySet = Membership.objects.for_store(store).filter(pin__isnull=False)
    return mine.select_related("user", "pin").order_by("user__name", "user__email")


def take_over(store: Store, membership: Membership, typed: str, *, device: str, login: User, at: datetime) -> None:
    """Let the person of `membership` take over a device where `login` is logged in.

    Raises Locked before the PIN is looked at, and WrongPin.
    """
    mine = f"pin:{store.pk}:{membership.pk}"
    tries = limits.count(mine, per_seconds=WINDOW), limits.count(f"pin:{store.pk}:{device}", per_seconds=WINDOW)
    if 0 in tries or tries[0] > TRIES or tries[1] > DEVICE_TRIES:  # 0: the counter of tries is out of reach
        raise Locked
    if not check_password(fold_digits(typed).strip()[:LONGEST], membership.pin.hash):
        if tries[0] == TRIES:
            note(store, "pin.locked", subject=membership.user.email, after={"tries": TRIES}, by=login, at=at)
        raise WrongPin
    limits.forget(mine)
    note(store, "counter.taken_over", after={"log_in_of": login.pk}, by=membership.user, at=at)
