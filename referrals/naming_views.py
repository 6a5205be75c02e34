"""A friend without a link types who sent them, and comes to that advocate's gift."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from customers.rules import clean_name
from referrals.public.friends import short
from referrals.public.pages import gone
from referrals.services import naming
from referrals.services.links import share_link_of
from referrals.services.programs import live_program
from stores import directory
from stores.models import Store
from stores.public import act_in, address_of, network_of, public_page

LONGEST = 120


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def who_sent_you(request: HttpRequest, slug: str) -> HttpResponse:
    """Advocates who may be meant by `q`, by first name and initial; a POST goes on to the one that is picked."""
    store_id = directory.store_id_by_slug(slug)
    store = directory.enter(store_id) if store_id else None
    if store is None or live_program(store, timezone.now()) is None:
        return gone(request)
    act_in(request, store)
    typed = clean_name((request.POST or request.GET).get("q", "")[:LONGEST])
    if typed and naming.too_many(store, network_of(address_of(request)), where="network"):
        response = _show(request, store, typed, "busy", status=429)
        response["Retry-After"] = str(naming.WINDOW)
        return response
    picked = request.POST.get("advocate", "")
    advocate = next((one for one in naming.candidates(store, typed) if one.public_id == picked), None)
    if advocate:
        return redirect("referral:landing", code=share_link_of(advocate, at=timezone.now()).code)
    return _show(request, store, typed, "" if naming.folded(typed) or not typed else "short")


def _show(request: HttpRequest, store: Store, typed: str, notice: str, *, status: int = 200) -> HttpResponse:
    found = [] if notice else naming.candidates(store, typed)
    people = [{"public_id": one.public_id, "shown": short(one.short_name)} for one in found]
    context = {"typed": typed, "people": people, "notice": notice}
    return render(request, "referrals/public/names.html", context, status=status)
