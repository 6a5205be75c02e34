"""From a text gateway's call to news: the gateways check and read, their reports become `reports.News`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest

from outreach.channels import sms
from outreach.channels.sms import Account, Incoming, Outcome, Report
from outreach.models import ProviderEvent, Suppression
from outreach.reports import News, plain

What = ProviderEvent.What
WHAT = {Outcome.DELIVERED: What.DELIVERED, Outcome.FAILED: What.FAILED, Outcome.BLOCKED: What.FAILED}


def read(provider: str, values: Mapping[str, str], request: HttpRequest, now: datetime) -> list[News]:
    """The news in one call; raises sms.Forged."""
    called = sms.GATEWAYS[provider].reports(Account(provider, values), incoming(request))
    return [news for report in called if (news := _news(report))]


def incoming(request: HttpRequest) -> Incoming:
    """The call as the gateways take it. Its address is the public one, which is what providers sign."""
    return Incoming(
        method=request.method or "",
        url=settings.SITE_URL + request.get_full_path(),
        headers=dict(request.headers),
        query={name: str(value) for name, value in request.GET.items()},
        body=request.body,
    )


def _news(report: Report) -> News | None:
    event_id = plain(report.event_id)
    if report.inbound:
        said = report.inbound
        return News(event_id, What.INBOUND, address=plain(said.from_number), text=said.text, said=said.said)
    if report.status is None:
        return None
    return News(
        event_id,
        WHAT[report.status],
        provider_id=plain(report.provider_id),
        reference=plain(report.reference),
        # Blocked by the person or their operator: that is a wish, and ends when they take it back there.
        closes=str(Suppression.Reason.UNSUBSCRIBED) if report.status == Outcome.BLOCKED else "",
    )
