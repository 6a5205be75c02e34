"""Pages without login: what a signed link opens, and what such pages must not give away.

The token in the URL is the only key, so these pages are never cached or indexed and never tell
another site where the visitor came from. They take POSTs without a CSRF cookie: there is no session
to ride on, and a browser that blocks cookies, or sends `Origin: null` because of our own
Referrer-Policy, must still be able to answer a survey or stop our letters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from stores import directory, tokens
from stores.models import Store

View = Callable[..., HttpResponse]


def public_page(view: View) -> View:
    """A page without login: no cookie needed, not cached, not indexed, no address leaks to other sites."""

    @csrf_exempt
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with timezone.override(None):  # the zone a page acts in must not outlive it on this thread
            response = view(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store, private")
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return page


def enter_by_token(request: HttpRequest, purpose: tokens.Purpose, token: str) -> int | None:
    """The id of the row a token names, with the request bound to its store; None for a token that is not ours."""
    try:
        store_id, row_id = tokens.read(purpose, token)
    except tokens.BadToken:
        return None
    store = directory.enter(store_id)
    if store is None:
        return None
    act_in(request, store)
    return row_id


def act_in(request: HttpRequest, store: Store) -> None:
    """Show the store's face and its time on this page."""
    request.store = store  # type: ignore[attr-defined]
    timezone.activate(store.zone)


def address_of(request: HttpRequest) -> str:
    """The visitor's address: what the outermost of our TRUSTED_PROXIES saw; '' when unknown.

    Each proxy adds what it saw at the right of X-Forwarded-For; whatever stands further left was
    written by the visitor and is not believed.
    """
    seen = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    hops = settings.TRUSTED_PROXIES
    text = seen[-hops] if 0 < hops <= len(seen) else request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def network_of(address: str) -> str:
    """What tries are counted by: the address, or the /64 that one IPv6 customer has to themselves."""
    known = ip_address(address) if address else None
    return str(ip_network((known, 64), strict=False)) if isinstance(known, IPv6Address) else address
