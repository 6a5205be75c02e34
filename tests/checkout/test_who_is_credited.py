"""The quote names who will be credited, which is not always whose code it is; what it says comes true."""

from __future__ import annotations

from dataclasses import replace

import pytest

from customers.services import Person
from referrals.services import redeeming
from referrals.services.links import share_link_of
from referrals.services.programs import change_program, program_of
from referrals.services.terms import Crediting
from rewards.services.vouchers import Bill
from tests.conftest import NOW
from tests.referrals.journey_world import DAY, LONG_AGO, take_gift
from tests.referrals.program_world import terms_with

BEA = Person("Bea Cruz", "bea.cruz@example.com")
BILL = {"amount_minor": 100_00, "currency": "PHP"}


@pytest.fixture
def omid(make_customer):
    return share_link_of(make_customer("Omid Rad", "omid@example.com"), at=NOW)


def quote(store, code, person=BEA):
    return redeeming.quote(store, code, Bill(100_00, "PHP"), at=NOW, person=person)


def redeem(store, code, person=BEA):
    return redeeming.redeem(store, code, Bill(100_00, "PHP"), at=NOW, person=person).referral


def test_somebody_elses_gift_binds(store, share_link, omid):
    take_gift(share_link, at=NOW - DAY)
    shown = quote(store, omid.code)
    assert (shown.link, shown.sent_by, shown.foreseen.why_not) == (omid, share_link, "bound")
    assert redeem(store, omid.code).advocate == share_link.customer


def not_binding(store, *evidence):
    terms = terms_with(crediting=Crediting(is_sticky=False, evidence=evidence))
    change_program(program_of(store), terms, by=None, at=LONG_AGO)


def test_where_gifts_do_not_bind_the_gift_that_is_used_with_the_code_counts_more(store, share_link, omid):
    not_binding(store)
    take_gift(share_link, at=NOW - DAY)
    shown = quote(store, omid.code)
    assert (shown.sent_by, shown.foreseen.why_not) == (share_link, "weaker")
    assert redeem(store, omid.code).advocate == share_link.customer


def test_where_the_owner_puts_codes_first_the_code_counts(store, share_link, omid):
    not_binding(store, "code")
    take_gift(share_link, at=NOW - DAY)
    shown = quote(store, omid.code)
    assert (shown.sent_by, shown.foreseen.why_not) == (omid, "")
    assert redeem(store, omid.code).advocate == omid.customer


def test_their_own_gift_names_who_gave_it(store, share_link):
    taken = take_gift(share_link, at=NOW - DAY)
    assert quote(store, taken.voucher.code, person=None).sent_by == share_link


def test_another_friends_gift_in_the_hands_of_one_who_is_bound(store, share_link, omid):
    take_gift(share_link, at=NOW - DAY)
    eli = take_gift(omid, "Eli Brown", at=NOW - DAY)
    shown = quote(store, eli.voucher.code)
    assert shown.sent_by == share_link
    assert redeem(store, eli.voucher.code).advocate == share_link.customer


def test_whoever_nobody_knows_is_the_codes_friend(store, share_link):
    for person in (None, replace(BEA, email="new@example.com")):
        shown = quote(store, share_link.code, person=person)
        assert (shown.sent_by, shown.foreseen) == (share_link, None)


def test_the_api_says_who_and_why(api, post, share_link, omid):
    take_gift(share_link, at=NOW - DAY)
    told = post(api, "vouchers/quote/", {"code": omid.code, **BILL, "customer": {"email": BEA.email}}).json()
    assert told["advocate"] == "Sara A."
    assert "They had taken the gift of Sara A. before" in told["message"]
    assert "Omid" not in told["message"]


def test_the_counter_says_who_and_why(staff, store, share_link, omid):
    take_gift(share_link, at=NOW - DAY)
    page = staff.post(f"/c/{store.slug}/quote/?code={omid.code}", {"amount": "100", "friend": BEA.email})
    words = page.content.decode()
    assert "sent by <bdi>Sara A.</bdi>" in words
    assert "They had taken the gift of Sara A. before" in words


def test_a_quote_has_a_fixed_number_of_queries(store, share_link, omid, django_assert_max_num_queries):
    take_gift(share_link, at=NOW - DAY)
    with django_assert_max_num_queries(25):
        quote(store, omid.code)
