"""What the dashboard reads about times to value."""

from __future__ import annotations

from django.core.paginator import Page, Paginator

from customers.models import Category, Product
from customers.rules import folded_name
from stores.models import Store

ROWS = 50


def products(store: Store, search: str, page: str | None) -> Page:
    """A page of the store's products with their categories; `search` looks in name and SKU."""
    rows = Product.objects.for_store(store).select_related("category").order_by("name", "pk")
    if search:
        rows = rows.filter(name__icontains=search) | rows.filter(sku__icontains=search)
    return Paginator(rows, ROWS).get_page(page)


def categories(store: Store, search: str) -> list[Category]:
    """The store's categories by name."""
    rows = Category.objects.for_store(store).order_by("name")
    return [row for row in rows if folded_name(search) in folded_name(row.name)]
