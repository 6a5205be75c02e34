"""The keys by which a store signs passes: the only writer of them. They are encrypted, and never shown again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from referrals.models import WalletKey
from referrals.wallets import apple, google
from stores import secrets
from stores.models import Store, User
from stores.services import note

Wallet = WalletKey.Wallet
Signers = dict[str, apple.Signer | google.Signer]


def signer_of(wallet: str, values: Mapping[str, str]) -> apple.Signer | google.Signer:
    """What signs with these values. Raises apple.BadKey."""
    return apple.signer(**values) if wallet == Wallet.APPLE else google.signer(**values)


def save(store: Store, wallet: str, values: Mapping[str, str], *, by: User | None, at: datetime) -> WalletKey:
    """Keep the store's keys for this wallet in place of those it had. Raises apple.BadKey."""
    names = _names(signer_of(wallet, values))
    sealed = secrets.seal(json.dumps(dict(values)), _context(store.pk, wallet))
    facts = {"names": names, "secrets": sealed, "changed_at": at}
    with transaction.atomic():
        Store.objects.select_for_update(no_key=True).get(pk=store.pk)  # a double click keeps one
        row: WalletKey = WalletKey.objects.update_or_create(store=store, wallet=wallet, defaults=facts)[0]
        note(store, "wallet.saved", subject=wallet, after=names, by=by, at=at)
    return row


def remove(store: Store, wallet: str, *, by: User | None, at: datetime) -> bool:
    """Let go of the keys; False if there were none. Passes in people's phones stay there."""
    with transaction.atomic():
        gone, _rows = WalletKey.objects.for_store(store).filter(wallet=wallet).delete()
        if gone:
            note(store, "wallet.removed", subject=wallet, by=by, at=at)
    return bool(gone)


def keys_of(store: Store) -> dict[str, WalletKey]:
    """The store's keys by wallet."""
    return {row.wallet: row for row in WalletKey.objects.for_store(store)}


def offered(store: Store, at: datetime) -> set[str]:
    """The wallets the store can sign passes for at `at`; a certificate that has ended signs none."""
    return {
        wallet
        for wallet, row in keys_of(store).items()
        if "until" not in row.names or at < datetime.fromisoformat(row.names["until"])
    }


def opened(store: Store, wallet: str, at: datetime) -> apple.Signer | google.Signer | None:
    """What signs for the store now; None without keys, after their end, and when no key of ours opens them."""
    row = keys_of(store).get(wallet) if wallet in offered(store, at) else None
    if row is None:
        return None
    try:
        return signer_of(wallet, json.loads(secrets.unseal(row.secrets, _context(store.pk, wallet))))
    except secrets.Unreadable:
        return None


def renew_secrets(store: Store, at: datetime) -> int:
    """After a change of SECRET_KEY: seal again under the new one; returns how many."""
    renewed = 0
    for row in WalletKey.objects.for_store(store).select_for_update():
        fresh = secrets.renew(row.secrets, _context(store.pk, row.wallet))
        if fresh is not None:
            renewed += WalletKey.objects.for_store(store).filter(pk=row.pk, secrets=row.secrets).update(secrets=fresh)
    return renewed


def _names(by: apple.Signer | google.Signer) -> dict[str, Any]:
    if isinstance(by, apple.Signer):
        return {"pass_type": by.pass_type, "team": by.team, "until": by.until.isoformat()}
    return {"issuer": by.issuer, "account": by.account}


def _context(store_id: int, wallet: str) -> str:
    return f"wallet:{store_id}:{wallet}"
