"""The cookie by which a browser is known again: first-party, not readable by script, without it everything works."""

from __future__ import annotations

import re
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from referrals.services.devices import KEPT, hashed
from stores.models import Store

COOKIE = "gw_device"
_OURS = re.compile(r"[A-Za-z0-9_-]{24}")


def known_device(request: HttpRequest) -> str:
    """What the browser brought along; '' for nothing, and for what is not of our making."""
    value = request.COOKIES.get(COOKIE, "")
    return value if _OURS.fullmatch(value) else ""


def device_hash(request: HttpRequest, store: Store) -> str:
    """The browser as checks compare it; '' when it keeps no cookies."""
    return hashed(store, known_device(request))


def new_device() -> str:
    """A value for a browser that brought none: 144 random bits."""
    return secrets.token_urlsafe(18)


def remember(response: HttpResponse, value: str) -> HttpResponse:
    """Give the browser its cookie for as long as traces are kept."""
    response.set_cookie(
        COOKIE,
        value,
        max_age=int(KEPT.total_seconds()),
        httponly=True,
        secure=settings.HTTPS,
        samesite="Lax",
    )
    return response
