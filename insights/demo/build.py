"""Open the demo's stores and let a year pass in them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from customers.models import Category, Product
from customers.services import record_order
from insights.demo.past import YEAR, year_of
from insights.demo.shops import Shop
from insights.replay import engine, history
from insights.replay.people import PUBLISHED, Rates
from referrals.services.programs import open_store
from stores import directory
from stores.models import Location, Store
from stores.tenancy import acting_for
from surveys.services.inviting import plan_invitations

# The last hours are left to the real worker, so that letters lie in the outbox when a visitor looks.
LIVE = timedelta(hours=36)


def build(shop: Shop, *, at: datetime, progress: Callable[[str], None]) -> Store:
    """The shop's store with its past up to `at` (aware UTC). One that is there already is left as it is."""
    known = directory.named(shop.slug)
    if known:
        return known
    store = _open(shop, at)
    progress(f"{shop.name}: a year of orders, replayed day by day")
    play(store, shop, at=at)
    return store


def play(
    store: Store,
    shop: Shop,
    *,
    days: int = YEAR,
    rates: Rates = PUBLISHED,
    at: datetime,
    progress: Callable[[datetime], None] = lambda day: None,
) -> None:
    """Let the shop's `days` before `at` (aware UTC) pass in the store; the last hours are left to the worker."""
    orders, answers = year_of(shop, at, days=days)
    facts = history.facts_of(orders)
    engine.run(store, facts, answers, until=at - LIVE, friends=True, rates=rates, progress=progress)
    with acting_for(store):
        for fact in facts:
            if at - LIVE < fact.at <= at:
                record_order(store, fact.order, at=fact.at)
        plan_invitations(store, at, since=at - LIVE)


def _open(shop: Shop, at: datetime) -> Store:
    store = open_store(
        slug=shop.slug,
        name=shop.name,
        currency=shop.currency,
        timezone=shop.timezone,
        locale=shop.locale,
        country=shop.country,
        toman=shop.toman,
        terms=shop.terms,
        at=at.astimezone(UTC) - timedelta(days=YEAR + 1),
    )
    facts = {
        "delivers": shop.delivers,
        "time_to_value_days": shop.days,
        "brand_color": shop.color,
        "phone": shop.phone,
        "postal_address": shop.address,
    }
    with acting_for(store):
        Store.objects.filter(pk=store.pk).update(**facts)
        for code, name in shop.locations.items():
            Location.objects.create(store=store, code=code, name=name)
        stock(store, shop)
        store.refresh_from_db()
    return store


def stock(store: Store, shop: Shop) -> None:
    """Put the shop's goods on the store's shelves."""
    for item in shop.items:
        category = Category.objects.get_or_create(store=store, name=item.category)[0]
        Product.objects.create(
            store=store, sku=item.sku, name=item.name, category=category, time_to_value_days=item.days
        )
