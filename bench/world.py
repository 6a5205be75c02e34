"""The data that scenarios run on: two stores on one server, one with a tenth of the other's customers.

Made once by COPY and kept under DATA_DIR, since a million customers take minutes; scenarios add what they spend.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction

from bench.rows import copy, reserve
from customers.models import Category, Customer, Order, OrderLine, Product
from referrals.models import ShareLink
from referrals.services.programs import open_store
from stores import directory
from stores.codes import normalise, random_characters
from stores.models import Store
from stores.tenancy import acting_for

CUSTOMERS = {"small": 100_000, "large": 1_000_000}
ORDERS_EACH, LINKS = 5, 100_000  # share links: at most so many a store
FIRST = ["Sara", "Bea", "Liza", "Carlo", "Marikit", "Jun", "Ana", "Paolo", "Tess", "Gab", "مریم", "سارا", "کیان", "آرش"]
LAST = ["Cruz", "Santos", "Reyes", "Mendoza", "Garcia", "Torres", "Flores", "Aquino", "رستمی", "نوری", "موسوی"]


@dataclass(frozen=True)
class World:
    """The stores; `now` (aware UTC) is when the data end."""

    size: str
    store: Store
    tenth: Store
    now: datetime


def make(size: str) -> World:
    """The world of this size; its rows are made when they are not there yet."""
    call_command("migrate", database="owner", interactive=False, verbosity=0)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    stores = [_store(f"bench-{share}", CUSTOMERS[size] // share, now) for share in (1, 10)]
    return World(size, stores[0], stores[1], now)


def _store(slug: str, customers: int, now: datetime) -> Store:
    found = directory.named(slug)
    if found:
        return found
    place = {"currency": "PHP", "timezone": "Asia/Manila", "country": "PH", "locale": "fil"}
    with transaction.atomic():  # all of it or nothing
        store = open_store(slug=slug, name=slug.title(), at=now - timedelta(days=400), **place)
        with acting_for(store):
            Making(store, customers, now).everything()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return store


class Making:
    """Rows of one store, the same ones each time (a seeded generator)."""

    def __init__(self, store: Store, customers: int, now: datetime) -> None:
        self.store, self.number, self.now = store, customers, now
        self.random = random.Random(customers)

    def everything(self) -> None:
        """Customers, products, orders with a line each, share links."""
        self.first = reserve(Customer, self.number)
        copy(Customer, self._customers())
        self.products = self._products()
        self.first_order = reserve(Order, self.number * ORDERS_EACH)
        copy(Order, self._orders())
        copy(OrderLine, self._lines())
        copy(ShareLink, self._links())

    def _customers(self) -> Iterator[dict[str, Any]]:
        for number in range(self.number):
            name = f"{self.random.choice(FIRST)} {self.random.choice(LAST)}"
            email, phone = f"person{number}@example.com", f"+639{100_000_000 + number}"
            yield {
                "id": self.first + number,
                "store_id": self.store.pk,
                "external_id": f"c-{number}",
                "name": name,
                "name_norm": name.lower(),
                "email": email,
                "email_norm": email,
                "email_alias": email,
                "phone": phone,
                "phone_norm": phone,
                "locale": ("fil", "en", "fa")[number % 3],
                "email_consent": True,
                "sms_consent": number % 2 == 0,
                "recorded_at": self._ago(400),
            }

    def _products(self) -> list[int]:
        category = Category.objects.create(store=self.store, name="kitchen")
        things = [
            Product(store=self.store, sku=f"SKU-{number}", name=f"Thing {number}", category=category)
            for number in range(200)
        ]
        return [thing.pk for thing in Product.objects.bulk_create(things)]

    def _orders(self) -> Iterator[dict[str, Any]]:
        for number in range(self.number * ORDERS_EACH):
            placed = self._ago(365)
            yield {
                "id": self.first_order + number,
                "store_id": self.store.pk,
                "customer_id": self.first + self.random.randrange(self.number),
                "source": "pos",
                "external_id": f"o-{number}",
                "currency": self.store.currency,
                "total_minor": self.random.randrange(5_000, 500_000),
                "placed_at": placed,
                "delivered_at": placed + timedelta(days=2),
                "recorded_at": placed,
                "updated_at": placed,
            }

    def _lines(self) -> Iterator[dict[str, Any]]:
        for number in range(self.number * ORDERS_EACH):
            product = self.products[number % len(self.products)]
            yield {"store_id": self.store.pk, "order_id": self.first_order + number, "product_id": product}

    def _links(self) -> Iterator[dict[str, Any]]:
        for number in range(min(self.number, LINKS)):
            code = f"P{number}-{random_characters(5)}"
            facts = {"code": code, "code_norm": normalise(code), "created_at": self.now - timedelta(days=30)}
            yield {"store_id": self.store.pk, "customer_id": self.first + number, **facts}

    def _ago(self, days: int) -> datetime:
        return self.now - timedelta(seconds=self.random.randrange(days * 86_400))
