"""Pages of the dashboard asked in this process, through every middleware, by the owner of the bench's stores."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.test import Client, override_settings
from django.urls import path

import config.urls
from bench.world import World
from customers.models import Customer
from stores.access import for_role
from stores.lists import Page
from stores.models import Membership, Role, Store, User
from stores.tenancy import acting_for

EMAIL = "owner@bench.example"


@for_role(Role.MANAGER)
def by_key(request: HttpRequest, store: Store) -> HttpResponse:
    """The customers list with the rows that `pk` names: what a page of one look-up by primary key costs."""
    wanted = Customer.objects.for_store(store).filter(pk__in=request.GET.getlist("pk"))
    context = {"nav_key": "customers", "page": Page(list(wanted.prefetch_related("tags", "share_links")))}
    return render(request, "customers/list.html", context)


urlpatterns = [path("d/<slug:store>/by-key/", by_key), *config.urls.urlpatterns]


@contextmanager
def owner(world: World) -> Iterator[Client]:
    """A browser with the owner logged in; `by-key/` is among the addresses."""
    user, _new = User.objects.get_or_create(email=EMAIL, defaults={"name": "Bea Owner"})
    for store in (world.store, world.tenth):
        with acting_for(store):
            Membership.objects.get_or_create(store=store, user=user, defaults={"role": Role.OWNER})
    with override_settings(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"]):
        client = Client()
        client.force_login(user)
        yield client


def milliseconds(client: Client, url: str, asked: dict[str, Any] | None = None) -> float:
    """How long one page takes."""
    begun = time.perf_counter()
    status = client.get(url, asked or {}).status_code
    took = time.perf_counter() - begun
    if status != 200:
        raise RuntimeError(f"{url}: {status}")
    return took * 1000


def statements(client: Client, url: str) -> list[tuple[float, str]]:
    """Milliseconds and text of each statement of one page, the slowest first."""
    seen: list[tuple[float, str]] = []

    def timed(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, parameters, many, context)
        finally:
            seen.append(((time.perf_counter() - begun) * 1000, sql))

    with connection.execute_wrapper(timed):
        milliseconds(client, url)
    return sorted(seen, reverse=True)
