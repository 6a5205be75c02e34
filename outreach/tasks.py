"""When messages go out."""

from datetime import datetime

from outreach import dispatch
from stores.ticks import for_each_store, periodic


@periodic(5)
def send_due(at: datetime) -> int:
    """Send what is due; a lost or doubled tick costs delay, nothing else.

    Stops after 20 s even when more is due, so that other jobs get their turn; the next tick goes on.
    """
    return dispatch.dispatch(seconds=20)


@periodic(15)
def settle_expired_leases(at: datetime) -> int:
    """Look after messages whose worker died."""
    return for_each_store(dispatch.settle_expired_leases, at)
