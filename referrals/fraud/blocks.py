"""Whom a store has blocked: kept as keyed hashes, so that the list tells nobody's address."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from customers.models import Customer
from customers.rules import mailbox_of
from referrals.fraud.rules import Facts, domain_of
from referrals.models import Block, Device
from stores.models import AuditEvent, Store, User
from stores.tenancy import insert_new

What = Block.What
Values = frozenset[tuple[str, str]]  # (Block.What, value in the compared form)


@dataclass(frozen=True)
class Suspect:
    """Something of a referral that can be blocked, and how much of it people see."""

    what: Block.What
    value: str
    shown: str


def hashed(store: Store, what: str, value: str) -> str:
    """The value as the store's own key makes it; another one in each store."""
    key = f"goodword.block:{store.pk}:{settings.SECRET_KEY}".encode()
    return hmac.new(key, f"{what}\n{value}".encode(), sha256).hexdigest()


def values_of(facts: Facts) -> Values:
    """What of both sides a block could name."""
    found: set[tuple[str, str]] = set()
    for side in (facts.advocate, facts.friend):
        found |= {(What.EMAIL, box) for box in side.mailboxes} | {(What.PHONE, phone) for phone in side.phones}
        found |= {(What.DOMAIN, domain_of(box)) for box in side.mailboxes}
        found |= {(What.DEVICE, device) for device in side.devices} | {(What.CARD, card) for card in side.cards}
    return frozenset(found)


def is_blocked(store: Store, people: Iterable[Customer], *, device: str = "") -> bool:
    """Whether one of these, whoever was found to be them, or the device is blocked now; one query where nothing is."""
    if not standing(store).exists():
        return False
    pks = [one.pk for one in people]
    names = Customer.objects.for_store(store).filter(Q(pk__in=pks) | Q(merged_into__in=pks))
    values: set[tuple[str, str]] = {(What.DEVICE, device)} if device else set()
    for email, phone in names.values_list("email_norm", "phone_norm"):
        values |= names_of(email, phone)
    devices = Device.objects.for_store(store).filter(customer__in=pks).values_list("device", flat=True)
    return bool(matching(store, [frozenset(values | {(What.DEVICE, one) for one in devices})])[0])


def names_of(email: str, phone: str) -> Values:
    """What a block could name of somebody with this e-mail and phone, both in the compared form or ''."""
    found = {(What.PHONE, phone)} if phone else set()
    if email:
        found |= {(What.EMAIL, mailbox_of(email)), (What.DOMAIN, domain_of(mailbox_of(email)))}
    return frozenset(found)


def matching(store: Store, many: Sequence[Values]) -> list[frozenset[str]]:
    """For each set of values, which kinds of it are blocked now; one query."""
    hashes = {(what, value): hashed(store, what, value) for values in many for what, value in values}
    if not hashes:
        return [frozenset() for _ in many]
    rows = Block.objects.for_store(store).filter(value_hash__in=hashes.values(), lifted_at=None)
    live = set(rows.values_list("what", "value_hash"))
    return [frozenset(what for what, value in one if (what, hashes[what, value]) in live) for one in many]


def suspects(facts: Facts) -> list[Suspect]:
    """What of the friend can be blocked, masked."""
    friend, found = facts.friend, []
    for box in sorted(friend.mailboxes):
        found.append(Suspect(What.EMAIL, box, masked_email(box)))
        found.append(Suspect(What.DOMAIN, domain_of(box), domain_of(box)))
    found += [Suspect(What.PHONE, phone, f"{phone[:3]}…{phone[-2:]}") for phone in sorted(friend.phones)]
    found += [Suspect(What.DEVICE, device, f"…{device[-4:]}") for device in sorted(friend.devices)]
    found += [Suspect(What.CARD, card, f"…{card[-4:]}") for card in sorted(friend.cards)]
    return found


def masked_email(email: str) -> str:
    """An address of which the first letter and the domain are seen."""
    box, _, domain = email.rpartition("@")
    return f"{box[:1]}…@{domain}"[:80]


def block(store: Store, suspect: Suspect, *, reason: str, by: User | None, at: datetime) -> Block:
    """Refuse referrals in which this turns up, from now on; the block that stands if there is one."""
    row = Block(
        store=store,
        what=suspect.what,
        value_hash=hashed(store, suspect.what, suspect.value),
        shown=suspect.shown[:80],
        reason=reason[:200],
        at=at,
        by=by,
    )
    with transaction.atomic():
        if not insert_new(row):
            known: Block = standing(store).get(what=row.what, value_hash=row.value_hash)
            return known
        _note(row, "checks.blocked", by, at)
    return row


def lift(row: Block, *, by: User | None, at: datetime) -> bool:
    """Let them count again; True if this call did it."""
    with transaction.atomic():
        lifted = Block.objects.filter(pk=row.pk, store_id=row.store_id, lifted_at=None).update(lifted_at=at)
        if lifted:
            _note(row, "checks.unblocked", by, at)
    return bool(lifted)


def restore(row: Block, *, by: User | None, at: datetime) -> bool:
    """Undo a lift: the block stands again, unless a newer one does; True if this call did it."""
    with transaction.atomic():
        locked = Block.objects.select_for_update().get(pk=row.pk, store_id=row.store_id)
        twin = standing(row.store).filter(what=row.what, value_hash=row.value_hash)
        if locked.lifted_at is None or twin.exists():
            return False
        Block.objects.filter(pk=row.pk, store_id=row.store_id).update(lifted_at=None)
        _note(row, "checks.blocked", by, at)
    return True


def standing(store: Store) -> QuerySet[Block]:
    """The blocks that hold now."""
    rows: QuerySet[Block] = Block.objects.for_store(store).filter(lifted_at=None)
    return rows


def _note(row: Block, action: str, by: User | None, at: datetime) -> None:
    shown = {"what": row.what, "shown": row.shown}
    AuditEvent.objects.create(store_id=row.store_id, at=at, user=by, action=action, subject=row.public_id, after=shown)
