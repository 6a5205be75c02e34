"""Which browsers an advocate uses."""

from __future__ import annotations

from django.db import models

from customers.models import Customer
from stores.tenancy import StoreModel, TenantKey


class Device(StoreModel):
    """A browser that opened a customer's own page; a friend who takes the gift in it may be themselves.

    `device` is a keyed hash as on Claim; forgotten after 90 days (`referrals.services.devices`).
    """

    customer = TenantKey(Customer, models.PROTECT, related_name="devices", db_index=False)
    device = models.CharField(max_length=32)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "customer", "device"], name="device_once")]
        # Whose browser is this? And the sweep that forgets.
        indexes = [
            models.Index(fields=["store", "device"], name="device_whose"),
            models.Index(fields=["store", "at"], name="device_old"),
        ]
