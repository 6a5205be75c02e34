"""The landing page of full and limited programs, of every kind of gift; the browser's cookie."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from customers.services import Person
from referrals.models import Claim, Device, Program, Visit
from referrals.services import claims, devices
from referrals.services.programs import change_program, program_of
from referrals.services.terms import OfferTerms, terms_of
from rewards.models import Budget, Offer, Voucher

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/605.1"
Kind = Offer.Kind


@pytest.fixture
def client():
    return Client(headers={"user-agent": PHONE})


@pytest.fixture
def url(share_link):
    return f"/r/{share_link.code}"


@pytest.fixture
def change(store, now):
    """A function that puts other terms in force."""

    def change(**values):
        program = program_of(store)
        return change_program(program, replace(terms_of(program), **values), by=None, at=now)

    return change


def text_of(client, url):
    return client.get(url).content.decode()


@pytest.mark.parametrize(
    ("offer", "words"),
    [
        (OfferTerms(Kind.PERCENT_OFF, percent=20), "20% off"),
        (OfferTerms(Kind.FIXED_OFF, amount_minor=100_00), "₱100 off"),
        (OfferTerms(Kind.STORE_CREDIT, amount_minor=100_00), "as soon as your first order counts"),
        (OfferTerms(Kind.GIFT_CARD, amount_minor=100_00), "gift card of ₱100"),
        (OfferTerms(Kind.FREE_PRODUCT, amount_minor=100_00, sku="MUG-1", words="Mug"), "it costs you nothing"),
        (OfferTerms(Kind.DONATION, amount_minor=100_00, words="the lifeboats"), "It is given as soon as"),
        (OfferTerms(Kind.CUSTOM, amount_minor=100_00, words="a seat at our table"), "a seat at our table"),
    ],
)
def test_every_kind_of_gift_is_said_and_can_be_taken(client, store, url, change, offer, words):
    change(friend=offer)
    assert words in text_of(client, url)
    page = client.post(url, {"contact": "bea@example.com"}, follow=True)
    assert page.status_code == 200
    assert Voucher.objects.for_store(store).get().as_shown in page.content.decode()
    assert 'href="/terms/' in page.content.decode()


def test_it_says_how_many_places_are_left_and_until_when(client, store, url, change):
    change(places=12)
    Program.objects.for_store(store).update(ends_at=timezone.now() + timedelta(days=3))
    text = text_of(client, url)
    assert "12 places left." in text
    assert "Until " in text
    client.post(url, {"contact": "bea@example.com"})
    assert "11 places left." in text_of(client, url)


def test_a_full_program_says_so_kindly_and_takes_nobody(client, store, url, change):
    change(places=1)
    first = client.post(url, {"contact": "bea@example.com"})
    text = text_of(client, url)
    assert "All gifts are taken" in text
    assert "<form" not in text
    assert "10% off" not in text
    late = client.post(url, {"contact": "eli@example.com"})
    assert late.status_code == 200
    assert "All gifts are taken" in late.content.decode()
    assert Claim.objects.for_store(store).count() == 1
    # Who has theirs keeps it, also by a second tap.
    assert client.post(url, {"contact": "bea@example.com"})["Location"] == first["Location"]


def test_a_full_program_tells_nobody_who_is_a_customer(client, store, url, change, make_customer):
    make_customer("Nina Known", "nina@example.com")
    change(places=1)
    client.post(url, {"contact": "bea@example.com"})
    pages = {
        client.post(url, {"contact": contact}).content
        for contact in ("nina@example.com", "sara@example.com", "new@example.com")
    }
    assert len(pages) == 1


def test_a_used_up_budget_is_full_as_well(client, store, url, change):
    change(ceiling_minor=1_000_00)
    Budget.objects.for_store(store).update(committed_minor=1_000_00)
    assert "All gifts are taken" in text_of(client, url)


def test_an_ended_program_is_gone_like_an_unknown_one(client, store, url):
    Program.objects.for_store(store).update(ends_at=timezone.now() - timedelta(minutes=1))
    pages = [client.get(url), client.get("/r/NOBODY-22222")]
    assert [page.status_code for page in pages] == [404, 404]
    assert len({re.sub(r'href="[^"]*lang=[^"]*"', "", page.content.decode()) for page in pages}) == 1
    assert not pages[0].cookies


# -- The browser's cookie --


def test_the_cookie_is_ours_alone(client, url):
    cookie = client.get(url).cookies["gw_device"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["domain"]
    assert int(cookie["max-age"]) == 90 * 86400
    assert "gw_device" not in client.get(url).cookies  # it is given once


def test_a_claim_keeps_a_hash_of_the_browser_and_of_the_network(client, store, url):
    client.get(url)
    client.post(url, {"contact": "bea@example.com"}, REMOTE_ADDR="10.0.0.1")
    claim, value = Claim.objects.for_store(store).get(), client.cookies["gw_device"].value
    assert claim.device == devices.hashed(store, value) == Visit.objects.for_store(store).get().device
    assert claim.address == devices.hashed(store, "10.0.0.1")
    assert value not in claim.device


def test_the_same_browser_is_another_in_another_store(store, other_store):
    assert devices.hashed(store, "x") != devices.hashed(other_store, "x")
    assert devices.hashed(store, "") == ""


@pytest.mark.parametrize("value", ["", "x", "a" * 5000, "<script>", "é", "a" * 23])
def test_without_a_cookie_of_ours_everything_works(store, url, value):
    blocked = Client(headers={"user-agent": PHONE, "cookie": f"gw_device={value}"})
    assert blocked.post(url, {"contact": "bea@example.com"}).status_code == 302
    assert Claim.objects.for_store(store).get().device == ""


def test_programs_get_no_cookie(url, store):
    assert not Client(headers={"user-agent": "WhatsApp/2.24"}).get(url).cookies
    assert Visit.objects.for_store(store).get().device == ""


def test_the_site_they_came_from_is_kept_by_its_host_alone(client, store, url):
    client.get(url, headers={"referer": "https://www.coupons.example/secret?mail=a@b.c"})
    client.get(url, headers={"referer": "http://[broken"}, REMOTE_ADDR="10.0.0.9")
    assert set(Visit.objects.for_store(store).values_list("referrer", flat=True)) == {"www.coupons.example", ""}


def test_traces_are_forgotten_after_90_days(store, share_link, now):
    trace = claims.Trace("d" * 32, "a" * 32)
    claims.claim(share_link, Person("Bea Cruz", "bea@example.com"), at=now, trace=trace)
    devices.note_device(share_link.customer, "d" * 32, at=now)
    assert devices.forget_traces(store, now + timedelta(days=89)) == 0
    assert devices.forget_traces(store, now + timedelta(days=91)) == 2
    assert devices.forget_traces(store, now + timedelta(days=91)) == 0
    claim = Claim.objects.for_store(store).get()
    assert (claim.device, claim.address) == ("", "")
    assert not Device.objects.for_store(store).exists()


def test_a_person_has_so_many_browsers_at_most(store, share_link, now, monkeypatch):
    monkeypatch.setattr(devices, "MOST", 3)
    for number in range(6):
        devices.note_device(share_link.customer, f"d{number}", at=now + timedelta(minutes=number))
        devices.note_device(share_link.customer, f"d{number}", at=now + timedelta(minutes=number))
    assert set(Device.objects.for_store(store).values_list("device", flat=True)) == {"d3", "d4", "d5"}
