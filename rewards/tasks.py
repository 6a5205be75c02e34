"""When vouchers end, and the nightly look at the books."""

import logging
from datetime import datetime, timedelta

from rewards.services import ledger, telling, vouchers
from stores.models import Store
from stores.ticks import for_each_store, periodic

logger = logging.getLogger(__name__)


@periodic(3600)
def expire_due(at: datetime) -> int:
    """Mark vouchers past their end."""
    return for_each_store(vouchers.expire_due, at)


@periodic(60)
def tell_of_rewards(at: datetime) -> int:
    """Tell people whose reward ends soon or was taken back lately; the nightly repair is the referrals'."""
    return for_each_store(_tell, at)


def _tell(store: Store, at: datetime) -> int:
    return telling.sweep(store, at - timedelta(hours=1), at)


@periodic(86400)
def recount(at: datetime) -> int:
    """Compare every running balance with the sum of its entries; says so loudly when they differ."""
    return for_each_store(_recount, at)


def _recount(store: Store, at: datetime) -> int:
    wrong = ledger.drift(store)
    if wrong or ledger.total(store):
        logger.error("the books of store %s do not add up: accounts %s", store.pk, sorted(wrong))
    return len(wrong)
