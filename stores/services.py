"""Writes of stores: settings, people, keys. Each leaves an AuditEvent."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction

from stores.api_auth import hash_key
from stores.models import ApiKey, AuditEvent, Membership, Role, Store, User

KEY_UNDO = timedelta(minutes=10)  # a key that was stopped for cause stays stopped


class LastOwner(Exception):
    """A store keeps at least one owner."""


class AlreadyHere(Exception):
    """The person works in this store already."""


class NotConfirmed(Exception):
    """Somebody signed up with this address without showing that it is theirs."""


def change_settings(store: Store, wanted: dict[str, Any], *, by: User | None, at: datetime) -> list[str]:
    """Put the settings in `wanted` (field -> value) in force; returns the fields that changed."""
    with transaction.atomic():
        current = Store.objects.select_for_update().get(pk=store.pk)
        changes = {field: value for field, value in wanted.items() if getattr(current, field) != value}
        if changes:
            before = {field: getattr(current, field) for field in changes}
            Store.objects.filter(pk=store.pk).update(**changes)
            note(store, "settings.changed", before=before, after=changes, by=by, at=at)
    for field, value in changes.items():
        setattr(store, field, value)
    return list(changes)


def add_person(store: Store, email: str, role: Role, *, by: User | None, at: datetime) -> tuple[Membership, bool]:
    """Let somebody work in the store; True when they are new here and still have to set a password.

    Raises AlreadyHere, and NotConfirmed for an account whose address nobody has confirmed: whoever
    signed up with a colleague's address must not get in by it.
    """
    email = email.strip().lower()
    user, is_new = _user(email)
    if not is_new and EmailAddress.objects.filter(user=user, email__iexact=email, verified=False).exists():
        raise NotConfirmed(email)
    try:
        with transaction.atomic():
            membership = Membership.objects.create(store=store, user=user, role=role, created_at=at)
            note(store, "person.added", subject=email, after={"role": role}, by=by, at=at)
    except IntegrityError as error:
        raise AlreadyHere(email) from error
    return membership, is_new


def _user(email: str) -> tuple[User, bool]:
    known = User.objects.filter(email=email).first()
    if known:
        return known, False
    try:
        with transaction.atomic():
            return User.objects.create_user(email), True
    except IntegrityError:  # a twin was faster
        return User.objects.get(email=email), False


def set_role(membership: Membership, role: Role, *, by: User | None, at: datetime) -> None:
    """Give somebody another role. Raises LastOwner."""
    with transaction.atomic():
        _keep_an_owner(membership, unless=role == Role.OWNER)
        Membership.objects.filter(pk=membership.pk, store_id=membership.store_id).update(role=role)
        _note_person(membership, "person.role", {"role": membership.role}, {"role": role}, by, at)
    membership.role = role


def remove_person(membership: Membership, *, by: User | None, at: datetime) -> None:
    """End somebody's work in the store; their account and what they did stay. Raises LastOwner."""
    with transaction.atomic():
        _keep_an_owner(membership, unless=False)
        Membership.objects.filter(pk=membership.pk, store_id=membership.store_id).delete()
        _note_person(membership, "person.removed", {"role": membership.role}, {}, by, at)


def _keep_an_owner(membership: Membership, *, unless: bool) -> None:
    """Refuse a step that would leave no owner; the owners' rows are locked, so two steps at once cannot."""
    owners = Membership.objects.select_for_update().filter(store_id=membership.store_id, role=Role.OWNER)
    held_by = list(owners.order_by("pk").values_list("pk", flat=True))
    if not unless and held_by == [membership.pk]:
        raise LastOwner(membership.pk)


def _note_person(
    membership: Membership, action: str, before: dict[str, Any], after: dict[str, Any], by: User | None, at: datetime
) -> None:
    note(membership.store, action, subject=membership.user.email, before=before, after=after, by=by, at=at)


def create_key(store: Store, *, name: str, scopes: Iterable[str], by: User | None, at: datetime) -> tuple[ApiKey, str]:
    """A new API key and its text, which is kept nowhere: show it now."""
    text = f"gw_{secrets.token_hex(20)}"
    chosen = [scope for scope in ApiKey.SCOPES if scope in set(scopes)]
    with transaction.atomic():
        key = ApiKey.objects.create(
            store=store, name=name, prefix=text[:8], hash=hash_key(text), scopes=chosen, created_at=at
        )
        note(store, "key.created", subject=key.public_id, after={"name": name, "scopes": chosen}, by=by, at=at)
    return key, text


def revoke_key(key: ApiKey, *, by: User | None, at: datetime) -> bool:
    """Stop a key from working; False if it had stopped. `restore_key` undoes it for a while."""
    with transaction.atomic():
        moved = ApiKey.objects.filter(pk=key.pk, store_id=key.store_id, revoked_at=None).update(revoked_at=at)
        if moved:
            note(key.store, "key.revoked", subject=key.public_id, before={"name": key.name}, by=by, at=at)
    return bool(moved)


def restore_key(key: ApiKey, *, by: User | None, at: datetime) -> bool:
    """Undo the stopping of a key within `KEY_UNDO`; False for one that works, or was stopped longer ago."""
    with transaction.atomic():
        mine = ApiKey.objects.filter(pk=key.pk, store_id=key.store_id, revoked_at__gte=at - KEY_UNDO)
        moved = mine.update(revoked_at=None)
        if moved:
            note(key.store, "key.restored", subject=key.public_id, after={"name": key.name}, by=by, at=at)
    return bool(moved)


def note(
    store: Store,
    action: str,
    *,
    subject: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    by: User | None,
    at: datetime,
) -> AuditEvent:
    """Write down who changed what."""
    event: AuditEvent = AuditEvent.objects.create(
        store=store, at=at, user=by, action=action, subject=subject[:80], before=before or {}, after=after or {}
    )
    return event
