"""The summary at the end of a shift."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from checkout import pages
from checkout.access import at_counter
from checkout.shift import shares
from stores.models import Store


@require_safe
@at_counter
def shift(request: HttpRequest, store: Store) -> HttpResponse:
    """Today so far, by person; it prints."""
    now = timezone.now()
    rows = shares(store, pages.cashier(request), now)
    context = pages.frame(request, store, rows=rows, now=now, off_minor=sum(row.off_minor for row in rows))
    return render(request, "checkout/shift.html", context)
