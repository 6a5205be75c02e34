"""What the dashboard keeps for itself."""

from __future__ import annotations

from django.db import models

from stores.tenancy import StoreModel


class KeptNumbers(StoreModel):
    """The numbers of a large store's home as they were at `at`, for the `days` before; a new count replaces them."""

    days = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    values = models.JSONField()  # by name: see insights.numbers.kept

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "days"], name="keptnumbers_once")]
