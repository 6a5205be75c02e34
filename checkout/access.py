"""Who stands at the counter: whoever is logged in there, or whoever took the device over by PIN."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from checkout.services import pins
from stores.access import for_role
from stores.models import Membership, Role, Store

TAKEN = "taken_over"  # in the session: {"home": this counter's address, "membership": whose PIN it was}


def at_counter(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """`for_role(STAFF)`, and `request.cashier`: who is to be named with what is done."""

    @for_role(Role.STAFF)
    @wraps(view)
    def guarded(request: HttpRequest, store: Store, *args: Any, **kwargs: Any) -> HttpResponse:
        taken = request.session.get(TAKEN)
        if taken is None:
            request.cashier = request.user  # type: ignore[attr-defined]
            return _with_camera(view(request, store, *args, **kwargs))
        person = pins.holders(store).filter(pk=taken["membership"]).first()
        if person is None:  # works here no more
            return redirect("checkout:switch", store.slug)
        request.cashier = person.user  # type: ignore[attr-defined]
        return _with_camera(view(request, store, *args, **kwargs))

    return guarded


def _with_camera(response: HttpResponse) -> HttpResponse:
    """Let the page use the camera, and the QR reader run, which is WebAssembly."""
    response.headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
    response._csp_update = {"script-src": ["'wasm-unsafe-eval'"]}  # type: ignore[attr-defined]
    return response


def take(request: HttpRequest, store: Store, membership: Membership) -> None:
    """From now on the session is this person's at the counter, and reaches nothing else."""
    home = reverse("checkout:counter", args=[store.slug])
    request.session[TAKEN] = {"home": home, "membership": membership.pk}


class KeptToCounter:
    """A device that was taken over by PIN shows the counter only: what lies behind it belongs to whoever logged in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Lead every other address back to the counter; logging out is always possible."""
        taken = request.session.get(TAKEN) if settings.SESSION_COOKIE_NAME in request.COOKIES else None
        if taken and not request.path.startswith((taken["home"], settings.STATIC_URL, reverse("account_logout"))):
            return redirect(taken["home"])
        return self.get_response(request)
