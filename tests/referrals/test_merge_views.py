"""Screens: who is the same person, side by side, merge, split again, suggestions."""

from __future__ import annotations

import pytest
from django.urls import reverse

from customers.models import Customer, CustomerMerge, Order
from customers.services import Person
from outreach.rendering import unsubscribe_url
from referrals import doubles
from referrals.services import merging
from referrals.services.links import share_link_of, share_page_url
from stores.tenancy import act_for
from tests.conftest import NOW, make_order_of
from tests.referrals.journey_world import DAY, take_gift


@pytest.fixture
def pair(make_customer, store):
    by_phone = make_order_of(store, Person("", "", "+639170000007"), at=NOW).customer
    return make_customer("Sara Ahmadi", "sara@example.com"), by_phone


@pytest.fixture
def url(store):
    return lambda name, *customers: reverse(f"referrals:{name}", args=[store.slug, *[c.public_id for c in customers]])


def test_search_compare_merge_and_split(manager, store, pair, url):
    sara, phone = pair
    page = manager.get(url("same", sara), {"q": "+639170000007"}).content.decode()
    assert url("compare", sara, phone) in page
    page = manager.get(url("compare", sara, phone)).content.decode()
    assert "What happens" in page
    assert "Both took" not in page
    answer = manager.post(url("compare", sara, phone), follow=True)
    assert "They are one customer now" in answer.content.decode()
    act_for(store)
    made = CustomerMerge.objects.for_store(store).get()
    assert made.by == manager.user
    assert Order.objects.for_store(store).filter(customer=sara).count() == 2
    assert reverse("referrals:split", args=[store.slug, made.public_id]) in answer.content.decode()
    answer = manager.post(reverse("referrals:split", args=[store.slug, made.public_id]), follow=True)
    assert "two customers again" in answer.content.decode()
    act_for(store)
    assert Order.objects.for_store(store).filter(customer=phone).count() == 1


def test_it_warns_when_both_took_a_gift(manager, store, make_customer, url):
    links = [share_link_of(make_customer(name, f"{name}@example.com"), at=NOW) for name in ("Ana", "Ben")]
    friends = [take_gift(link, f"Bea {number}").friend for number, link in enumerate(links)]
    page = manager.get(url("compare", *friends)).content.decode()
    assert "Both took a friend" in page
    assert manager.get(url("compare", friends[0], links[0].customer)).content.decode().count("alert-warning") == 0


def test_a_refusal_says_why_and_changes_nothing(manager, store, pair, url):
    sara, _phone = pair
    answer = manager.post(url("compare", sara, sara))
    assert answer.status_code == 409
    assert "same customer twice" in answer.content.decode()
    act_for(store)
    assert not CustomerMerge.objects.for_store(store).exists()


def test_who_is_gone_is_on_no_page_and_leads_on(manager, client, api, store, pair, url):
    sara, phone = pair
    page, stop = share_page_url(phone), unsubscribe_url(store, phone)
    merging.merge(sara, phone, by=None, at=NOW)
    assert manager.get(url("same", phone)).status_code == 404
    answer = manager.get(reverse("insights:customer", args=[store.slug, phone.public_id]))
    assert answer.url.endswith(f"{sara.public_id}/")
    found = manager.get(reverse("customers:list", args=[store.slug]), {"q": "+639170000007"}).content.decode()
    assert sara.public_id in found
    assert phone.public_id not in found
    assert client.get(page).status_code == 200
    assert client.get(stop).status_code == 200
    body = api.get(f"/api/v1/customers/{phone.public_id}/").json()
    assert body["public_id"] == sara.public_id
    assert [one["public_id"] for one in api.get("/api/v1/customers/?phone=%2B639170000007").json()["results"]] == [
        sara.public_id
    ]
    assert phone.public_id not in str(api.get("/api/v1/customers/").json())


def test_names_that_both_keep_are_found(manager, api, store, make_customer):
    kept, gone = make_customer("Sara", "sara@example.com"), make_customer("Sara A", "sara.a@example.com")
    merging.merge(kept, gone, by=None, at=NOW)
    page = manager.get(reverse("customers:list", args=[store.slug]), {"q": "sara.a@example.com"}).content.decode()
    assert kept.public_id in page
    found = api.get("/api/v1/customers/?email=sara.a@example.com").json()["results"]
    assert [one["public_id"] for one in found] == [kept.public_id]


def people_with(store, make_customer, **fields) -> list[Customer]:
    people = [make_customer("Ana Cruz", "") for number in range(2)]
    Customer.objects.filter(pk__in=[one.pk for one in people]).update(**fields)
    return people


@pytest.mark.parametrize(
    "fields", [{"email_alias": "ana@example.com"}, {"address_norm": "1 street", "name_norm": "ana cruz"}]
)
def test_likely_doubles_are_suggested_until_somebody_looked(manager, store, make_customer, fields):
    one, other = people_with(store, make_customer, **fields)
    url = reverse("referrals:doubles", args=[store.slug])
    page = manager.get(url).content.decode()
    assert one.public_id in page
    assert other.public_id in page
    manager.post(url, {"one": one.public_id, "other": other.public_id})
    assert "Nobody seems to be here twice" in manager.get(url).content.decode()


def test_the_same_card_and_name_are_suggested(store, make_customer):
    one, other = people_with(store, make_customer)
    Order.objects.for_store(store).update(card_hash="abc")
    assert [(pair.one, pair.other) for pair in doubles.suggestions(store, NOW)] == [(one, other)]
    Customer.objects.filter(pk=other.pk).update(name_norm="somebody else")
    assert doubles.suggestions(store, NOW) == []


def test_suggestions_take_two_queries(store, make_customer, django_assert_num_queries):
    for number in range(4):
        people_with(store, make_customer, email_alias=f"{number}@example.com")
    with django_assert_num_queries(2):
        assert len(doubles.suggestions(store, NOW)) == 4


def test_comparing_costs_the_same_for_much(store, pair, make_order, django_assert_max_num_queries):
    with django_assert_max_num_queries(40):
        doubles.compare(store, *pair)


def test_merges_are_not_for_others(stranger, staff, store, pair, url):
    sara, phone = pair
    assert stranger.post(url("compare", sara, phone)).status_code == 404
    assert staff.post(url("compare", sara, phone)).status_code == 403
    act_for(store)
    assert not CustomerMerge.objects.for_store(store).exists()


def test_of_older_customers_another_part_is_looked_at_each_day(store, make_customer, monkeypatch):
    """Nobody is left out for good: within as many days as there are parts each pair has had its turn."""
    monkeypatch.setattr(doubles, "LOOKED_AT", 2)
    pairs = []
    for number in range(3):
        email = f"old{number}@example.com"
        first = make_customer(f"Old {number}", email, at=NOW - 90 * DAY)
        other = make_customer(f"Old {number}", email.replace("@", "+x@"), at=NOW - 90 * DAY)
        pairs.append((first, other))
    for number in range(3):
        make_customer(f"New {number}", f"new{number}@example.com")
    seen = [{(pair.one, pair.other) for pair in doubles.suggestions(store, NOW + day * DAY)} for day in range(9)]
    assert set().union(*seen) == set(pairs)
    assert max(len(one) for one in seen) < len(pairs)
