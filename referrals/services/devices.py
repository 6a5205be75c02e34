"""Browsers and networks as keyed hashes: what checks compare, forgotten after 90 days (RELIABILITY, minimisation)."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from customers.models import Customer
from referrals.models import Claim, Device, Visit
from stores.models import Store
from stores.tenancy import insert_new

KEPT = timedelta(days=90)
MOST = 20  # browsers of one person; a browser that keeps no cookie looks like a new one each time


def hashed(store: Store, value: str) -> str:
    """A cookie's value, or a network, as it is stored: another one in each store; '' stays ''."""
    key = f"goodword.trace:{store.pk}:{settings.SECRET_KEY}".encode()
    return hmac.digest(key, value.encode(), "sha256").hex()[:32] if value else ""


def note_device(customer: Customer, device: str, *, at: datetime) -> None:
    """Remember that this browser (hashed) opened the customer's own page; the oldest give way to new ones."""
    mine = Device.objects.filter(store_id=customer.store_id, customer=customer)
    known = dict(mine.order_by("-at", "-pk").values_list("device", "pk"))
    if not device or device in known:
        return
    insert_new(Device(store_id=customer.store_id, customer=customer, device=device, at=at))
    if len(known) >= MOST:
        mine.filter(pk__in=list(known.values())[MOST - 1 :]).delete()


def forget_traces(store: Store, at: datetime) -> int:
    """Empty what is older than 90 days; how many rows there were."""
    before = at - KEPT
    gone, _ = Device.objects.for_store(store).filter(at__lte=before).delete()
    claims = Claim.objects.for_store(store).filter(at__lte=before).exclude(device="", address="")
    visits = Visit.objects.for_store(store).filter(~Q(device=""), at__lte=before)
    return gone + claims.update(device="", address="") + visits.update(device="")
