"""Somebody sent the customer, and they have no code with them: find the advocate by the name they say.

Only advocates who allowed it are found, named by first name and initial. Whoever is picked goes on as
if their share code had been given; that it was by name stays with the order.
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from checkout import pages
from checkout.access import at_counter
from customers.models import Customer
from customers.rules import clean_name
from referrals.services import naming
from referrals.services.links import share_link_of
from stores.models import Store

LONGEST = 120


@at_counter
@require_http_methods(["GET", "POST"])
def names(request: HttpRequest, store: Store) -> HttpResponse:
    """Who may be meant by `q`; a POST picks one of them and goes on to the bill."""
    typed = clean_name((request.POST or request.GET).get("q", "")[:LONGEST])
    if typed and naming.too_many(store, str(pages.cashier(request).pk), where="till"):
        return _show(request, store, typed, [], error=_("Too many names. Wait ten minutes, or ask a manager to look."))
    found = naming.candidates(store, typed)
    if request.method == "POST":
        picked = next((one for one in found if one.public_id == request.POST.get("advocate")), None)
        if picked:
            return _go_on(store, picked, typed)
    short = _("Type at least three letters.") if typed and not naming.folded(typed) else ""
    return _show(request, store, typed, found, error=short)


def _go_on(store: Store, picked: Customer, typed: str) -> HttpResponse:
    code = share_link_of(picked, at=timezone.now()).code
    return redirect(f"{reverse('checkout:quote', args=[store.slug])}?{urlencode({'code': code, 'named': typed})}")


def _show(request: HttpRequest, store: Store, typed: str, found: list[Customer], *, error: str) -> HttpResponse:
    people = [{"public_id": one.public_id, "shown": naming.masked(one)} for one in found]
    context = pages.frame(request, store, typed=typed, people=people, error=error, asked=bool(typed and not error))
    return render(request, "checkout/names.html", context)


def named(request: HttpRequest) -> str:
    """The name by which the quote page's advocate was found; '' for a code of the customer's own."""
    return clean_name(request.GET.get("named", "")[:LONGEST])


def state(request: HttpRequest) -> dict[str, str]:
    """What the quote page's address carries on."""
    found = named(request)
    return {"named": found} if found else {}
