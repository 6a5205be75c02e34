"""What is sold, and where: products, categories and locations are made when an order first names them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from customers.models import Category, Product
from stores.models import Location, Store
from stores.rows import insert_rows


@dataclass(frozen=True)
class Line:
    """A product in an order; the unit price is in minor units of the order's currency."""

    sku: str
    name: str
    category: str = ""
    quantity: int = 1
    unit_price_minor: int = 0


def product_ids(store: Store, lines: Iterable[Line]) -> dict[str, int]:
    """The products of these lines by SKU; new ones and their categories are made, as the first line says."""
    by_sku: dict[str, Line] = {}
    for line in lines:
        by_sku.setdefault(line.sku, line)
    known = _products(store, by_sku)
    missing = [by_sku[sku] for sku in sorted(by_sku.keys() - known.keys())]
    if not missing:
        return known
    categories = _category_ids(store, {line.category for line in missing if line.category})
    insert_rows(
        [
            Product(store=store, sku=line.sku, name=line.name or line.sku, category_id=categories.get(line.category))
            for line in missing
        ]
    )
    return _products(store, by_sku)  # a twin may have made some


def _products(store: Store, skus: Iterable[str]) -> dict[str, int]:
    named = list(skus)
    return dict(Product.objects.for_store(store).filter(sku__in=named).values_list("sku", "pk")) if named else {}


def _category_ids(store: Store, names: set[str]) -> dict[str, int]:
    if not names:
        return {}
    insert_rows([Category(store=store, name=name) for name in sorted(names)])
    return dict(Category.objects.for_store(store).filter(name__in=names).values_list("name", "pk"))


def location_ids(store: Store, codes: set[str]) -> dict[str, int]:
    """The branches with these codes; new ones are made."""
    known = _locations(store, codes)
    missing = sorted(codes - known.keys())
    if not missing:
        return known
    insert_rows([Location(store=store, code=code, name=code) for code in missing])
    return _locations(store, codes)


def _locations(store: Store, codes: set[str]) -> dict[str, int]:
    return dict(Location.objects.for_store(store).filter(code__in=codes).values_list("code", "pk")) if codes else {}


def set_days_to_value(store: Store, *, categories: dict[int, int | None], products: dict[int, int | None]) -> int:
    """Set time to value in days by row id, None for "as the level above says"; returns how many rows changed."""
    changed = 0
    for model, wanted in ((Category, categories), (Product, products)):
        for pk, days in sorted(wanted.items()):
            rows = model.objects.for_store(store).filter(pk=pk)
            changed += rows.exclude(time_to_value_days=days).update(time_to_value_days=days)
    return changed
