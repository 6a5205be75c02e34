"""Whoever guesses codes is stopped, from however many addresses, and learns nothing on the way (RELIABILITY G14)."""

from __future__ import annotations

import json
import re
import secrets
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from checkout import guesses
from customers.services import Person
from referrals.services.links import share_link_of
from referrals.services.programs import program_of
from rewards.models import Redemption, Voucher
from rewards.services import vouchers
from stores.codes import voucher_code
from stores.models import ApiKey, AuditEvent, Role
from stores.tenancy import act_for, acting_for
from tests.conftest import NOW, make_order_of

UNKNOWN = voucher_code()  # as a code looks: anybody can see whether its last character fits
BILL = {"amount_minor": 100_00, "currency": "PHP"}


# -- Ten thousand guesses --


@pytest.fixture
def guess(store, make_user, monkeypatch):
    """`guess(number)`: a wrong code from an address of its own, by one of 40 people and 10 keys; was it judged?"""
    monkeypatch.setattr(guesses, "SLOW_AFTER", 10**9)  # the lock alone: the pause would only make it slower
    people = [make_user(Role.STAFF, store) for _ in range(40)]
    keys = [ApiKey.objects.create(store=store, prefix="gw", hash=str(number), scopes=[]) for number in range(10)]

    def one(number: int) -> bool:
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        request = RequestFactory().get("/", REMOTE_ADDR=address)
        who = number % (len(people) + len(keys))
        try:
            tried = (
                guesses.at_till(request, store, people[who])
                if who < len(people)
                else guesses.by_key(store, keys[who - len(people)])
            )
            with tried:
                tried.was_wrong(NOW)
        except guesses.Wait:
            return False
        return True

    return one


def test_of_ten_thousand_wrong_codes_from_as_many_addresses_a_store_hears_four_hundred(guess, store, caplog):
    assert sum(guess(number) for number in range(10_000)) == guesses.PER_STORE == 400
    assert "is locked after 400 wrong codes" in caplog.text


def test_control_counted_by_person_and_key_alone_many_more_are_heard(guess, monkeypatch):
    monkeypatch.setattr(guesses, "PER_STORE", 10**9)
    assert sum(guess(number) for number in range(10_000)) == 40 * guesses.PER_PERSON + 10 * guesses.PER_KEY


def test_one_person_is_locked_and_the_store_can_read_it(guess, store):
    assert sum(guess(50 * number) for number in range(60)) == guesses.PER_PERSON
    assert AuditEvent.objects.for_store(store).get(action="checkout.locked").after == {"wrong_codes": 20}


def test_one_network_is_locked_whoever_is_logged_in_there(store, make_user, monkeypatch):
    monkeypatch.setattr(guesses, "PER_NETWORK", 30)
    monkeypatch.setattr(guesses, "SLOW_AFTER", 10**9)
    people = [make_user(Role.STAFF, store) for _ in range(6)]
    judged = 0
    for number in range(60):
        request = RequestFactory().get("/", REMOTE_ADDR=f"2001:db8::{number:x}")  # one customer's /64
        try:
            with guesses.at_till(request, store, people[number % 6]) as tried:
                tried.was_wrong(NOW)
        except guesses.Wait:
            continue
        judged += 1
    assert judged == 30


def test_codes_that_are_there_are_no_guesses(store, staff):
    request = RequestFactory().get("/")
    for _ in range(100):
        with guesses.at_till(request, store, staff.user):
            pass
    with pytest.raises(ZeroDivisionError), guesses.at_till(request, store, staff.user):
        1 / 0  # noqa: B018
    assert guesses.limits.seen(f"codes:{store.pk}:{staff.user.pk}") == 0


def test_a_locked_cashier_cannot_redeem_what_they_may_not_look_at(staff, store, voucher):
    """The form that redeems is another door to the same codes."""
    for _ in range(guesses.PER_PERSON + 1):
        guesses.limits.count(f"codes:{store.pk}:{staff.user.pk}", per_seconds=600)
    key = "a" * 20
    page = staff.post(f"/c/rosewater/redeem/?code={voucher.code}&key={key}", {"amount": "100", "shown": "1000"})
    assert "Too many wrong codes" in page.content.decode()
    assert not Redemption.objects.for_store(store).exists()


def test_wrong_codes_sent_straight_to_redeem_are_counted(staff, store):
    for number in range(guesses.PER_PERSON + 5):
        guesses.limits.forget(f"codes-wait:{store.pk}:{staff.user.pk}")
        staff.post(f"/c/rosewater/redeem/?code=WRONG{number}&key={'a' * 20}", {"amount": "100", "shown": "1000"})
    act_for(store)
    assert AuditEvent.objects.for_store(store).filter(action="checkout.locked").count() == 1


# -- Equal answers by equal work --


@pytest.fixture
def voucher(store, make_customer):
    """A voucher of the store that can be used now."""
    return vouchers.issue(store, program_of(store).terms.friend_offer, key="good", at=NOW)


@pytest.fixture
def codes(store, other_store, voucher):
    """A code in each state that a voucher can be in, and a share code of another store."""
    offer = program_of(store).terms.friend_offer
    used, expired = (vouchers.issue(store, offer, key=key, at=NOW) for key in ("used", "expired"))
    Voucher.objects.filter(pk=used.pk).update(status=Voucher.Status.REDEEMED, used=1)
    Voucher.objects.filter(pk=expired.pk).update(expires_at=NOW - timedelta(days=300))
    with acting_for(other_store):
        theirs = vouchers.issue(other_store, program_of(other_store).terms.friend_offer, key="theirs", at=NOW)
        friend = make_order_of(other_store, Person(email="x@example.com"), at=NOW).customer
        link = share_link_of(friend, at=NOW)
    act_for(store)
    return {
        "good": voucher.code,
        "used": used.code,
        "expired": expired.code,
        "foreign": theirs.code,
        "foreign link": link.code,
        "unknown link": f"{link.code[:-4]}ZZZZ",
        "unknown": UNKNOWN,
    }


def asked(call, code: str) -> tuple[object, ...]:
    """Status, page and statements of an answer, without what is new each time and without the code itself."""
    with CaptureQueriesContext(connection) as queries:
        answer = call(code)
    page = answer.content.decode()
    for said in (code, code.replace("-", "")):
        page = page.replace(said, "CODE").replace(said.lower(), "CODE")
    page = re.sub(r'"request_id": ?"\w+"|csrfmiddlewaretoken" value="\w+"|nonce="[^"]+"', "", page)
    statements = [re.sub(r"'[^']*'|\d+", "?", one["sql"]) for one in queries.captured_queries]
    return answer.status_code, page, statements


@pytest.mark.parametrize(
    "path", ["/r/{}", "/r/{}/taken/x", "/j/{}", "/me/{}", "/s/{}", "/u/{}", "/w/rosewater/banner/?code={}"]
)
def test_the_public_pages_tell_nothing_about_a_voucher(codes, store, path):
    """Unknown, good, used, expired, another store's: the same page by the same statements."""
    asked(lambda code: Client().get(path.format(code)), UNKNOWN)  # whatever is read once
    found = {
        state: asked(lambda code: Client().get(path.format(code)), code)
        for state, code in codes.items()
        if "link" not in state
    }
    assert all(one == found["unknown"] for one in found.values())


def test_a_key_cannot_tell_another_stores_code_from_none(api, codes):
    def quote(code):
        body = json.dumps({"code": code, **BILL})
        return api.post("/api/v1/vouchers/quote/", body, content_type="application/json")

    def redeem(code):
        headers = {"idempotency-key": secrets.token_hex(8)}
        body = json.dumps({"code": code, **BILL})
        return api.post("/api/v1/vouchers/redeem/", body, content_type="application/json", headers=headers)

    for call in (quote, redeem):
        asked(call, UNKNOWN)  # whatever is read once
        assert asked(call, codes["foreign"]) == asked(call, codes["unknown"])
        assert asked(call, codes["foreign link"]) == asked(call, codes["unknown link"])


def test_the_counter_cannot_either(staff, codes, monkeypatch):
    monkeypatch.setattr(guesses, "SLOW_AFTER", 10**9)

    def quote(code):
        return staff.get("/c/rosewater/quote/", {"code": code})

    asked(quote, UNKNOWN)
    assert asked(quote, codes["foreign"]) == asked(quote, codes["unknown"])
    assert asked(quote, codes["foreign link"]) == asked(quote, codes["unknown link"])
