"""How long products take to show their value."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from customers.services import set_days_to_value
from stores.access import for_role
from stores.models import Role, Store
from surveys import queries
from surveys.forms import days_from


@for_role(Role.OWNER)
@require_http_methods(["GET", "POST"])
def timing(request: HttpRequest, store: Store) -> HttpResponse:
    """Days until the value shows, by category and by product; POST saves the rows that were shown."""
    search, page = request.GET.get("q", "").strip(), request.GET.get("page")
    categories = queries.categories(store, search)
    products = queries.products(store, search, page)
    wrong = _save_days(request, store, categories, list(products)) if request.method == "POST" else 0
    if request.method == "POST" and not wrong:
        return redirect(f"{reverse('surveys:timing', args=[store.slug])}?{request.GET.urlencode()}")
    context = {
        "nav_key": "settings",
        "tab": "timing",
        "categories": categories,
        "page": products,
        "search": search,
        "wrong": wrong,
    }
    return render(request, "surveys/dashboard/timing.html", context, status=422 if wrong else 200)


def _save_days(request: HttpRequest, store: Store, categories: list, products: list) -> int:
    """Save all days as typed, or none: how many rows were refused. Rows get `typed` and `error` for the page."""
    wanted: dict[str, dict[int, int | None]] = {"category": {}, "product": {}}
    wrong = 0
    for kind, rows in (("category", categories), ("product", products)):
        for row in rows:
            row.typed = request.POST.get(f"{kind}-{row.pk}")
            if row.typed is None:
                continue
            try:
                wanted[kind][row.pk] = days_from(row.typed)
            except ValidationError as error:
                row.error, wrong = error.message, wrong + 1
    if not wrong:
        changed = set_days_to_value(store, categories=wanted["category"], products=wanted["product"])
        words = ngettext("%(count)s row was changed.", "%(count)s rows were changed.", changed)
        messages.success(request, words % {"count": changed})
    return wrong
