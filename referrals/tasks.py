"""When people are asked, and when orders are credited, approved and voided."""

from datetime import datetime, timedelta

from referrals.services import asking, attribution, deciding
from stores.models import Store
from stores.ticks import for_each_store, periodic


@periodic(60)
def ask_silent(at: datetime) -> int:
    """One later ask to those who stayed silent."""
    return for_each_store(asking.ask_silent, at)


@periodic(30)
def attribute_orders(at: datetime) -> int:
    """Credit orders that changed lately."""
    return for_each_store(attribution.attribute_orders, at)


@periodic(86400)
def attribute_missed(at: datetime) -> int:
    """The nightly repair: the same without the bounded look-back."""
    return for_each_store(_attribute_all, at)


def _attribute_all(store: Store, at: datetime) -> int:
    return attribution.attribute_orders(store, at, since=at - timedelta(days=3650))


@periodic(30)
def approve_due(at: datetime) -> int:
    """Approve referrals whose hold is over; twice is harmless."""
    return for_each_store(deciding.approve_due, at)


@periodic(30)
def void_refunded(at: datetime) -> int:
    """Void referrals whose order was refunded or cancelled."""
    return for_each_store(deciding.void_refunded, at)
