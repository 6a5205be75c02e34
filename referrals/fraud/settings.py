"""How strict a store's checks are: thresholds and weights, changed by people, with a trace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from referrals.fraud.rules import HOLD_AT, REFUSE_AT, WEIGHTS, weights_for
from referrals.models import CheckSettings
from stores.models import AuditEvent, Store, User
from stores.tenancy import insert_new


@dataclass(frozen=True)
class Strictness:
    """The thresholds and every signal's weight, as they hold."""

    hold_at: int
    refuse_at: int
    weights: dict[str, int]
    weights_follow: bool = False


def strictness_of(store: Store) -> Strictness:
    """The store's own, or what everybody starts with."""
    row = CheckSettings.objects.for_store(store).first()
    if row is None:
        return Strictness(HOLD_AT, REFUSE_AT, weights_for({}))
    return Strictness(row.hold_at, row.refuse_at, weights_for(row.weights), row.weights_follow)


def change(store: Store, wanted: Strictness, *, by: User | None, at: datetime) -> list[str]:
    """Put these in force for referrals that are looked at from now on; returns what changed.

    A weight that is the default is not kept, so that a later default reaches the store.
    """
    own = {name: weight for name, weight in wanted.weights.items() if WEIGHTS.get(name) != weight}
    values: dict[str, Any] = {
        "hold_at": wanted.hold_at,
        "refuse_at": wanted.refuse_at,
        "weights": own,
        "weights_follow": wanted.weights_follow,
    }
    with transaction.atomic():
        insert_new(CheckSettings(store=store))
        row = CheckSettings.objects.for_store(store).select_for_update().get()
        before = {name: getattr(row, name) for name in values if getattr(row, name) != values[name]}
        if before:
            after = {name: values[name] for name in before}
            CheckSettings.objects.for_store(store).filter(pk=row.pk).update(**after)
            AuditEvent.objects.create(store=store, at=at, user=by, action="checks.changed", before=before, after=after)
    return list(before)
