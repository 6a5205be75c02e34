"""A row of every kind in one store, all of them under one public id: whatever an address names, it is there."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.apps import apps
from django.db import ProgrammingError, models, transaction

from rewards.models import Entry, Offer, Voucher
from stores.models import Store, User
from stores.tenancy import StoreModel
from tests.conftest import NOW

ID = "abcdefghjkmnpqrstuvw"
# Where the first value that comes to hand breaks a rule of the table.
SPECIAL: dict[str, dict[str, Any]] = {
    "surveys.Invitation": {"key": "x"},
    "rewards.Offer": {"percent": 10},
    "referrals.Contest": {"ends_at": NOW + timedelta(days=1)},
    "referrals.Boost": {"ends_at": NOW + timedelta(days=1), "percent": 150},
    "referrals.PrintRun": {"whom": "store", "code_norm": "X"},
}


def every_row(store: Store, user: User) -> dict[type[models.Model], models.Model]:
    """One row of each tenant table; the transaction is bound to the store."""
    made: dict[type[models.Model], models.Model] = {Store: store, User: user}
    for model in apps.get_models():
        if issubclass(model, StoreModel) and model is not Entry:  # a single one would not sum to zero
            _row(model, made)
    return made


def _row(model: type[models.Model], made: dict[type[models.Model], models.Model]) -> models.Model:
    if model not in made:
        made[model] = _renamed(model, made) or _made(model, made)
    return made[model]


def _renamed(model: type[models.Model], made: dict[type[models.Model], models.Model]) -> models.Model | None:
    """A row that a new store has from the beginning; None where there is none, or it can be written only once."""
    there = model.objects.filter(store=made[Store]).order_by("pk").first()  # type: ignore[attr-defined]
    if there and hasattr(there, "public_id"):
        try:
            with transaction.atomic():
                model.objects.filter(pk=there.pk).update(public_id=ID)  # type: ignore[attr-defined]
        except ProgrammingError:
            return None
    return there


def _made(model: type[models.Model], made: dict[type[models.Model], models.Model]) -> models.Model:
    values: dict[str, Any] = {"offer": _row(Offer, made)} if model is Voucher else {}
    values |= {field.name: _value(field, made) for field in model._meta.concrete_fields if _is_asked(field)}
    return model.objects.create(**values | SPECIAL.get(model._meta.label, {}))  # type: ignore[attr-defined]


def _is_asked(field: models.Field) -> bool:
    if field.name in ("public_id", "slug"):
        return True
    return not (field.primary_key or field.null or field.has_default() or field.blank)


def _value(field: models.Field, made: dict[type[models.Model], models.Model]) -> Any:
    if field.is_relation:
        return _row(field.related_model, made)
    if field.name in ("public_id", "slug"):
        return ID
    if field.choices:
        return field.flatchoices[0][0]
    if isinstance(field, models.DateTimeField):
        return NOW
    if isinstance(field, models.DateField):
        return date(2026, 11, 1)
    if isinstance(field, models.CharField) and field.name == "currency":
        return "PHP"
    if isinstance(field, models.CharField | models.TextField):
        return "x"
    return b"x" if isinstance(field, models.BinaryField) else 1
