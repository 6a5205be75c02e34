"""What the pages without login have in common."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from customers.models import Customer
from referrals import rules
from referrals.services import links
from referrals.services.devices import hashed
from stores.models import Store
from stores.public import address_of, enter_by_token
from stores.tokens import Purpose


def gone(request: HttpRequest, *, status: int = 404) -> HttpResponse:
    """One friendly page for everything that cannot be shown."""
    request.store = None  # type: ignore[attr-defined]
    return render(request, "referrals/public/gone.html", status=status)


def is_bot(request: HttpRequest) -> bool:
    """Known bots, and browsers that only fetch ahead."""
    ahead = request.META.get("HTTP_SEC_PURPOSE", "") + request.META.get("HTTP_PURPOSE", "")
    return "prefetch" in ahead or rules.is_bot(request.META.get("HTTP_USER_AGENT", ""))


def came_from(request: HttpRequest) -> str:
    """The host of another site that led here; '' when none is told."""
    try:
        host = urlsplit(request.META.get("HTTP_REFERER", "")).hostname or ""
    except ValueError:  # what no browser sends
        return ""
    return "" if not host or host == request.get_host().partition(":")[0] else host


def opening_of(request: HttpRequest, store: Store, link_id: int, device: str, at: datetime) -> dict[str, Any]:
    """What is written down of somebody who opens a share link in this browser (`links.opening`)."""
    is_program = is_bot(request)
    agent = request.META.get("HTTP_USER_AGENT", "")
    return links.opening(
        store.pk,
        link_id,
        visitor=links.visitor_of(address_of(request), agent, at.date().isoformat()),
        is_bot=is_program,
        at=at,
        device="" if is_program else hashed(store, device),
        referrer=came_from(request),
    )


def owner_of(request: HttpRequest, token: str) -> Customer | None:
    """The living customer of a share page's token, the request bound to their store."""
    pk = enter_by_token(request, Purpose.SHARE, token)
    if pk is None:
        return None
    customers = Customer.objects.for_store(request.store)  # type: ignore[attr-defined]
    found = customers.filter(pk=pk, erased_at=None).select_related("store", "merged_into__store").first()
    return found.today if found else None
