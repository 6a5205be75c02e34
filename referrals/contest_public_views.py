"""What everybody can read about a contest: who leads, and the rules. No login, and nobody's name but by consent."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from referrals.models import Contest
from referrals.public.contests import SHOWN, public_rows, rules_of
from referrals.public.pages import gone
from referrals.services.contests import is_shown
from stores import directory
from stores.middleware import speak
from stores.public import act_in, public_page


@public_page
@require_safe
def contest(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """The leaderboard as it stands, or as it was written down; the rules."""
    store_id = directory.store_id_by_slug(slug)
    store = directory.enter(store_id) if store_id else None
    if store is None:
        return gone(request)
    rows = Contest.objects.for_store(store).select_related("store", "consolation")
    found = rows.filter(public_id=public_id).first()
    if found is None or not is_shown(found):
        return gone(request)
    act_in(request, store)
    speak(request, store.locale)
    now = timezone.now()
    state = found.state_at(now)
    context = {
        "contest": found,
        "state": state,
        "rows": public_rows(found, now) if state not in ("coming", "cancelled") else [],
        "shown": SHOWN,
        "rules": rules_of(found),
    }
    return render(request, "referrals/public/contest.html", context)
