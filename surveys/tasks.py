"""When people are asked how it was."""

from datetime import datetime, timedelta

from stores.models import Store
from stores.ticks import for_each_store, periodic
from surveys.services import inviting


@periodic(30)
def plan_invitations(at: datetime) -> int:
    """Plan questions about orders that changed lately."""
    return for_each_store(inviting.plan_invitations, at)


@periodic(86400)
def plan_missed(at: datetime) -> int:
    """The nightly repair: the same without the bounded look-back."""
    return for_each_store(_plan_all, at)


def _plan_all(store: Store, at: datetime) -> int:
    return inviting.plan_invitations(store, at, since=at - timedelta(days=3650))


@periodic(30)
def invite_due(at: datetime) -> int:
    """Ask about orders whose value has shown."""
    return for_each_store(inviting.invite_due, at)
