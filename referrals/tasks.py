"""When people are asked, and when orders are credited, approved and voided."""

from datetime import datetime, timedelta

from referrals import audiences
from referrals.services import asking, attribution, campaigns, deciding, journeying, stopping
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


@periodic(30)
def stop_pointless(at: datetime) -> int:
    """Take back what waits about something that has ended."""
    return for_each_store(stopping.stop_pointless, at)


@periodic(30)
def tell_steps(at: datetime) -> int:
    """Tell advocates what their friends did lately."""
    return for_each_store(journeying.tell_steps, at)


@periodic(60)
def answer_purchases(at: datetime) -> int:
    """Answer late purchases, events, scores and solved cases."""
    return for_each_store(journeying.answer_purchases, at)


@periodic(300)
def keep_days(at: datetime) -> int:
    """Birthdays, long absences, reminders, gifts that end."""
    return for_each_store(journeying.keep_days, at)


@periodic(86400)
def repair_journeys(at: datetime) -> int:
    """The nightly repair of the four above and of `rewards.tasks.tell_of_rewards`: as far back as it is still news."""
    return for_each_store(journeying.repair, at)


@periodic(600)
def refresh_segments(at: datetime) -> int:
    """Write down who belongs to each audience now."""
    return for_each_store(audiences.refresh_all, at)


@periodic(5)
def send_by_hand(at: datetime) -> int:
    """Plan the messages that somebody pressed "send" for, piece by piece, each in a transaction of its own."""
    return campaigns.continue_all(at)
