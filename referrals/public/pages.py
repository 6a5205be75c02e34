"""What the pages without login have in common."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from customers.models import Customer
from referrals import rules
from stores.public import enter_by_token
from stores.tokens import Purpose


def gone(request: HttpRequest, *, status: int = 404) -> HttpResponse:
    """One friendly page for everything that cannot be shown."""
    request.store = None  # type: ignore[attr-defined]
    return render(request, "referrals/public/gone.html", status=status)


def is_bot(request: HttpRequest) -> bool:
    """Known bots, and browsers that only fetch ahead."""
    ahead = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return "prefetch" in ahead or rules.is_bot(request.headers.get("User-Agent", ""))


def came_from(request: HttpRequest) -> str:
    """The host of another site that led here; '' when none is told."""
    try:
        host = urlsplit(request.headers.get("Referer", "")).hostname or ""
    except ValueError:  # what no browser sends
        return ""
    return "" if host == request.get_host().partition(":")[0] else host


def owner_of(request: HttpRequest, token: str) -> Customer | None:
    """The living customer of a share page's token, the request bound to their store."""
    pk = enter_by_token(request, Purpose.SHARE, token)
    if pk is None:
        return None
    customers = Customer.objects.for_store(request.store)  # type: ignore[attr-defined]
    found = customers.filter(pk=pk, erased_at=None).select_related("store", "merged_into__store").first()
    return found.today if found else None
