"""What stands on the shop's own site: one script, and the pages it puts into frames. No cookie, no person, no form.

What a frame shows is named in its address, so everybody who opens that address gets the same, and it may be kept.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache, wraps
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.http import condition, require_safe

from customers.models import Product
from referrals.materials.words import joining_url
from referrals.models import Program, ShareLink, Visit
from referrals.public.friends import short
from referrals.public.ladders import Standing, tiers_of
from referrals.public.sharing import offers_of, share_panel
from referrals.services import claims, links, prints
from referrals.services.programs import live_program, program_for
from rewards.wording import offer_text
from stores import codes, directory
from stores.framing import framed, origins_of
from stores.middleware import KNOWN
from stores.models import Store
from stores.public import act_in, public_page
from stores.rules import readable_shade
from surveys.services import testimonials as words

SCRIPT_SECONDS = 3600
FRAME_SECONDS = 300
MOST_WORDS = 6
SHOWN_GOODS = 6


# -- The script --


@cache
def _script() -> bytes:
    return (settings.BASE_DIR / "static" / "js" / "widget.js").read_bytes()


def _version(request: HttpRequest, shop: str) -> str:
    return f'"{sha256(_script()).hexdigest()[:20]}"'


@transaction.non_atomic_requests
@require_safe
@condition(etag_func=_version)
def script(request: HttpRequest, shop: str) -> HttpResponse:
    """The script, the same for every store: it reads the store from its own address. Asks no database."""
    response = HttpResponse(_script(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = f"public, max-age={SCRIPT_SECONDS}"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.keeps_no_cookie = True  # type: ignore[attr-defined]
    return response


# -- The frames --


def frame(view: Callable[[HttpRequest, Store, datetime], HttpResponse]) -> Callable[..., HttpResponse]:
    """A page for a frame on the store's own site, in the language of its address, else the store's."""

    @public_page
    @require_safe
    @wraps(view)
    def page(request: HttpRequest, shop: str) -> HttpResponse:
        store = _store(shop)
        if store is None:
            return HttpResponse(status=404)
        act_in(request, store)
        _speak(request, store)
        response = framed(view(request, store, timezone.now()), store)
        kind = "private" if request.GET.get("code") or request.GET.get("visit") else "public"
        response["Cache-Control"] = f"{kind}, max-age={FRAME_SECONDS}"
        return response

    return page


def _store(shop: str) -> Store | None:
    store_id = directory.store_id_by_slug(shop)
    return directory.enter(store_id) if store_id else None


def _speak(request: HttpRequest, store: Store) -> None:
    """Only the address decides: whatever is kept must be the same for everybody."""
    asked = request.GET.get("lang", "")
    translation.activate(asked if asked in KNOWN else store.locale)
    request.LANGUAGE_CODE = translation.get_language()  # type: ignore[attr-defined]


def _render(request: HttpRequest, store: Store, kind: str, context: dict[str, object]) -> HttpResponse:
    facts = {"parents": origins_of(store), "brand": readable_shade(store.brand_color), **context}
    return render(request, f"referrals/frames/{kind}.html", facts)


@frame
def banner(request: HttpRequest, store: Store, at: datetime) -> HttpResponse:
    """To whoever came by a friend's link: the gift and its code. To others: what both sides would get."""
    link, program = _meant(request, store, at)
    if link and program:
        sender = short(link.customer.first_name)
        gift = {"gift": offer_text(program.terms.friend_offer, store), "sender": sender, "link": link}
        return _render(request, store, "banner", {**gift, "url": links.landing_url(link)})
    return _render(request, store, "banner", _invitation(store, at))


@frame
def share(request: HttpRequest, store: Store, at: datetime) -> HttpResponse:
    """The share buttons of the customer whose code the shop's page names; to others the way to a link of their own."""
    link, program = _meant(request, store, at)
    if link and program:
        # As for anybody: how many friends they have is not shown here.
        panel = share_panel(store, link, program, Standing(tiers_of(program.terms.ladder)))
        return _render(request, store, "share", {"panel": panel, "is_own": True})
    return _render(request, store, "share", _invitation(store, at))


@frame
def testimonials(request: HttpRequest, store: Store, at: datetime) -> HttpResponse:
    """Customers' words that may be shown."""
    return _render(request, store, "testimonials", {"testimonials": words.feed(store, MOST_WORDS)})


def _meant(request: HttpRequest, store: Store, at: datetime) -> tuple[ShareLink | None, Program | None]:
    """The link that the address names, by its code or by the visit that led to the shop, and its program now."""
    link = links.find_link(store, codes.normalise(request.GET.get("code", "")), at=at)
    link = link or _visited(store, request.GET.get("visit", ""), at)
    if link is None or link.customer.erased_at or claims.is_blocked(link):
        return None, None
    return link, program_for(link.customer, at)


def _visited(store: Store, token: str, at: datetime) -> ShareLink | None:
    rows = Visit.objects.for_store(store).filter(token=token[:20]) if token else Visit.objects.none()
    visit = rows.select_related("link__customer__store", "link__store").first()
    link: ShareLink | None = visit.link if visit else None
    return link if link and (link.expires_at is None or link.expires_at > at) else None


def _invitation(store: Store, at: datetime) -> dict[str, object]:
    program, run = live_program(store, at), prints.site_run(store)
    if program is None:
        return {}
    return {"panel": offers_of(store, program), "url": joining_url(run) if run else ""}


# -- The demo's shop --


@public_page
@require_safe
def demo_shop(request: HttpRequest, shop: str) -> HttpResponse:
    """A made-up shop's site that embeds everything by the very lines an owner copies. Only where DEMO is set."""
    store = _store(shop) if settings.DEMO else None
    if store is None:
        raise Http404("no such shop")
    act_in(request, store)
    _speak(request, store)
    goods = Product.objects.for_store(store).exclude(name="").order_by("pk")[:SHOWN_GOODS]
    return render(request, "referrals/demo_shop.html", {"goods": goods, "language": translation.get_language()})
