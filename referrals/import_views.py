"""Taking back what a file brought."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from customers.models import Import
from referrals.services import unimporting
from stores.access import for_role, me
from stores.models import Role, Store


@require_POST
@for_role(Role.MANAGER)
def undo(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Begin to take back a file; its page shows how far that is, and what stays."""
    files = Import.objects.for_store(store).exclude(begun_at=None).select_related("store").defer("content")
    run = get_object_or_404(files, public_id=public_id)
    try:
        unimporting.begin(run, by=me(request), at=timezone.now())
    except unimporting.NotOver:
        messages.error(request, _("It is still being taken in. Stop that first."))
    return redirect("customers:import", store.slug, public_id)
