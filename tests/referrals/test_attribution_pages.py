"""What the public pages do for attribution: the visit goes to the shop, an ended receipt leads nowhere."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from customers.services import Person
from referrals.models import ShareLink, Visit
from referrals.services import attribution, links, redeeming
from tests.conftest import NOW, make_order_of
from tests.referrals.journey_world import DAY

BROWSER = {"user-agent": "Mozilla/5.0 (Linux; Android 14)"}


def test_the_way_to_the_shop_carries_the_visit(store, share_link):
    store.website = "https://shop.example/menu?x=1&visit=old"
    store.save(update_fields=["website"])
    page = Client(headers=BROWSER).get(f"/r/{share_link.code}").content.decode()
    visit = Visit.objects.get()
    assert f"https://shop.example/menu?x=1&amp;visit={visit.token}" in page
    order = make_order_of(store, Person("Bea", "bea@example.com"), at=visit.at, visit=visit.token)
    assert attribution.attribute_order(order, at=visit.at).evidence == "visit"


def test_a_second_look_in_the_same_hour_is_the_same_visit(share_link):
    first, second = (links.record_visit(share_link, visitor="v" * 32, is_bot=False, at=NOW) for _ in range(2))
    assert (first.pk, first.token) == (second.pk, second.token)


def test_bots_carry_nothing(store, share_link):
    store.website = "https://shop.example/"
    bot = links.record_visit(share_link, visitor="v" * 32, is_bot=True, at=NOW)
    assert links.shop_url(store, bot) == "https://shop.example/"
    assert links.shop_url(store, None) == "https://shop.example/"
    person = links.record_visit(share_link, visitor="w" * 32, is_bot=False, at=NOW)
    assert parse_qs(urlsplit(links.shop_url(store, person)).query) == {"visit": [person.token]}


@pytest.mark.parametrize("person", [Person("Sara", "sara@example.com"), None])
def test_an_ended_receipt_is_the_page_of_an_unknown_code(person, store):
    bought = make_order_of(store, person, at=NOW)
    printed = redeeming.receipt_link(bought, at=NOW)
    client = Client(headers=BROWSER)
    assert client.get(f"/r/{printed.code}").status_code == 200
    ShareLink.objects.filter(pk=printed.pk).update(expires_at=NOW - DAY)
    ended, unknown = client.get(f"/r/{printed.code}"), client.get("/r/NOBODY-23456")
    assert (ended.status_code, unknown.status_code) == (404, 404)
    assert ended.content.replace(printed.code.encode(), b"") == unknown.content.replace(b"NOBODY-23456", b"")
