"""Forget a customer: an owner says so, and has an hour to think again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from customers.models import Customer
from customers.queries import HERE
from referrals import doubles
from referrals.services import erasing, forgetting
from stores.access import for_role, me
from stores.models import Role, Store


@require_http_methods(["GET", "HEAD", "POST"])
@for_role(Role.OWNER)
def erase(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """What is forgotten and what stays; a POST does it in an hour."""
    customer = _found(store, public_id)
    is_listed = False
    if request.method == "POST":
        try:
            forgetting.begin(customer, by=me(request), at=timezone.now())
        except erasing.CannotErase:
            is_listed = True
        else:
            return redirect("insights:customer", store=store.slug, public_id=public_id)
    side = doubles.compare(store, customer, customer).stays
    context = {"nav_key": "customers", "customer": customer, "side": side, "is_listed": is_listed}
    return render(request, "referrals/dashboard/erase.html", context, status=422 if is_listed else 200)


def _found(store: Store, public_id: str) -> Customer:
    rows = Customer.objects.for_store(store).select_related("store").filter(HERE)
    found: Customer = get_object_or_404(rows, public_id=public_id)
    return found


@require_POST
@for_role(Role.OWNER)
def keep(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Think again: they are not forgotten."""
    job = forgetting.job_of(_found(store, public_id))
    if job and forgetting.stop(job, at=timezone.now()):
        messages.success(request, _("Undone: they stay as they are."))
    return redirect("insights:customer", store=store.slug, public_id=public_id)
