"""Who may call what: keys, scopes, limits, paging; the same for every endpoint."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError, get_ident

import pytest
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from checkout.api import schema
from referrals.models import Referral
from stores.models import ApiKey

ENDPOINTS = [
    ("post", "orders/", "orders"),
    ("get", "orders/abc/receipt/", "orders"),
    ("post", "events/", "orders"),
    ("post", "vouchers/quote/", "vouchers"),
    ("post", "vouchers/redeem/", "vouchers"),
    ("post", "redemptions/abc/reverse/", "vouchers"),
    ("get", "customers/", "customers"),
    ("get", "customers/abc/", "customers"),
    ("get", "referrals/", "referrals"),
    ("post", "referrals/abc/approve/", "referrals"),
    ("post", "referrals/abc/void/", "referrals"),
    ("get", "rewards/", "rewards"),
    ("get", "messages/", "messages"),
]


def call(client, method, path):
    return getattr(client, method)(f"/api/v1/{path}", content_type="application/json")


@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS)
def test_the_door(api, store, method, path, scope):
    for client in (
        Client(),
        Client(headers={"authorization": "Bearer gw_wrong"}),
        Client(headers={"authorization": "x"}),
    ):
        answer = call(client, method, path)
        assert answer.status_code == 401
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    keys = ApiKey.objects.for_store(store)
    keys.update(scopes=[one for one in ApiKey.SCOPES if one != scope])
    assert call(api, method, path).status_code == 403
    keys.update(scopes=[scope])
    assert call(api, method, path).status_code in (200, 400, 404)
    assert call(api, "delete", path).status_code == 405
    keys.update(revoked_at=timezone.now())
    assert call(api, method, path).status_code == 401


def test_too_many_calls_wait(api, settings, get):
    settings.API_CALLS_PER_MINUTE = 2
    answers = [get(api, "rewards/") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "60"
    assert answers[2].json()["type"] == "too-many-requests"


LISTS = ["customers/", "referrals/", "rewards/", "messages/"]


@pytest.mark.parametrize("path", LISTS)
def test_odd_queries_are_refused(api, path):
    for query in ("limit=5&limit=6", "limit=0.5", "limit=abc", "limit=-1", "cursor=%00", "cursor=abc", "order=hash"):
        answer = api.get(f"/api/v1/{path}?{query}")
        assert answer.status_code == 400, query
        assert answer.json()["errors"]
    assert api.get(f"/api/v1/{path}?limit=1000000000").status_code == 200


def test_paging_shows_each_row_once(api, get, make_customer):
    for number in range(7):
        make_customer(f"Friend {number}")
    seen, url = [], "/api/v1/customers/?limit=3"
    while url:
        page = api.get(url).json()
        assert page.keys() == {"next", "results"}
        seen += [one["public_id"] for one in page["results"]]
        url = page["next"]
    assert len(seen) == len(set(seen)) == 7


def test_a_page_holds_at_most_two_hundred(api, get, monkeypatch, make_customer):
    monkeypatch.setattr("checkout.api.paging.MOST", 2)
    for _ in range(3):
        make_customer()
    assert len(get(api, "customers/", limit=10**9).json()["results"]) == 2


@pytest.mark.parametrize("path", LISTS)
def test_lists_ask_no_more_for_more_rows(api, get, make_order, share_link, now, path, django_assert_max_num_queries):
    for number in range(5):
        order = make_order(f"friend{number}@example.com", code=share_link.code, days_ago=-0.01, recorded=now)
        from referrals.services import attribution, deciding

        deciding.approve_referral(attribution.attribute_order(order, at=now), at=now, by_hand=True)
    with django_assert_max_num_queries(12):
        assert len(get(api, path).json()["results"]) >= 5


def test_the_schema_names_every_endpoint(client, store):
    answer = client.get("/api/v1/schema/", headers={"accept": "application/json"})
    assert answer.status_code == 200
    paths = set(answer.json()["paths"])
    for _, path, _ in ENDPOINTS:
        assert any(one.startswith(f"/api/v1/{path.split('abc')[0]}") for one in paths), path
    docs = client.get("/api/v1/docs/")
    assert docs.status_code == 200
    assert b"<script>" not in docs.content


@pytest.mark.parametrize(("generator", "most"), [(schema.Generator, 1), (SchemaGenerator, 4)])
def test_many_at_once_get_one_schema_and_it_is_made_once(monkeypatch, generator, most):
    """The second row is the control: the library's own is at work in all four threads together."""
    made, together = [], Barrier(4)

    def make(self, request=None, public=False):
        with suppress(BrokenBarrierError):
            together.wait(timeout=10 if most == 4 else 0.5)
        made.append(get_ident())
        return {"paths": {}}

    schema._schema.cache_clear()
    monkeypatch.setattr(SchemaGenerator, "get_schema", make)
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(generator().get_schema, None, True) for _ in range(4)]
    schema._schema.cache_clear()
    assert [answer.result() for answer in answers] == [{"paths": {}}] * 4
    assert len(made) == most
    assert together.broken is (most == 1)


def test_nothing_is_said_about_another_store(foreign_api, api, get, post, make_order, share_link, now):
    make_order("bea@example.com", code=share_link.code)
    for path in LISTS:
        assert get(foreign_api, path).json()["results"] == []
    sara = share_link.customer
    assert get(foreign_api, f"customers/{sara.public_id}/").status_code == 404
    assert get(foreign_api, "messages/", customer=sara.public_id).status_code == 404
    assert get(foreign_api, "rewards/", customer=sara.public_id).status_code == 404
    assert not Referral.objects.exclude(status="pending").exists()
