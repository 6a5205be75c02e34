"""Every address of the resolver, as anonymous, stranger and weaker role; a new one without a case fails here."""

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

# What each address needs: the weakest role that may see it. Addresses without a store stand in OPEN.
STAFF = {"counter", "quote", "redeem", "done", "today", "undo", "asks", "asked", "unasked", "names"}
STAFF |= {"offline", "take_along", "bring_back", "worker", "manifest", "people", "switch", "own_pin", "shift"}
# Reached without a store in the address: by a signed token, a code, a key or a log-in of one's own.
OPEN_NAMESPACES = {"site", "health", "setup", "survey", "referral", "mail", "in", "api"}
FILLER = {
    "str": "x1", "slug": "rosewater", "int": "987654", "path": "x1", "uuid": "00000000-0000-0000-0000-000000000000",
}  # fmt: skip


def addresses(resolver=None, prefix="", namespace=""):
    """(namespace, name, pattern) of every address."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry, route, entry.namespace or namespace)
        elif isinstance(entry, URLPattern):
            yield namespace, entry.name or "", route


STORE_ADDRESSES = [(space, name, route) for space, name, route in addresses() if "<slug:store>" in route]


def fill(route: str) -> str:
    """A path of that route in the store "rosewater", with ids that do not exist."""
    parts = []
    for part in route.split("/"):
        if part.startswith("<") and ":" in part:
            parts.append(FILLER[part[1:].split(":")[0]])
        elif part.startswith("<"):
            parts.append("x1")
        else:
            parts.append(part)
    return "/" + "/".join(parts)


def test_there_are_addresses():
    assert len(STORE_ADDRESSES) > 25


def test_every_address_without_a_store_is_known():
    allowed = OPEN_NAMESPACES | {""}  # "" is allauth's own, which knows no store
    assert {space for space, _, route in addresses() if "<slug:store>" not in route} <= allowed


@pytest.mark.parametrize(("space", "name", "route"), STORE_ADDRESSES, ids=lambda value: str(value))
def test_a_stranger_finds_nothing(space, name, route, stranger, store):
    for method in (stranger.get, stranger.post):
        assert method(fill(route)).status_code in (404, 405)


@pytest.mark.parametrize(("space", "name", "route"), STORE_ADDRESSES, ids=lambda value: str(value))
def test_anonymous_people_are_sent_to_log_in(space, name, route, store):
    for method in (Client().get, Client().post):
        answer = method(fill(route))
        assert answer.status_code == 405 or (answer.status_code == 302 and answer.url.startswith("/login/"))


@pytest.mark.parametrize(
    ("space", "name", "route"),
    [address for address in STORE_ADDRESSES if address[0] != "checkout"],
    ids=lambda value: str(value),
)
def test_the_counter_staff_see_no_dashboard(space, name, route, staff):
    for method in (staff.get, staff.post):
        assert method(fill(route)).status_code in (403, 405)


@pytest.mark.parametrize(("space", "name", "route"), [a for a in STORE_ADDRESSES if a[0] == "checkout"], ids=str)
def test_the_counter_lets_staff_in(space, name, route, staff):
    assert name in STAFF
    assert staff.get(fill(route)).status_code in (200, 302, 404, 405)
