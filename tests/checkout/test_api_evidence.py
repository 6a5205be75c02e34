"""What the orders endpoint takes as evidence: visit, the advocate's name, a card's hash, an address."""

import pytest

from customers.models import Customer, Order
from referrals.models import Referral
from referrals.services.links import record_visit
from tests.conftest import NOW

HASH = "9f86d081884c7d659a2feaa0c55ad015"


@pytest.fixture
def came(share_link):
    """A visit by Sara's link, a day ago."""
    return record_visit(share_link, visitor="v" * 32, is_bot=False, at=NOW.replace(day=19))


def test_an_order_with_a_visit_names_who_sent_the_buyer(api, post, order_body, came, store):
    answer = post(api, "orders/", {**order_body, "visit": came.token})
    assert answer.json()["referral"]["advocate"] == "Sara A."
    assert Referral.objects.get().evidence == "visit"


def test_a_list_of_orders_is_credited_by_visit_and_name(api, post, order_body, came, store, share_link):
    Customer.objects.filter(pk=share_link.customer_id).update(found_by_name=True)
    items = [
        {**order_body, "external_id": "1", "visit": came.token},
        {**order_body, "external_id": "2", "customer": {"email": "eli@example.com"}, "advocate_name": "Sara Ahmadi"},
    ]
    assert post(api, "orders/", items).status_code == 200
    assert set(Referral.objects.values_list("evidence", "status")) == {("visit", "pending"), ("name", "flagged")}


def test_everything_is_kept_and_the_first_word_stands(api, post, order_body, store):
    told = {"visit": "2" * 20, "advocate_name": " Sara  Ahmadi ", "card_hash": HASH.upper()}
    post(api, "orders/", {**order_body, **told})
    post(api, "orders/", {**order_body, "visit": "3" * 20, "advocate_name": "Omid", "card_hash": "0" * 16})
    order = Order.objects.for_store(store).get()
    assert (order.visit, order.named, order.card_hash) == ("2" * 20, "Sara Ahmadi", HASH)


def test_what_comes_later_fills_what_was_blank(api, post, order_body, store, came):
    post(api, "orders/", order_body)
    answer = post(api, "orders/", {**order_body, "visit": came.token})
    assert answer.json()["result"] == "updated"
    assert answer.json()["referral"]["status"] == "pending"


@pytest.mark.parametrize("visit", ["nonsense", "2" * 21, "<script>", "0" * 20, None, ""])
def test_a_visit_that_is_none_of_ours_stops_no_order(visit, api, post, order_body, store):
    assert post(api, "orders/", {**order_body, "visit": visit}).status_code == 201
    assert Order.objects.for_store(store).get().visit == ""


@pytest.mark.parametrize("told", ["xyz", "12345", "g" * 16, "a" * 65, 12345678901234567, True, ["a"]])
def test_what_is_no_hash_is_refused(told, api, post, order_body, store):
    answer = post(api, "orders/", {**order_body, "card_hash": told})
    assert answer.status_code == 400
    assert "card_hash" in answer.json()["errors"]
    assert not Order.objects.for_store(store).exists()


@pytest.mark.parametrize("number", ["4111111111111111", "6011000990139424"])
def test_a_cards_own_number_is_never_kept(number, api, post, order_body, store):
    assert post(api, "orders/", {**order_body, "card_hash": number}).status_code == 201
    assert Order.objects.for_store(store).get().card_hash == ""


@pytest.mark.parametrize("field", ["visit", "advocate_name"])
@pytest.mark.parametrize("told", [1, True, {}, [], "x" * 5000])
def test_evidence_that_is_no_text_is_refused(field, told, api, post, order_body, store):
    answer = post(api, "orders/", {**order_body, field: told})
    assert answer.status_code == 400
    assert field in answer.json()["errors"]


def test_an_address_is_kept_to_be_compared(api, post, order_body, store):
    customer = {**order_body["customer"], "address": "12 Rosal St.,\n Quezon City"}
    post(api, "orders/", {**order_body, "customer": customer})
    bea = Customer.objects.for_store(store).get()
    assert (bea.postal_address, bea.address_norm) == ("12 Rosal St.,\nQuezon City", "12 rosal st quezon city")
    post(api, "orders/", {**order_body, "external_id": "2", "customer": {**customer, "address": "Elsewhere 1"}})
    bea.refresh_from_db()
    assert bea.address_norm == "12 rosal st quezon city"


def test_the_schema_tells_of_them(api, get):
    text = get(api, "schema/").content.decode()
    assert all(f"{name}:" in text for name in ("visit", "advocate_name", "card_hash", "address"))
