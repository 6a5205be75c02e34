"""Credit an order to somebody by hand: found by its number, the customer by search, the reason written down."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from customers import queries as people
from customers.models import Customer, Order
from referrals import queries
from referrals.appeal_views import REFUSALS
from referrals.models import Referral
from referrals.services import naming
from referrals.services.attribution import CannotCredit, credit_by_hand, credited
from referrals.services.links import share_link_of
from stores.access import for_role, me
from stores.models import Role, Store

FOUND = 10  # orders of a number, customers of a search


class CreditForm(forms.Form):
    """Which order, whose friend, and how one knows."""

    number = forms.CharField(label=gettext_lazy("Order number"), max_length=120)
    advocate = forms.CharField(
        label=gettext_lazy("Who sent them"),
        max_length=254,
        help_text=gettext_lazy("Name, e-mail, phone or code of the customer who gets the reward."),
    )
    reason = forms.CharField(
        label=gettext_lazy("How you know"),
        max_length=200,
        help_text=gettext_lazy("It is kept with the order and in your history."),
    )
    order_id = forms.CharField(max_length=20, required=False)  # the one picked of several
    advocate_id = forms.CharField(max_length=20, required=False)

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store = store
        self.orders: list[Order] = []  # to choose from, when the number is not enough
        self.advocates: list[Customer] = []

    def clean_number(self) -> str:
        """The number, with the orders that have it."""
        number: str = self.cleaned_data["number"]
        found = Order.objects.for_store(self.store).filter(external_id=number).select_related("customer", "store")
        self.orders = list(found.order_by("-placed_at")[:FOUND])
        if not self.orders:
            raise forms.ValidationError(_("There is no order of this number. Write it as your shop or till does."))
        return number

    def clean_advocate(self) -> str:
        """What was typed, with the customers it finds."""
        typed: str = self.cleaned_data["advocate"]
        found = people.find(self.store, typed, "").filter(people.HERE).select_related("store")
        self.advocates = list(found[:FOUND])
        if not self.advocates:
            raise forms.ValidationError(_("Nobody is found by this. A name is found by its beginning."))
        return typed

    def clean(self) -> dict[str, Any]:
        """One order and one customer: the only ones found, or those that were picked."""
        values = super().clean() or {}
        values["order"] = _picked(self.orders, values.get("order_id", ""))
        values["customer"] = _picked(self.advocates, values.get("advocate_id", ""))
        if self.orders and values["order"] is None:
            self.add_error("number", _("Several orders have this number. Choose one."))
        if self.advocates and values["customer"] is None:
            self.add_error("advocate", _("Several customers are found. Choose one."))
        return values


def _picked(found: list[Any], public_id: str) -> Any:
    """The row with that id, or the only one there is."""
    return next((one for one in found if one.public_id == public_id), found[0] if len(found) == 1 else None)


@for_role(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def credit(request: HttpRequest, store: Store) -> HttpResponse:
    """The form, filled in as far as a link says; a POST credits the order."""
    first = {name: request.GET.get(name, "")[:254].replace("\x00", "") for name in CreditForm.base_fields}
    form = CreditForm(request.POST if request.method == "POST" else None, store=store, initial=first)
    if request.method == "POST" and form.is_valid():
        problem = _credit(request, form)
        if not problem:
            return redirect("referrals:approvals", store=store.slug)
        form.add_error(None, problem)
    context = {
        "nav_key": "approvals",
        "tab": "credit",
        "counts": queries.counts(store),
        "form": form,
        "orders": _with_credit(form.orders) if len(form.orders) > 1 else [],
        "advocates": form.advocates if len(form.advocates) > 1 else [],
        "named": queries.named_orders(store, timezone.now()) if not (form.is_bound or any(first.values())) else [],
    }
    return render(request, "referrals/dashboard/credit.html", context, status=422 if form.errors else 200)


@for_role(Role.MANAGER)
@require_POST
def named(request: HttpRequest, store: Store, public_id: str, action: str) -> HttpResponse:
    """Put a name that leads nowhere aside, or take it up again; each undoes the other."""
    rows = Order.objects.for_store(store).exclude(named="")
    order, step = get_object_or_404(rows, public_id=public_id), NAMED_STEPS.get(action)
    if step is None:
        raise Http404("no such step")
    moved = step(order, by=me(request), at=timezone.now())
    if moved and action == "aside":
        request.session["name_aside"] = order.public_id
    elif moved:
        messages.success(request, _("It is on the list again."))
    return redirect("referrals:approvals", store=store.slug)


NAMED_STEPS = {"aside": naming.put_aside, "again": naming.take_up_again}


def _with_credit(orders: list[Order]) -> list[dict[str, Any]]:
    return [{"order": one, "referral": credited(one)} for one in orders]


def _credit(request: HttpRequest, form: CreditForm) -> str:
    """Credit the order; a sentence where that cannot be."""
    now, values = timezone.now(), form.cleaned_data
    link = share_link_of(values["customer"], at=now)
    before = credited(values["order"])
    try:
        referral = credit_by_hand(values["order"], link, by=me(request), reason=values["reason"], at=now)
    except CannotCredit as error:
        return str(REFUSALS.get(error.reason, _("This order cannot be credited.")))
    words = {"order": values["order"], "advocate": values["customer"]}
    if before and before.status != Referral.Status.VOIDED and before.advocate_id != referral.advocate_id:
        words["before"] = before.advocate
        said = _("Order %(order)s is credited to %(advocate)s, and no longer to %(before)s.")
    else:
        said = _("Order %(order)s is credited to %(advocate)s.")
    messages.success(request, said % words)
    return ""
