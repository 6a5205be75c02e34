"""Every address and every operation, for everybody: the answer of the table (doors.py), and nothing has changed."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from checkout.services import pins
from stores.api_auth import hash_key
from stores.models import ApiKey, Membership, Role
from stores.tenancy import act_for, acting_for
from tests.walls import doors
from tests.walls.fingerprint import fingerprint
from tests.walls.world import ID, every_row

ROUTES, NEEDED = doors.of_stores(), doors.needed()
METHODS = ("get", "post")
Judge = Callable[[HttpResponse], bool]


@pytest.fixture
def theirs(other_store, make_user, store) -> Membership:
    """The other store with a row of everything; their membership that the rows name."""
    user = make_user(None, None)
    with acting_for(other_store):
        rows = every_row(other_store, user)
    act_for(store)
    return rows[Membership]


def walk(client: Client, names: list[str], is_right: Judge, **ids) -> dict[str, object]:
    """Call every address with GET and POST; those whose answer is not right."""
    wrong = {}
    for name in names:
        path = doors.fill(ROUTES[name], **ids)
        for method in METHODS:
            answer = getattr(client, method)(path)
            if not is_right(answer):
                wrong[f"{method} {name} {path}"] = (answer.status_code, answer.headers.get("Location"))
    return wrong


def is_not_found(answer: HttpResponse) -> bool:
    return answer.status_code in (404, 405)


# -- The table is whole --


def test_the_table_names_every_address_of_a_store():
    assert ROUTES.keys() == NEEDED.keys()


def test_the_table_names_every_address_without_a_store():
    assert {route for _name, route in doors.addresses() if "<slug:store>" not in route} == doors.OPEN.keys()


def test_the_table_names_every_operation_of_the_api():
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    assert {f"{method} {path}" for path, found in paths.items() for method in found} == doors.API.keys()


# -- The pages of a store --


def test_anonymous_people_are_sent_to_log_in(store, theirs, other_store):
    before = fingerprint(store, other_store)

    def is_right(answer: HttpResponse) -> bool:
        return answer.status_code == 405 or (answer.status_code == 302 and answer.url.startswith("/login/?next="))

    assert walk(Client(), list(ROUTES), is_right) == {}
    assert walk(Client(), list(ROUTES), is_right, store="elsewhere", named=ID, number=theirs.pk) == {}
    assert fingerprint(store, other_store) == before


def test_a_stranger_finds_nothing(login, store, other_store, theirs):
    """Neither by ids that do not exist nor by those that do, and no less than in a store that does not exist."""
    stranger = login(Role.OWNER)
    act_for(store)
    before = fingerprint(store, other_store)
    assert walk(stranger, list(ROUTES), is_not_found, store="elsewhere", named=ID, number=theirs.pk) == {}
    assert walk(stranger, list(ROUTES), is_not_found, store="nowhere") == {}
    assert fingerprint(store, other_store) == before


@pytest.mark.parametrize("role", [Role.STAFF, Role.MANAGER])
def test_a_weaker_role_is_refused(login, store, other_store, role):
    client, beyond = login(role), [name for name, needed in NEEDED.items() if not role.covers(needed)]
    assert len(beyond) > 25
    before = fingerprint(store)
    assert walk(client, beyond, lambda answer: answer.status_code in (403, 405)) == {}
    assert fingerprint(store) == before


@pytest.mark.parametrize("role", list(Role))
def test_the_weakest_role_of_the_table_is_let_in(login, store, role):
    """The other side of the table: who may enter is not refused."""
    client, wrong = login(role), {}
    for name in (name for name, needed in NEEDED.items() if needed == role):
        status = client.get(doors.fill(ROUTES[name])).status_code
        if status not in (200, 302, 404, 405, 422):
            wrong[name] = status
    assert wrong == {}


def test_other_stores_ids_open_nothing(owner, store, other_store, theirs):
    """The owner of one store, at home, with the ids of another's rows."""
    names = [name for name, route in ROUTES.items() if "_id>" in route or "int:" in route or "slug:slug" in route]
    assert len(names) > 80
    act_for(store)
    before = fingerprint(store, other_store)
    assert walk(owner, names, is_not_found, named=ID, number=theirs.pk) == {}
    assert fingerprint(store, other_store) == before


def test_control_at_home_the_same_ids_open_pages(login, other_store, theirs):
    """What the last test would see if a wall were missing."""
    at_home = login(Role.OWNER, of=other_store)
    ids = {"store": "elsewhere", "named": ID, "number": theirs.pk}
    opened = [
        name
        for name, route in ROUTES.items()
        if "_id>" in route
        if at_home.get(doors.fill(route, **ids)).status_code == 200
    ]
    assert len(opened) > 25


def test_a_device_taken_over_by_pin_reaches_the_counter_only(login, store, make_user):
    mate = Membership.objects.for_store(store).select_related("user", "store").get(user=make_user(Role.OWNER, store))
    pins.change(mate, "730415", at=timezone.now())
    device = login(Role.OWNER)
    device.post("/c/rosewater/switch/", {"who": mate.pk, "pin": "730415"})
    beyond = [name for name, needed in NEEDED.items() if needed != Role.STAFF]
    act_for(store)
    before = fingerprint(store)
    assert walk(device, beyond, lambda answer: answer.headers.get("Location") == "/c/rosewater/") == {}
    assert fingerprint(store) == before


# -- Pages without a store in their address --


def test_addresses_without_a_store_answer_strangers_as_the_table_says(store):
    """With tokens, codes and ids that nobody was given."""
    Client().get("/readyz")  # the first question notes where the server's database is
    before, found = fingerprint(store), {}
    for route in doors.OPEN:
        answers = [getattr(Client(), method)(doors.fill(route)) for method in METHODS]
        found[route] = tuple(
            doors.LOG_IN if one.headers.get("Location", "").startswith("/login/") else one.status_code
            for one in answers
        )
    assert found == doors.OPEN
    act_for(store)
    assert fingerprint(store) == before


# -- The API --


def call(client: Client, operation: str, named: str = ID) -> HttpResponse:
    method, path = operation.split()
    path = path.replace("{public_id}", named)
    return getattr(client, method)(
        path, content_type="application/json", headers={"idempotency-key": secrets.token_hex(4)}
    )


@pytest.fixture
def key_of(store):
    """A function that gives a client with a key of that store and those scopes."""

    def make(of, scopes, **fields) -> Client:
        text = f"gw_{secrets.token_hex(20)}"
        with acting_for(of):
            ApiKey.objects.create(store=of, prefix=text[:8], hash=hash_key(text), scopes=scopes, **fields)
        return Client(headers={"authorization": f"Bearer {text}"})

    return make


@pytest.mark.parametrize(("operation", "scope"), doors.API.items())
def test_the_api_opens_by_scope_alone(store, other_store, theirs, key_of, owner, operation, scope):
    without, alone = [one for one in ApiKey.SCOPES if one != scope], [scope]
    revoked = key_of(store, [*ApiKey.SCOPES], revoked_at=timezone.now())
    lacking, other, enough = key_of(store, without), key_of(store, list(ApiKey.SCOPES)), key_of(store, alone)
    act_for(store)
    before = fingerprint(store, other_store)
    wrong = Client(headers={"authorization": "Bearer gw_wrong"})
    answers = [call(client, operation) for client in (Client(), owner, wrong, revoked, lacking)]
    assert [one.status_code for one in answers] == [401, 401, 401, 401, 403]
    for one in answers:
        assert one.headers["Content-Type"] == "application/problem+json"
        assert one.json()["detail"]
    if "public_id" in operation:  # the row is there, in the other store
        assert call(other, operation).status_code == 404
        assert call(enough, operation).status_code == 404
    act_for(store)
    assert fingerprint(store, other_store) == before
    assert call(enough, operation, "x1").status_code in (200, 400, 404)
