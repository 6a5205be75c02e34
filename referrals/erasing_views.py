"""Forget a customer: an owner types their name; it is final."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from customers.models import Customer
from customers.queries import HERE
from customers.rules import folded_name
from referrals import doubles
from referrals.services import erasing
from stores.access import for_role
from stores.models import Role, Store


class TypedNameForm(forms.Form):
    """What stands on top of the customer's page, typed once more."""

    typed = forms.CharField(label="", max_length=254, required=False)

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customer = customer
        self.fields["typed"].label = _("Type “%(name)s”") % {"name": f"\u2068{customer}\u2069"}

    def clean_typed(self) -> str:
        """Letters and case are forgiven."""
        typed: str = self.cleaned_data["typed"]
        if folded_name(typed) != folded_name(str(self.customer)):
            raise forms.ValidationError(_("That is not what stands above. Type it as it is shown."))
        return typed


@require_http_methods(["GET", "HEAD", "POST"])
@for_role(Role.OWNER)
def erase(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """What is forgotten and what stays; a POST with the typed name does it."""
    rows = Customer.objects.for_store(store).select_related("store").filter(HERE)
    customer = get_object_or_404(rows, public_id=public_id)
    form = TypedNameForm(request.POST or None, customer=customer)
    if request.method == "POST" and form.is_valid():
        try:
            erasing.erase(customer, by=request.user, at=timezone.now())  # type: ignore[arg-type]  # logged in
        except erasing.CannotErase:
            form.add_error(
                None, _("They stand on a list of payouts that is not closed. Mark it as paid or failed first.")
            )
        else:
            messages.success(request, _("Forgotten. What remains has no name."))
            return redirect("customers:list", store=store.slug)
    side = doubles.compare(store, customer, customer).stays
    context = {"nav_key": "customers", "customer": customer, "side": side, "form": form}
    return render(request, "referrals/dashboard/erase.html", context, status=422 if form.errors else 200)
