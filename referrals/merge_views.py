"""Two customers who are one person: look for them, compare, merge, split again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Customer, CustomerMerge
from customers.queries import HERE
from referrals import doubles
from referrals.services import merging
from referrals.services.merging import CannotMerge
from stores.access import for_role, me
from stores.models import Role, Store

# Why two customers cannot be made one, or not be split.
REFUSALS = {
    CannotMerge.SAME: gettext_lazy("This is the same customer twice: choose another one."),
    CannotMerge.MERGED: gettext_lazy("One of them was merged with somebody else meanwhile: look again."),
    CannotMerge.ERASED: gettext_lazy("One of them was erased: nothing can be moved any more."),
    CannotMerge.PAYOUT: gettext_lazy(
        "They stand on a list of payouts that is not closed. Mark it as paid or failed, then try again."
    ),
    CannotMerge.LATER: gettext_lazy("Somebody else was merged with them since: split that first."),
}


def _customer(store: Store, public_id: str) -> Customer:
    found: Customer = get_object_or_404(Customer.objects.for_store(store).filter(HERE), public_id=public_id)
    return found


@require_safe
@for_role(Role.MANAGER)
def same(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Look for the customer who is the same person."""
    customer = _customer(store, public_id)
    typed = request.GET.get("q", "").replace("\x00", "")
    context = {
        "nav_key": "customers",
        "customer": customer,
        "typed": typed,
        "found": doubles.candidates(store, customer, typed),
    }
    return render(request, "referrals/dashboard/same.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_role(Role.MANAGER)
def compare(request: HttpRequest, store: Store, public_id: str, other: str) -> HttpResponse:
    """Both side by side, and what a merge would do; a POST merges `other` into the first."""
    stays, goes = _customer(store, public_id), _customer(store, other)
    if request.method == "POST":
        return _merge(request, store, stays, goes)
    return _comparison(request, store, stays, goes)


def _comparison(
    request: HttpRequest, store: Store, stays: Customer, goes: Customer, *, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {"nav_key": "customers", "both": doubles.compare(store, stays, goes)}
    return render(request, "referrals/dashboard/compare.html", context, status=status)


def _merge(request: HttpRequest, store: Store, stays: Customer, goes: Customer) -> HttpResponse:
    try:
        merging.merge(stays, goes, by=me(request), at=timezone.now())
    except CannotMerge as error:
        messages.error(request, REFUSALS[error.reason])
        return _comparison(request, store, stays, goes, status=409)
    messages.success(request, _("They are one customer now. If that was wrong, split them again below."))
    return redirect("insights:customer", store=store.slug, public_id=stays.public_id)


@require_POST
@for_role(Role.MANAGER)
def split(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """They are two persons after all."""
    merges = CustomerMerge.objects.for_store(store).select_related("survivor__store", "gone__store")
    made = get_object_or_404(merges, public_id=public_id)
    try:
        moved = merging.split(made, by=me(request), at=timezone.now())
    except CannotMerge as error:
        messages.error(request, REFUSALS[error.reason])
    else:
        said = _("They are two customers again.") if moved else _("They had been split before.")
        messages.success(request, said)
    return redirect("insights:customer", store=store.slug, public_id=made.survivor.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@for_role(Role.MANAGER)
def suggestions(request: HttpRequest, store: Store) -> HttpResponse:
    """Who may be one person; a POST says of a pair that they are two."""
    if request.method == "POST":
        one, other = (_customer(store, request.POST.get(name, "")) for name in ("one", "other"))
        merging.keep_apart(one, other, by=me(request), at=timezone.now())
        messages.success(request, _("Noted: two persons. They are not listed here again."))
        return redirect("referrals:doubles", store=store.slug)
    context = {"nav_key": "customers", "pairs": doubles.suggestions(store, timezone.now())}
    return render(request, "referrals/dashboard/doubles.html", context)
