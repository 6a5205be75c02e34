"""Quick search: a page of its own, and the list that the palette shows while somebody types."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from insights import finding
from stores.access import for_role
from stores.models import Role, Store


@require_safe
@for_role(Role.MANAGER)
def find(request: HttpRequest, store: Store) -> HttpResponse:
    """Where `q` may lead; with `list` the bare list, for the palette."""
    typed = request.GET.get("q", "")[: finding.LONGEST]
    places = finding.find(store, request.role, typed)  # type: ignore[attr-defined]
    context = {"typed": typed, "places": places}
    return render(request, "insights/_places.html" if "list" in request.GET else "insights/find.html", context)
