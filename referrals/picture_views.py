"""The pictures that go out with a link."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from customers.models import Customer
from referrals.materials.drawing import CannotDraw
from referrals.me_views import own_page
from referrals.public import pictures
from referrals.public.limits import WINDOW
from referrals.public.pages import gone
from referrals.services import links
from referrals.services.programs import program_for
from rewards.models import Terms
from stores.limits import count
from stores.middleware import KNOWN
from stores.public import enter_by_token, public_page
from stores.tokens import Purpose

STORIES = 30  # of one advocate in an hour


@public_page
@require_safe
def card(request: HttpRequest, token: str, language: str) -> HttpResponse:
    """What chat apps show beside the link: the gift and the shop. The same for everybody, so it may be kept."""
    pk = enter_by_token(request, Purpose.TERMS, token)
    if pk is None or language not in KNOWN:
        return gone(request)
    store = request.store  # type: ignore[attr-defined]
    terms = Terms.objects.for_store(store).filter(pk=pk).select_related("friend_offer").first()
    if terms is None:
        return gone(request)
    try:
        response = HttpResponse(pictures.card(terms, store, language), content_type="image/png")
    except CannotDraw:
        return gone(request)
    response["Cache-Control"] = f"public, max-age={pictures.KEPT}"
    return response


@require_safe
@own_page
def story(request: HttpRequest, owner: Customer, token: str) -> HttpResponse:
    """The advocate's gift as a picture for their story, with their code."""
    now = timezone.now()
    program = program_for(owner, now)
    if program is None:
        return gone(request)
    if count(f"story:{owner.pk}", per_seconds=WINDOW) > STORIES:
        return HttpResponse(status=429, headers={"Retry-After": str(WINDOW)})
    link = links.share_link_of(owner, at=now)
    link.customer = owner
    try:
        picture = pictures.story(link, program, get_language() or "en")
    except CannotDraw:
        return gone(request)
    response = HttpResponse(picture, content_type="image/png")
    response["Content-Disposition"] = f'attachment; filename="{owner.store.slug}.png"'
    return response
