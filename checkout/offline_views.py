"""The counter without a line: what a device takes along, what it brings back, and the files that make it an app."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from checkout import guesses, pages, wording
from checkout.access import at_counter
from checkout.device import device_of, remember
from checkout.forms import MOST_MINOR
from checkout.models import Held
from checkout.services import facts, permits, replaying
from checkout.services.permits import BadPermit, Permit
from checkout.services.replaying import OtherFacts, Sent
from stores import codes
from stores.l10n import display_amount, format_money
from stores.models import Store

KEY = re.compile(f"[{codes.ALPHABET.lower()}]{{{codes.PUBLIC_ID_LENGTH}}}")
LONGEST_BODY = 10_000
# What the page without a line needs besides itself. Modules import each other by their plain names, so these
# go without the hash that the other files' addresses have.
FILES = ("css/kit.css", "css/counter.css", "vendor/vazirmatn.woff2", "icons.svg", "favicon.svg", "js/kit.js")
MODULES = ("line", "scanner", "offline", "camera", "vault", "facts", "queue")
ICONS = (("192", "any"), ("512", "any"), ("192", "maskable"), ("512", "maskable"))


@require_GET
@at_counter
def take_along(request: HttpRequest, store: Store) -> HttpResponse:
    """What a device may know and do while it has no line, for the next hours."""
    at, device = timezone.now(), device_of(request, store)
    get_token(request)  # what is held is posted with it later
    place = pages.till_location(request, store)
    permit = permits.issue(store, pages.cashier(request), device=device, location=place, at=at)
    answer: dict[str, Any] = {"permit": ""}
    if permit:
        answer = {
            "permit": permits.sign(permit),
            "issued": permit.issued,
            "until": permit.until,
            "most_held": permit.most_held,
            "most_minor": permit.most_minor,
            **facts.collect(store, permit, at=at),
        }
    return remember(request, JsonResponse(answer), store)


@require_POST
@at_counter
def bring_back(request: HttpRequest, store: Store) -> HttpResponse:
    """One code that was redeemed without a line; the same answer however often it is sent."""
    at = timezone.now()
    try:
        sent, signed = _read(request)
    except (ValueError, RecursionError):
        return JsonResponse(
            {"state": Held.Status.REFUSED, "why": _("What this device sent cannot be read.")}, status=400
        )
    try:
        with guesses.at_till(request, store, pages.cashier(request)) as tried:
            held = replaying.replay(store, sent, _permit(request, store, signed, at), at=at)
            if held.reason == wording.Reason.UNKNOWN and held.received_at == at:
                tried.was_wrong(at)
    except guesses.Wait:
        return JsonResponse({"state": "held"}, status=429, headers={"Retry-After": "5"})
    except OtherFacts:
        why = _("This device sent something else under the same key before.")
        return JsonResponse({"state": Held.Status.REFUSED, "why": why}, status=422)
    return JsonResponse({"state": held.status, "why": wording.why_refused(held, store)})


def _permit(request: HttpRequest, store: Store, signed: str, at: datetime) -> Permit:
    try:
        return permits.read(store, signed)
    except BadPermit:
        place, device = pages.till_location(request, store), device_of(request, store)
        return permits.stand_in(store, pages.cashier(request), device=device, location=place, at=at)


def _read(request: HttpRequest) -> tuple[Sent, str]:
    """What was sent, and the permit it was done under; raises ValueError."""
    if len(request.body) > LONGEST_BODY:
        raise ValueError
    body = json.loads(request.body)
    if not isinstance(body, dict):
        raise ValueError
    key, code, permit = (_text(body, name) for name in ("key", "code", "permit"))
    amount, discount, given_at = (_whole(body, name) for name in ("amount", "discount", "given_at"))
    if not KEY.fullmatch(key) or not codes.normalise(code) or discount > amount:
        raise ValueError
    return Sent(key, code, amount, discount, datetime.fromtimestamp(given_at / 1000, UTC)), permit


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError(name)
    return value


def _whole(body: dict[str, Any], name: str) -> int:
    value = body.get(name)
    if type(value) is not int or not 0 <= value <= MOST_MINOR:
        raise ValueError(name)
    return value


@require_safe
@at_counter
def offline(request: HttpRequest, store: Store) -> HttpResponse:
    """The page that works without a line, and lists what this device holds."""
    language = get_language() or "en"
    none = format_money(0, store.currency, language, toman=store.toman)  # the script puts its number in place of the 0
    one = display_amount(1, store.currency, toman=store.toman)
    context = pages.frame(request, store, money_pattern=none, money_places=-int(one.as_tuple().exponent))
    return render(request, "checkout/offline.html", context)


@require_safe
@at_counter
def worker(request: HttpRequest, store: Store) -> HttpResponse:
    """The service worker of this store's counter; its address is its reach."""
    found = {name: static(name) for name in FILES}
    hashed = [url for name, url in found.items() if url != settings.STATIC_URL + name]
    modules = [f"{settings.STATIC_URL}js/counter/{name}.js" for name in MODULES]
    names = {
        "cache": f"counter-{store.slug}",
        "page": reverse("checkout:offline", args=[store.slug]),
        "fixed": hashed,
        "fresh": [url for url in found.values() if url not in hashed] + modules,
        "reader": [static(name) for name in pages.READER.values()],
    }
    context = {name: json.dumps(value) for name, value in names.items()}
    return render(request, "checkout/worker.js", context, content_type="text/javascript; charset=utf-8")


def _icon(size: str, purpose: str) -> dict[str, str]:
    src = static(f"counter/{purpose}-{size}.png")
    return {"src": src, "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}


@require_safe
@at_counter
def manifest(request: HttpRequest, store: Store) -> HttpResponse:
    """What makes the counter an app on a phone's first screen."""
    home = reverse("checkout:counter", args=[store.slug])
    app = {
        "id": home,
        "start_url": home,
        "scope": home,
        "name": _("%(store)s checkout") % {"store": store.name},
        "short_name": _("Checkout"),
        "lang": get_language() or "en",
        "dir": "rtl" if get_language_bidi() else "ltr",
        "display": "standalone",
        "background_color": "#f3f6f5",
        "theme_color": store.brand_color,
        "icons": [_icon(size, purpose) for size, purpose in ICONS],
    }
    return JsonResponse(app, content_type="application/manifest+json")
