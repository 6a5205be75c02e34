"""When messages go out."""

from datetime import datetime

from celery import shared_task

from outreach import accounts, aftermath, complaints, dispatch, mail_reports, replies, reports
from stores import holding
from stores.models import Store
from stores.ticks import for_each_store, periodic


@periodic(5)
def send_due(at: datetime) -> int:
    """Send what is due; a lost or doubled tick costs delay, nothing else.

    Stops after 20 s even when more is due, so that other jobs get their turn; the next tick goes on.
    Nothing goes out of a database that was restored or copied until somebody has looked (`stores.holding`).
    """
    return 0 if holding.held_since(at) else dispatch.dispatch(seconds=20)


@periodic(15)
def settle_expired_leases(at: datetime) -> int:
    """Look after messages whose worker died."""
    return for_each_store(aftermath.settle_expired_leases, at)


@periodic(30)
def ask_about_unknown(at: datetime) -> int:
    """Ask providers after messages of which nobody knows whether they arrived."""
    return aftermath.ask_about_unknown(at)


@periodic(60)
def settle_reported(at: datetime) -> int:
    """Messages given up as unknown whose report had come while they were still being sent."""
    return for_each_store(reports.settle_reported, at)


@periodic(3600)
def watch_complaints(at: datetime) -> int:
    """Stop advertising by mail where too many marked it as spam; returns how many stores are above the line."""
    return for_each_store(_watch, at)


def _watch(store: Store, at: datetime) -> int:
    return complaints.watch(store, at) == complaints.State.STOP


@periodic(86400)
def renew_secrets(at: datetime) -> int:
    """After a change of SECRET_KEY: seal the stores' keys under the new one."""
    return for_each_store(accounts.renew_secrets, at)


@shared_task
def confirm_stop(store_id: int, customer_id: int) -> None:
    """Text somebody that their stop has been heard."""
    if not holding.held_since():
        replies.confirm(store_id, customer_id)


@shared_task
def confirm_reports(url: str) -> None:
    """Tell Amazon that its reports are wanted here."""
    mail_reports.confirm(url)
