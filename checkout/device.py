"""Which device at the counter a request comes from: a signed cookie that nobody can make up."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from stores import codes
from stores.models import Store

COOKIE = "device"
KEPT = 365 * 86400  # seconds


def device_of(request: HttpRequest, store: Store) -> str:
    """The device's name; a new one for a device that has none yet (`remember` gives it to it)."""
    known = known_device(request, store)
    if not known:
        known = getattr(request, "new_device", "") or codes.public_id()
        request.new_device = known  # type: ignore[attr-defined]
    return known


def known_device(request: HttpRequest, store: Store) -> str:
    """The device's name; '' for one that has none."""
    return request.get_signed_cookie(COOKIE, "", salt=f"{COOKIE}:{store.pk}") or ""


def remember(request: HttpRequest, response: HttpResponse, store: Store) -> HttpResponse:
    """Give a new device its name."""
    fresh = getattr(request, "new_device", "")
    if fresh:
        response.set_signed_cookie(
            COOKIE,
            fresh,
            salt=f"{COOKIE}:{store.pk}",
            max_age=KEPT,
            path=reverse("checkout:counter", args=[store.slug]),
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )
    return response
