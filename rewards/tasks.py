"""When vouchers end, and the nightly look at the books."""

from datetime import datetime, timedelta

from rewards.services import budgets, pools, recounting, telling, vouchers
from stores.models import Store
from stores.ticks import for_each_store, periodic


@periodic(3600)
def expire_due(at: datetime) -> int:
    """Mark vouchers past their end."""
    return for_each_store(vouchers.expire_due, at)


@periodic(5)
def make_codes(at: datetime) -> int:
    """Make the codes that somebody asked for, piece by piece, each in a transaction of its own."""
    return pools.continue_all(at)


@periodic(60)
def gather_leftovers(at: datetime) -> int:
    """Take what promises did not need off their budgets."""
    return for_each_store(budgets.gather_all, at)


@periodic(60)
def tell_of_rewards(at: datetime) -> int:
    """Tell people whose reward ends soon or was taken back lately; the nightly repair is the referrals'."""
    return for_each_store(_tell, at)


def _tell(store: Store, at: datetime) -> int:
    return telling.sweep(store, at - timedelta(hours=1), at)


@periodic(86400)
def recount(at: datetime) -> int:
    """Count the books again; what is wrong stands on the owner's home and stops payouts."""
    return for_each_store(_recount, at)


def _recount(store: Store, at: datetime) -> int:
    return len(recounting.recount(store, at))
