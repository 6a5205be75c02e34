import json
import secrets

import pytest

from rewards.services import vouchers


@pytest.fixture
def post():
    """`post(client, "orders/", body, key="k")`: the status and the JSON of a POST to the API."""

    def send(client, path, body=None, *, key="", raw=None):
        headers = {"idempotency-key": key} if key else {}
        text = raw if raw is not None else json.dumps({} if body is None else body)
        return client.post(f"/api/v1/{path}", text, content_type="application/json", headers=headers)

    return send


@pytest.fixture
def get():
    """`get(client, "orders/")`: a GET to the API."""
    return lambda client, path, **query: client.get(f"/api/v1/{path}", query)


@pytest.fixture
def voucher(store, make_customer, now):
    """A voucher of 10 % that belongs to nobody's referral."""
    from referrals.services.programs import program_of

    offer = program_of(store).terms.friend_offer
    return vouchers.issue(store, offer, key=f"test:{secrets.token_hex(4)}", at=now)


@pytest.fixture
def order_body():
    """The order of the API's documentation."""
    return {
        "source": "pos",
        "external_id": "1001",
        "currency": "PHP",
        "total_minor": 155000,
        "placed_at": "2026-11-20T10:00:00+08:00",
        "delivered_at": None,
        "cancelled_at": None,
        "refunded_minor": 0,
        "code": "",
        "location": "katipunan",
        "customer": {
            "external_id": "c-9",
            "name": "Bea Cruz",
            "email": "bea@example.com",
            "phone": "+639170000001",
            "locale": "fil",
            "consent": {"email": True, "sms": False},
        },
        "lines": [{"sku": "MUG-1", "name": "Mug", "category": "kitchen", "quantity": 1, "unit_price_minor": 155000}],
    }
