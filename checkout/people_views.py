"""A customer without a code at hand: found by the phone or e-mail they say, or new in two fields.

Only the whole number or address finds anybody, tries are counted, and the page names them by first name and
initial: it tells a cashier nothing about customers who are not there.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from checkout import pages
from checkout.access import at_counter
from checkout.ask_views import asks_for
from checkout.forms import NewCustomerForm, read_person
from customers.models import Customer
from customers.services import Person, find_customer, find_or_create_customer
from referrals.models import ShareLink
from referrals.public.sharing import qr_svg
from referrals.services import naming
from referrals.services.links import landing_url, share_link_of
from referrals.services.redeeming import SOURCE
from rewards.models import Voucher
from rewards.wording import offer_text
from stores.models import Store

LONGEST = 254
MOST_CODES = 20


@at_counter
@require_http_methods(["GET", "POST"])
def people(request: HttpRequest, store: Store) -> HttpResponse:
    """Whose number is it, and what may they use? With a name besides it makes a new customer."""
    typed = request.POST.get("who", "").strip()[:LONGEST]
    if request.method == "GET" or not typed:
        return show(request, store, typed)
    if "name" in request.POST:
        return _new(request, store, typed)
    return look(request, store, typed)


def look(request: HttpRequest, store: Store, typed: str) -> HttpResponse:
    """Somebody by their whole phone number or address."""
    if naming.too_many(store, str(pages.cashier(request).pk), where="till"):
        return show(request, store, typed, error=_("Too many look-ups. Wait ten minutes, or ask a manager to look."))
    try:
        person = read_person(store, typed)
    except ValueError as error:
        return show(request, store, typed, error=str(error))
    found = find_customer(store, person)
    if found is None:
        return show(request, store, typed, form=NewCustomerForm(store=store), asked=True)
    return _known(request, store, found)


def _known(request: HttpRequest, store: Store, customer: Customer, *, is_new: bool = False) -> HttpResponse:
    at = timezone.now()
    held = Voucher.objects.for_store(store).filter(customer=customer).usable(at).select_related("offer")
    rows = [(one, offer_text(one.offer, store) if one.offer else _("their store credit")) for one in held[:MOST_CODES]]
    # Looking makes nothing: a link that is not there yet is made by the form.
    known = ShareLink.objects.for_store(store).filter(customer=customer, is_main=True)
    link = share_link_of(customer, at=at) if request.method == "POST" else known.first()
    context: dict[str, Any] = {"rows": rows, "link": link, "asks": asks_for(store, customer), "is_new": is_new}
    if link:
        context["qr"] = qr_svg(landing_url(link), label=_("QR code of their link"))
    return show(request, store, "", customer=customer, shown=naming.masked(customer), **context)


def _new(request: HttpRequest, store: Store, typed: str) -> HttpResponse:
    """A new customer by name and phone or e-mail; one who is known already is found."""
    form = NewCustomerForm(request.POST, store=store)
    if not form.is_valid():
        return show(request, store, typed, form=form, asked=True, status=422)
    person: Person = form.person
    known = find_customer(store, person)
    customer = known or find_or_create_customer(store, person, at=timezone.now(), source=SOURCE)
    return _known(request, store, customer, is_new=known is None)


def show(request: HttpRequest, store: Store, typed: str, *, status: int = 200, **context: object) -> HttpResponse:
    """The page with whatever was found."""
    return render(request, "checkout/people.html", pages.frame(request, store, typed=typed, **context), status=status)


def looks_like_phone(typed: str) -> bool:
    """Whether what stands in the field of codes is rather a phone number or an address."""
    digits = sum(one.isdecimal() for one in typed)
    return "@" in typed or (digits >= 7 and not any(one.isalpha() for one in typed))
