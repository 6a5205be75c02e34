"""What the owner allows a device at the counter. The only writer of CounterSettings."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from checkout.models import CounterSettings
from stores.models import Store, User
from stores.services import note
from stores.tenancy import insert_new


def settings_of(store: Store) -> CounterSettings:
    """What the owner decided, or the defaults."""
    found: CounterSettings | None = CounterSettings.objects.for_store(store).first()
    return found or CounterSettings(store=store)


def change(store: Store, wanted: dict[str, object], *, by: User | None, at: datetime) -> list[str]:
    """Put these fields of CounterSettings in force; returns those that changed."""
    with transaction.atomic():
        insert_new(CounterSettings(store=store))
        current = CounterSettings.objects.select_for_update().get(store=store)
        changes = {field: value for field, value in wanted.items() if getattr(current, field) != value}
        if changes:
            before = {field: getattr(current, field) for field in changes}
            CounterSettings.objects.filter(pk=current.pk, store=store).update(**changes)
            note(store, "counter.settings", before=before, after=changes, by=by, at=at)
    return list(changes)
