"""Colleagues at one device: take it over by PIN, set one's own PIN."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from checkout import pages
from checkout.access import TAKEN, at_counter, take
from checkout.device import device_of, remember
from checkout.services import pins
from stores.access import for_role, me
from stores.models import Membership, Role, Store


@require_http_methods(["GET", "POST"])
@for_role(Role.STAFF)
def switch(request: HttpRequest, store: Store) -> HttpResponse:
    """Who is at the counter now? Their name and PIN."""
    people, error = list(pins.holders(store)), ""
    chosen = next((one for one in people if str(one.pk) == request.POST.get("who")), None)
    if request.method == "POST":
        error = _take_over(request, store, chosen) if chosen else _("Choose who you are.")
        if not error:
            return remember(request, redirect("checkout:counter", store.slug), store)
    context = {"people": people, "chosen": chosen, "error": error, "kept": TAKEN in request.session}
    page = render(request, "checkout/switch.html", context, status=422 if error else 200)
    return remember(request, page, store)


def _take_over(request: HttpRequest, store: Store, person: Membership) -> str:
    """Why not, in words; '' when the device is theirs now."""
    typed, device = request.POST.get("pin", "")[:40], device_of(request, store)
    try:
        pins.take_over(store, person, typed, device=device, login=me(request), at=timezone.now())
    except pins.Locked:
        return _("Too many tries. Wait ten minutes, or log out and log in with your password.")
    except pins.WrongPin:
        return _("This is not the PIN of %(name)s.") % {"name": person.user.get_short_name()}
    take(request, store, person)
    return ""


@require_http_methods(["GET", "POST"])
@at_counter
def own_pin(request: HttpRequest, store: Store) -> HttpResponse:
    """Set one's own PIN: only where one is logged in with one's password."""
    if TAKEN in request.session:
        messages.info(request, _("Log in with your password to change your PIN."))
        return redirect("checkout:counter", store.slug)
    mine = Membership.objects.for_store(store).select_related("store", "user").get(user=pages.cashier(request))
    error = ""
    if request.method == "POST":
        error = _change(request, mine)
        if not error:
            messages.success(request, _("Saved. Colleagues' devices know you by this PIN from now on."))
            return redirect("checkout:counter", store.slug)
    context = pages.frame(request, store, error=error, has_pin=pins.holders(store).filter(pk=mine.pk).exists())
    return render(request, "checkout/pin.html", context, status=422 if error else 200)


def _change(request: HttpRequest, mine: Membership) -> str:
    typed = request.POST.get("pin", "")[:40]
    if typed != request.POST.get("again", "")[:40]:
        return _("The two are not the same. Type them again.")
    try:
        pins.change(mine, typed, at=timezone.now())
    except pins.WeakPin:
        return _("Take four to eight digits that nobody would try first: not 0000, not 1234.")
    return ""
