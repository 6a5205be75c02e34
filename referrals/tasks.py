"""When people are asked, and when orders are credited, approved and voided."""

from datetime import datetime, timedelta

from customers.services.comparing import fill_compared
from referrals import audiences
from referrals.fraud import examining, learning
from referrals.services import (
    asking,
    attribution,
    campaigns,
    contests,
    deciding,
    devices,
    forgetting,
    journeying,
    later,
    merging,
    partner_statements,
    prints,
    promising,
    refunds,
    stopping,
    unimporting,
    wallets,
)
from rewards.services import granting
from stores.models import Store
from stores.ticks import for_each_store, periodic

EVER = timedelta(days=3650)


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
    return attribution.attribute_orders(store, at, since=at - EVER)


@periodic(60)
def examine_waiting(at: datetime) -> int:
    """Look again at what waits, before it counts by itself."""
    return for_each_store(examining.examine_due, at)


@periodic(86400)
def follow_decisions(at: datetime) -> int:
    """Let the checks' weights follow what people decided, where the store wishes so."""
    return for_each_store(learning.follow, at)


@periodic(86400)
def fill_what_checks_compare(at: datetime) -> int:
    """Mailboxes and addresses of customers who were written down before these were kept."""
    return for_each_store(fill_compared, at)


@periodic(30)
def approve_due(at: datetime) -> int:
    """Approve referrals whose hold is over; twice is harmless."""
    return for_each_store(deciding.approve_due, at)


@periodic(30)
def answer_refunds(at: datetime) -> int:
    """Void referrals, and make rewards smaller, whose purchase was cancelled or sent back lately."""
    return for_each_store(refunds.answer_refunds, at)


@periodic(86400)
def answer_missed_refunds(at: datetime) -> int:
    """The nightly repair: the same without the bounded look-back."""
    return for_each_store(_answer_all_refunds, at)


def _answer_all_refunds(store: Store, at: datetime) -> int:
    return refunds.answer_refunds(store, at, since=at - EVER)


@periodic(300)
def close_contests(at: datetime) -> int:
    """Close contests that have settled, and give their prizes; twice is harmless."""
    return for_each_store(contests.close_due, at)


@periodic(300)
def reward_later(at: datetime) -> int:
    """Grant what friends' later purchases bring."""
    return for_each_store(later.reward_later, at)


@periodic(86400)
def reward_missed(at: datetime) -> int:
    """The nightly repair: the same without the bounded look-back."""
    return for_each_store(_reward_all_later, at)


def _reward_all_later(store: Store, at: datetime) -> int:
    return later.reward_later(store, at, since=at - EVER)


@periodic(3600)
def end_waiting(at: datetime) -> int:
    """Give who did not choose in time the usual reward, and the room of gifts nobody used to others."""
    return for_each_store(_end_waiting, at)


def _end_waiting(store: Store, at: datetime) -> int:
    return granting.choose_due(store, at) + promising.release_unused(store, at)


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


@periodic(5)
def make_prints(at: datetime) -> int:
    """Make the codes and sheets of large print runs, piece by piece, each in a transaction of its own."""
    return prints.continue_all(at)


@periodic(60)
def forget_customers(at: datetime) -> int:
    """Forget customers whose owner said so an hour ago, each in a transaction of its own."""
    return forgetting.continue_all(at)


@periodic(5)
def take_back_files(at: datetime) -> int:
    """Take files back that somebody undid, piece by piece, each in a transaction of its own."""
    return unimporting.continue_all(at)


@periodic(86400)
def forget_sheets(at: datetime) -> int:
    """Delete sheets of large print runs after a week."""
    return for_each_store(prints.forget_sheets, at)


@periodic(60)
def bring_along(at: datetime) -> int:
    """Bring along what was written to somebody in the moment they were merged with another customer."""
    return for_each_store(merging.bring_along, at)


@periodic(86400)
def renew_wallet_secrets(at: datetime) -> int:
    """After a change of SECRET_KEY: seal the stores' keys for passes under the new one."""
    return for_each_store(wallets.renew_secrets, at)


@periodic(86400)
def forget_traces(at: datetime) -> int:
    """Forget which browsers and networks people came by, after 90 days."""
    return for_each_store(devices.forget_traces, at)


@periodic(3600)
def keep_partners(at: datetime) -> int:
    """Settle with partner stores what is over, tell both sides this month's numbers, keep their gifts in step."""
    return for_each_store(partner_statements.keep, at)
