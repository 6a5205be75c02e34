"""Who is blocked gets no gift, by whichever door, and a kind answer; once the block is lifted all is as before."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from customers.services import Person
from referrals.fraud import blocks
from referrals.fraud.blocks import Suspect, What
from referrals.models import Claim, Device, Referral
from referrals.services import attribution, claims, redeeming
from referrals.services.claims import NotForThem, Trace
from rewards.models import Voucher
from rewards.rules import Reason
from rewards.services.vouchers import Bill
from stores.tenancy import acting_for
from tests.conftest import NOW, make_order_of
from tests.referrals.journey_world import take_gift

BEA = Person("Bea Cruz", "Bea.Cruz+gifts@example.com", "+639170000001")
BILL = {"amount_minor": 100_00, "currency": "PHP"}


@pytest.fixture
def block(store):
    """Block an e-mail, phone, domain or device."""
    return lambda what, value: blocks.block(store, Suspect(what, value, value), reason="test", by=None, at=NOW)


WAYS = [
    (What.EMAIL, "bea.cruz@example.com"),
    (What.PHONE, "+639170000001"),
    (What.DOMAIN, "example.com"),
    (What.DEVICE, "d" * 32),
]


@pytest.mark.parametrize(("what", "value"), WAYS)
def test_a_blocked_friend_gets_no_gift_until_the_block_is_lifted(store, share_link, block, what, value):
    row = block(what, value)
    with pytest.raises(NotForThem) as refused:
        claims.claim(share_link, BEA, at=NOW, trace=Trace("d" * 32))
    assert refused.value.reason == Referral.Reason.BLOCKED
    assert not Claim.objects.for_store(store).exists()
    assert not Voucher.objects.for_store(store).exists()
    blocks.lift(row, by=None, at=NOW)
    assert claims.claim(share_link, BEA, at=NOW, trace=Trace("d" * 32)).voucher


@pytest.mark.parametrize(("what", "value"), [(What.EMAIL, "sara@example.com"), (What.DEVICE, "s" * 32)])
def test_a_blocked_advocates_friends_get_no_gift(store, share_link, block, what, value):
    Device.objects.create(store=store, customer=share_link.customer, device="s" * 32, at=NOW)
    row = block(what, value)
    with pytest.raises(NotForThem):
        take_gift(share_link)
    blocks.lift(row, by=None, at=NOW)
    assert take_gift(share_link).voucher


def test_who_took_it_before_is_not_shown_it_again(share_link, block):
    take_gift(share_link)
    block(What.EMAIL, "bea.cruz@example.com")
    with pytest.raises(NotForThem):
        take_gift(share_link)


def test_who_comes_with_the_code_alone_after_that_is_known_by_their_browser(store, share_link, block):
    block(What.DEVICE, "d" * 32)
    with pytest.raises(NotForThem):
        claims.claim(share_link, BEA, at=NOW, trace=Trace("d" * 32))
    order = make_order_of(store, BEA, at=NOW, code=share_link.code)
    referral = attribution.attribute_order(order, at=NOW)
    assert (referral.status, referral.reason) == ("voided", "blocked")


def test_another_stores_block_does_not_matter(share_link, other_store):
    with acting_for(other_store):
        blocks.block(other_store, Suspect(What.PHONE, BEA.phone, ""), reason="", by=None, at=NOW)
    assert claims.claim(share_link, BEA, at=NOW).voucher


def test_the_page_says_so_kindly_and_accuses_nobody(store, share_link, block):
    block(What.PHONE, "+639170000001")
    page = Client().post(f"/r/{share_link.code}", {"name": "Bea", "contact": "+639170000001"}, follow=True)
    words = page.content.decode()
    assert "This gift cannot be taken here" in words
    assert "a person will look at it" in words
    assert "block" not in words.split("<main")[1].casefold()
    assert not Voucher.objects.for_store(store).exists()


def test_a_blocked_advocates_page_offers_nothing(share_link, block):
    block(What.EMAIL, "sara@example.com")
    words = Client().get(f"/r/{share_link.code}").content.decode()
    assert "This gift cannot be taken here" in words
    assert share_link.code not in words.split("<main")[1]


@pytest.mark.parametrize("who", ["friend", "advocate", "advocate, buyer unknown"])
def test_the_counter_gives_nothing(store, share_link, block, who):
    row = block(What.EMAIL, "bea.cruz@example.com" if who == "friend" else "sara@example.com")
    person, bill = (None if "unknown" in who else BEA), Bill(100_00, "PHP")
    if who == "friend":
        redeeming.find_or_create_customer(store, BEA, at=NOW, source="test")
    assert redeeming.quote(store, share_link.code, bill, at=NOW, person=person).reason == Reason.BLOCKED
    with pytest.raises(redeeming.NotRedeemable):
        redeeming.redeem(store, share_link.code, bill, at=NOW, person=person)
    blocks.lift(row, by=None, at=NOW)
    assert redeeming.redeem(store, share_link.code, bill, at=NOW, person=person).redemption.discount_minor == 10_00


def test_to_the_outside_the_code_gives_nothing_now(api, share_link, block):
    block(What.EMAIL, "sara@example.com")
    body = json.dumps({"code": share_link.code, **BILL})
    told = api.post("/api/v1/vouchers/quote/", body, content_type="application/json").json()
    assert (told["valid"], told["reason"]) == (False, "paused")


def test_where_nobody_is_blocked_it_costs_one_query(store, share_link, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert not claims.is_blocked(share_link)
