"""Customers by name, mail, phone and code, beside the same page of as many rows looked up by their primary keys."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable

from django.test import Client

from bench.measuring import Figure, compare
from bench.pages import milliseconds, owner
from bench.world import World
from customers.models import Customer
from customers.searching import search
from referrals.models import ShareLink
from stores.lists import PAGE
from stores.tenancy import acting_for

SEARCHES = 12  # a round


def measure(world: World, rounds: int) -> list[Figure]:
    """Milliseconds a page, for each way to look."""
    drawn = random.Random(8)
    with acting_for(world.store):
        links = list(ShareLink.objects.for_store(world.store).select_related("customer")[:2000])
        chosen = drawn.sample(links, SEARCHES)
    asked: dict[str, Callable[[Customer, str], str]] = {
        "name": lambda one, _code: one.name,
        "mail": lambda one, _code: one.email,
        "phone": lambda one, _code: one.phone,
        "code": lambda _one, code: code,
    }
    with owner(world) as client:
        return [
            _figure(world, client, name, [text(link.customer, link.code) for link in chosen], rounds)
            for name, text in asked.items()
        ]


def _figure(world: World, client: Client, name: str, texts: list[str], rounds: int) -> Figure:
    list_page = f"/d/{world.store.slug}/customers/"
    key_page = f"/d/{world.store.slug}/by-key/"
    with acting_for(world.store):
        keys = [search(world.store, text).ids[:PAGE] for text in texts]
    if not all(keys):
        raise RuntimeError(f"nobody was found by {name}")
    return compare(
        f"search-{name}",
        lambda: statistics.median(milliseconds(client, list_page, {"q": text}) for text in texts),
        lambda: statistics.median(milliseconds(client, key_page, {"pk": found}) for found in keys),
        unit="ms",
        limit_name="page by primary key",
        reach=2.0,
        at_most=True,
        rounds=rounds,
    )
