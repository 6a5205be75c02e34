"""A yes or no that a customer told the staff."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from customers import consents
from customers.forms import ConsentForm
from customers.models import Channel, Customer
from stores.access import for_role, me
from stores.models import Role, Store


@require_POST
@for_role(Role.MANAGER)
def consent(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Write it down with who noted it and where it was said; a yes needs that."""
    people = Customer.objects.for_store(store).select_related("store").filter(erased_at=None, merged_into=None)
    found = get_object_or_404(people, public_id=public_id)
    form = ConsentForm(request.POST)
    if form.is_valid():
        channel, granted = Channel(form.cleaned_data["channel"]), form.cleaned_data["granted"] == "yes"
        said = form.cleaned_data["said"]
        consents.write_down(found, channel, granted=granted, said=said, by=me(request), at=timezone.now())
        messages.success(request, _("Written down. It counts from now on."))
    else:
        messages.error(request, str(next(iter(form.errors.values()))[0]))
    return redirect("insights:customer", store=store.slug, public_id=found.public_id)
