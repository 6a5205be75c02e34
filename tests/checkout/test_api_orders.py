import json
import time

import pytest
from django.db import DataError, connection

from customers.models import Customer, Order
from referrals.models import Referral


def test_an_order_is_created_then_known(api, post, order_body, store):
    first = post(api, "orders/", order_body)
    assert first.status_code == 201
    again = post(api, "orders/", order_body)
    assert again.status_code == 200
    assert again.json()["public_id"] == first.json()["public_id"]
    assert first.json()["referral"] is None
    order = Order.objects.for_store(store).get()
    assert (order.total_minor, order.location.code, order.customer.phone_norm) == (155000, "katipunan", "+639170000001")
    assert order.lines.get().product.category.name == "kitchen"
    assert order.customer.email_consent
    assert not order.customer.sms_consent


def test_an_order_with_a_code_names_who_sent_the_buyer(api, post, order_body, share_link):
    answer = post(api, "orders/", {**order_body, "code": share_link.code.lower()}).json()
    assert answer["referral"]["status"] == "pending"
    assert answer["referral"]["advocate"] == "Sara A."
    assert answer["referral"]["reason"] is None


def test_an_own_code_is_reported_with_its_reason(api, post, order_body, share_link):
    body = {**order_body, "code": share_link.code, "customer": {"email": "Sara@Example.com"}}
    assert post(api, "orders/", body).json()["referral"] == {
        "public_id": Referral.objects.get().public_id,
        "status": "voided",
        "advocate": "Sara A.",
        "reason": "own_code",
    }


def test_a_guest_is_accepted(api, post, order_body, store):
    body = {key: value for key, value in order_body.items() if key in ("source", "external_id", "currency")}
    answer = post(api, "orders/", {**body, "total_minor": 0, "placed_at": "2026-11-20T10:00:00Z"})
    assert answer.status_code == 201
    assert answer.json()["customer"] is None


def test_a_customer_needs_an_address(api, post, order_body, store):
    answer = post(api, "orders/", {**order_body, "customer": {"name": "Bea"}})
    assert answer.status_code == 400
    assert "customer" in answer.json()["errors"]
    assert not Order.objects.for_store(store).exists()


def test_one_bad_item_never_stops_the_others(api, post, order_body, store):
    items = [
        {**order_body, "external_id": "1"},
        {**order_body, "external_id": "2", "total_minor": "12"},
        "not an order",
        {**order_body, "external_id": "4", "customer": {"email": "no address"}},
        {**order_body, "external_id": "5"},
        {**order_body, "external_id": "5"},
        {**order_body, "external_id": "5", "total_minor": 160000},
    ]
    answer = post(api, "orders/", items)
    results = answer.json()["results"]
    assert answer.status_code == 200
    said = [(one["external_id"], one["status"]) for one in results]
    assert said == [
        ("1", "created"),
        ("2", "error"),
        (None, "error"),
        ("4", "error"),
        ("5", "created"),
        ("5", "unchanged"),
        ("5", "updated"),
    ]
    assert "total_minor" in results[1]["errors"]
    assert results[3]["errors"].keys() == {"customer.email"}
    assert results[3]["public_id"] is None
    assert Order.objects.for_store(store).count() == 2


def test_a_list_credits_orders_that_carry_a_code(api, post, order_body, share_link):
    post(api, "orders/", [{**order_body, "code": share_link.code}])
    assert Referral.objects.get().advocate == share_link.customer


def test_more_than_a_thousand_are_refused(api, post, order_body, store):
    assert post(api, "orders/", [order_body] * 1001).status_code == 400
    assert not Order.objects.for_store(store).exists()


def test_an_empty_list_is_no_error(api, post):
    assert post(api, "orders/", []).json() == {"results": []}


def test_a_thousand_orders_take_a_second_and_few_statements(api, post, order_body, store):
    """Counted in statements and in this process's own time: the wall clock belongs to the whole machine."""
    items = [
        {
            **order_body,
            "external_id": str(number),
            "customer": {"name": f"Bea {number}", "email": f"bea{number}@example.com", "consent": {"email": True}},
        }
        for number in range(1000)
    ]
    statements = 0

    def count(execute, *call):
        nonlocal statements
        statements += 1
        return execute(*call)

    begun, worked = time.perf_counter(), time.process_time()
    with connection.execute_wrapper(count):
        answer = post(api, "orders/", items)
    taken, ours = time.perf_counter() - begun, time.process_time() - worked
    print(f"1,000 orders: {statements} statements, {taken:.2f} s, {ours:.2f} s of them ours")
    assert {one["status"] for one in answer.json()["results"]} == {"created"}
    assert ours < 2
    assert statements < 40


def test_a_failing_row_in_a_list_loses_only_itself(api, post, order_body, store, monkeypatch):
    from customers.services import orders

    insert = orders.insert_rows

    def fail_one(rows):
        if any(getattr(row, "external_id", "") == "3" for row in rows):
            raise DataError("out of range")
        return insert(rows)

    monkeypatch.setattr(orders, "insert_rows", fail_one)
    items = [{**order_body, "external_id": str(number)} for number in range(5)]
    results = post(api, "orders/", items).json()["results"]
    assert [one["status"] for one in results] == ["created", "created", "created", "error", "created"]
    assert results[3]["external_id"] == "3"
    assert Order.objects.for_store(store).count() == 4


BAD = [
    ({"total_minor": 1550.0}, "total_minor"),
    ({"total_minor": True}, "total_minor"),
    ({"total_minor": "155000"}, "total_minor"),
    ({"total_minor": -1}, "total_minor"),
    ({"total_minor": 10**13 + 1}, "total_minor"),
    ({"total_minor": None}, "total_minor"),
    ({"refunded_minor": 155001}, "refunded_minor"),
    ({"currency": "XQX"}, "currency"),
    ({"currency": "php"}, "currency"),
    ({"currency": 608}, "currency"),
    ({"placed_at": "2026-11-20T10:00:00"}, "placed_at"),
    ({"placed_at": "2026-02-30T10:00:00Z"}, "placed_at"),
    ({"placed_at": "20/11/2026"}, "placed_at"),
    ({"placed_at": 1700000000}, "placed_at"),
    ({"placed_at": "2126-11-20T10:00:00Z"}, "placed_at"),
    ({"placed_at": "0001-01-01T00:00:00+14:00"}, "placed_at"),
    ({"external_id": 1001}, "external_id"),
    ({"external_id": ""}, "external_id"),
    ({"external_id": "x" * 121}, "external_id"),
    ({"store": "elsewhere"}, "store"),
    ({"public_id": "mine"}, "public_id"),
    ({"customer": {"email": "not an address"}}, "customer.email"),
    ({"customer": {"phone": "9.63E+11"}}, "customer.phone"),
    ({"customer": {"email": "a@example.com", "store_id": 2}}, "customer.store_id"),
    ({"customer": {"email": "a@example.com", "consent": {"email": "yes"}}}, "customer.consent.email"),
    ({"customer": {"email": "a@example.com", "consent": True}}, "customer.consent"),
    ({"customer": "Bea"}, "customer"),
    ({"lines": [{"sku": "A", "quantity": 0}]}, "lines.0.quantity"),
    ({"lines": [{"sku": "A", "unit_price_minor": 1.5}]}, "lines.0.unit_price_minor"),
    ({"lines": {"sku": "A"}}, "lines"),
]


@pytest.mark.parametrize(("change", "field"), BAD, ids=[json.dumps(change)[:40] for change, _ in BAD])
def test_a_bad_order_is_refused_by_its_field(api, post, order_body, store, change, field):
    answer = post(api, "orders/", {**order_body, **change})
    assert answer.status_code == 400
    assert field in answer.json()["errors"], answer.json()
    assert not Order.objects.for_store(store).exists()
    assert not Customer.objects.for_store(store).exists()


RAW = [
    '{"total_minor": 1e309}',
    '{"total_minor": -0}',
    '{"total_minor": 1.55e5}',
    '{"total_minor": NaN}',
    '{"total_minor": 123456789012345678901234567890}',
    '{"source": "a", "source": "b"}',
    '{"source": "\\u0000"}',
    '{"source": "\\ud800"}',
    '{"\\ud800": 1}',
    "[" * 100 + "]" * 100,
    "{",
    "",
    "null",
    "12",
    '"order"',
]


@pytest.mark.parametrize("raw", RAW)
def test_odd_json_is_refused(api, post, store, raw):
    answer = post(api, "orders/", raw=raw)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "errors", "request_id"} == set(answer.json())
    assert not Order.objects.for_store(store).exists()


def test_bytes_that_are_not_utf_8_are_refused(api):
    answer = api.post("/api/v1/orders/", b'{"source": "\xff"}', content_type="application/json")
    assert answer.status_code == 400


def test_a_large_body_and_another_type_are_refused(api, post, store):
    assert post(api, "orders/", raw='"' + "x" * (5 * 1024 * 1024 + 10) + '"').status_code == 413
    assert api.post("/api/v1/orders/", "a=b", content_type="text/plain").status_code == 415
    assert api.get("/api/v1/orders/").status_code == 405


def test_what_the_till_redeemed_first_gets_its_lines_later(api, post, order_body, voucher, store):
    body = {"code": voucher.code, "amount_minor": 155000, "currency": "PHP"}
    post(api, "vouchers/redeem/", {**body, "order": {"source": "pos", "external_id": "1001"}}, key="k1")
    answer = post(api, "orders/", order_body)
    assert answer.status_code == 200
    order = Order.objects.for_store(store).get()
    assert order.lines.count() == 1
    assert order.customer.email == "bea@example.com"


def test_a_receipt_has_the_customers_share_code(api, post, get, order_body):
    public_id = post(api, "orders/", order_body).json()["public_id"]
    answer = get(api, f"orders/{public_id}/receipt/").json()
    assert answer["code"].startswith("BEA-")
    assert answer["url"].endswith(f"/r/{answer['code']}")
    assert answer["qr_svg"].startswith("<svg")
    assert answer["code"] in answer["text"]
    assert get(api, f"orders/{public_id}/receipt/").json() == answer


def test_a_guests_receipt_has_a_code_that_works(api, post, get, order_body, client):
    public_id = post(api, "orders/", {**order_body, "customer": None}).json()["public_id"]
    code = get(api, f"orders/{public_id}/receipt/").json()["code"]
    quote = post(api, "vouchers/quote/", {"code": code, "amount_minor": 1000, "currency": "PHP"}).json()
    assert quote["valid"]
    assert quote["kind"] == "share_code"
    assert get(api, f"orders/{public_id}/receipt/").json()["code"] == code


def test_another_stores_order_has_no_receipt(api, foreign_api, post, get, order_body):
    public_id = post(api, "orders/", order_body).json()["public_id"]
    assert get(foreign_api, f"orders/{public_id}/receipt/").status_code == 404
