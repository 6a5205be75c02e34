"""For managers: what devices brought back and could not be done as it was given. For owners: how far they may go."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from checkout import wording
from checkout.counter_forms import OfflineForm
from checkout.models import Held
from checkout.services import limits, replaying
from stores.access import for_role, me
from stores.lists import keyset_page
from stores.models import Role, Store

JOINED = ("by", "location", "redemption__by", "redemption__location")


@require_safe
@for_role(Role.MANAGER)
def held(request: HttpRequest, store: Store) -> HttpResponse:
    """Conflicts that nobody has seen to; `?tab=all` is everything that was redeemed without internet."""
    everything = request.GET.get("tab") == "all"
    rows = Held.objects.for_store(store) if everything else replaying.conflicts(store)
    page = keyset_page(rows.select_related(*JOINED), "received_at", request.GET.get("after", ""))
    context: dict[str, Any] = {
        "nav_key": "approvals",
        "tab": "counter",
        "everything": everything,
        "rows": [(one, wording.why_refused(one, store)) for one in page.rows],
        "next": page.next,
        "undo": request.session.pop("settled_held", ""),
    }
    return render(request, "checkout/dashboard/held.html", context)


def _held(store: Store, public_id: str) -> Held:
    found: Held = get_object_or_404(Held.objects.for_store(store).select_related("store"), public_id=public_id)
    return found


@require_POST
@for_role(Role.MANAGER)
def settle(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """It was seen to."""
    one = _held(store, public_id)
    if replaying.settle(one, by=me(request), at=timezone.now()):
        request.session["settled_held"] = one.public_id  # the next page offers an undo
        messages.success(request, _("Put away."))
    else:
        messages.info(request, _("Somebody had seen to this before you."))
    return redirect("till:held", store.slug)


@require_POST
@for_role(Role.MANAGER)
def unsettle(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Undo."""
    replaying.unsettle(_held(store, public_id))
    return redirect("till:held", store.slug)


@require_http_methods(["GET", "POST"])
@for_role(Role.OWNER)
def settings(request: HttpRequest, store: Store) -> HttpResponse:
    """How far a device may go without internet."""
    form = OfflineForm(request.POST or None, store=store, settings=limits.settings_of(store))
    if request.method == "POST" and form.is_valid():
        changed = limits.change(store, form.cleaned_data, by=me(request), at=timezone.now())
        messages.success(request, _("Saved.") if changed else _("Nothing was changed."))
        return redirect("till:settings", store.slug)
    context = {"nav_key": "settings", "tab": "counter", "form": form}
    return render(request, "checkout/dashboard/settings.html", context, status=422 if form.errors else 200)
