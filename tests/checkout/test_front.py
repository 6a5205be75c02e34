"""Redeeming in front of Django: the view's answer to the byte, the view's rows, and the view for all the rest."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.urls import resolve
from django.utils import timezone

from checkout import front, guesses
from customers.models import Order
from referrals.services.terms import TEN_PERCENT, make_offer
from rewards.models import Redemption, Voucher
from rewards.services import vouchers
from stores import limits, metrics
from stores.models import ApiKey, IdempotentCall
from stores.tenancy import acting_for
from tests.checkout.tills import Till, wish_for
from tests.conftest import NOW


@pytest.fixture(autouse=True)
def _one_moment(monkeypatch, connection_stays_open):
    """One moment for both."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def key(api, store):
    """The till's key, used just now."""
    keys = ApiKey.objects.for_store(store)
    keys.update(last_used_at=NOW)
    return keys.get()


@pytest.fixture
def issue(store):
    """A function that makes a voucher of 10 %."""
    offer = make_offer(store, TEN_PERCENT)

    def make(name):
        return vouchers.issue(store, offer, key=name, at=NOW)

    return make


@pytest.fixture
def till(api, key, issue):
    """A till whose door has seen one answer of Django's."""
    till = Till(api.key)
    assert till.is_left(wish_for(issue("first")), "first")[0] == 201
    return till


# -- What it answers --


def alike(answer):
    """An answer without what is drawn anew for each."""
    status, headers, body = answer
    assert re.fullmatch("[2-9a-z]{12}", headers.pop("X-Request-ID"))
    return status, headers, re.sub(rb'(?<="redemption":")[2-9a-z]{20}', b"", body)


def test_it_is_the_views_answer(till, issue):
    answer = alike(till.is_answered(wish_for(issue("a")), "a"))
    assert answer == alike(till.ask(wish_for(issue("b")), "b", by_django=True))
    assert json.loads(answer[2])["discount_minor"] == 10_00


def test_over_https(till, issue, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    till, over = Till(till.key), {"x_forwarded_proto": "https"}
    assert till.is_left(wish_for(issue("a")), "a")[0] == 301
    assert till.is_left(wish_for(issue("b")), "b", **over)[0] == 201
    answer = alike(till.is_answered(wish_for(issue("c")), "c", **over))
    assert answer == alike(till.ask(wish_for(issue("d")), "d", by_django=True, **over))


def test_the_rows_are_the_views(till, issue, store):
    mine, other = issue("a"), issue("b")
    till.is_answered(wish_for(mine), "a")
    till.ask(wish_for(other), "b", by_django=True)

    def kept(call, voucher):
        (row,) = IdempotentCall.objects.for_store(store).filter(key=call).values("api_key", "status", "body")
        used = Redemption.objects.for_store(store).get(voucher=voucher)
        return row | {"body": row["body"].replace(used.public_id, "")}

    assert kept("a", mine) == kept("b", other)
    assert {one.status for one in Voucher.objects.for_store(store)} == {"redeemed"}
    assert Order.objects.for_store(store).filter(code=mine.code).count() == 1


def test_the_body_in_whatever_order_and_spelling(till, issue, store):
    voucher = issue("a")
    typed = f"{voucher.code[:4]}-{voucher.code[4:].lower()}"
    body = f'{{"currency": "PHP", "amount_minor": 10000, "code": "{typed}"}}'.encode()
    assert till.is_answered(body, "a")[0] == 201
    assert till.ask(wish_for(voucher, code=typed), "a", by_django=True)[1]["Idempotent-Replay"] == "true"


def test_it_is_counted_as_the_view_is(till, issue):
    counted = metrics.REQUESTS.labels("/" + resolve(front.ADDRESS).route, "201")
    before = counted._sum.get()
    till.is_answered(wish_for(issue("a")), "a")
    assert counted._sum.get() > before


def test_one_statement_when_the_key_is_known(till, issue, django_assert_num_queries):
    till.is_answered(wish_for(issue("a")), "a")
    voucher = issue("b")
    with django_assert_num_queries(1):
        till.is_answered(wish_for(voucher), "b")


# -- Again --


def test_a_repeated_call_gets_the_same_answer_from_the_view(till, issue, store):
    voucher = issue("a")
    first = till.is_answered(wish_for(voucher), "a")
    again = till.is_left(wish_for(voucher), "a")
    assert (again[0], again[2], again[1]["Idempotent-Replay"]) == (201, first[2], "true")
    assert till.is_left(wish_for(voucher, amount_minor=1), "a")[0] == 422
    assert Redemption.objects.for_store(store).filter(voucher=voucher).count() == 1


def test_what_the_view_answered_is_not_done_again(till, issue, store):
    voucher = issue("a")
    first = till.ask(wish_for(voucher), "a", by_django=True)
    assert till.is_left(wish_for(voucher), "a")[2] == first[2]
    assert Redemption.objects.for_store(store).filter(voucher=voucher).count() == 1


def test_an_answer_that_was_lost_on_its_way_is_found_by_the_view(till, issue, store, monkeypatch, caplog):
    """The statement was committed and the line broke before its row came."""
    voucher, ask = issue("a"), front.doors.ask

    def lose(*args):
        if "redeem_by_key" in args[0]:
            ask(*args)
            raise OperationalError("server closed the connection unexpectedly")
        return ask(*args)

    monkeypatch.setattr(front.doors, "ask", lose)
    answer = till.is_left(wish_for(voucher), "a")
    assert (answer[0], answer[1]["Idempotent-Replay"]) == (201, "true")
    assert "left to the view" in caplog.text
    assert Redemption.objects.for_store(store).filter(voucher=voucher).count() == 1


# -- What it leaves to the view --


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"method": "GET"}, 405),
        ({"query": "a=1"}, 400),
        ({"accept_language": "fa"}, 201),
        ({"cookie": "django_language=fa"}, 201),
        ({"content-type": "text/plain"}, 415),
        ({"idempotency_key": ""}, 400),
        ({"idempotency_key": "k" * 256}, 400),
        ({"authorization": ""}, 401),
        ({"authorization": "Bearer gw_of_nobody"}, 401),
        ({"authorization": "Basic gw_of_nobody"}, 401),
        ({"host": "elsewhere.example"}, 400),
    ],
)
def test_other_calls(change, status, till, issue):
    assert till.is_left(wish_for(issue("a")), **change)[0] == status


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"location": "main"}, 201),
        ({"discounted": False}, 201),
        ({"customer": {"email": "bea@example.com"}}, 201),
        ({"order": {"source": "pos", "external_id": "1"}}, 201),
        ({"unknown": 1}, 400),
        ({"code": 5}, 400),
        ({"code": "ABCD"}, 404),
        ({"code": "x" * 900}, 404),
        ({"code": "a\u0000"}, 400),
        ({"amount_minor": 100.0}, 400),
        ({"amount_minor": True}, 400),
        ({"amount_minor": -1}, 400),
        ({"amount_minor": 10**13 + 1}, 400),
        ({"currency": "PH"}, 400),
        ({"currency": "ABC"}, 400),
        ({"currency": "EUR"}, 409),
    ],
)
def test_other_bodies(change, status, till, issue):
    assert till.is_left(wish_for(issue("a"), **change))[0] == status


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"null", b"\xff", b'{"code": "A", "code": "B"}', b'{"code": NaN}', b" " * 2_000]
)
def test_what_is_no_ordinary_document(body, till):
    assert till.is_left(body)[0] == 400


def used_up(till, voucher, key):
    till.is_answered(wish_for(voucher), "before")


def over(till, voucher, key):
    Voucher.objects.filter(pk=voucher.pk).update(expires_at=NOW)


def closed(till, voucher, key):
    Voucher.objects.filter(pk=voucher.pk).update(status="voided")


@pytest.mark.parametrize("happens", [used_up, over, closed])
def test_a_voucher_that_is_not_good_any_more(happens, till, issue, key):
    voucher = issue("a")
    happens(till, voucher, key)
    assert till.is_left(wish_for(voucher), "a")[0] == (404 if happens is closed else 409)


def revoked(key):
    key.revoked_at = NOW


def without_scope(key):
    key.scopes = ["orders", "voucher"]


def unused(key):
    key.last_used_at = NOW - timedelta(seconds=61)


def never_used(key):
    key.last_used_at = None


@pytest.mark.parametrize(
    ("happens", "status"), [(revoked, 401), (without_scope, 403), (unused, 201), (never_used, 201)]
)
def test_a_key_is_looked_at_each_time(happens, status, till, issue, key):
    till.is_answered(wish_for(issue("a")), "a")
    happens(key)
    key.save()
    voucher = issue("b")
    assert till.is_left(wish_for(voucher), "b")[0] == status
    assert (Voucher.objects.get(pk=voucher.pk).status == "redeemed") == (status == 201)


def test_another_stores_voucher_is_not_there(till, other_store, store):
    with acting_for(other_store):
        theirs = vouchers.issue(other_store, make_offer(other_store, TEN_PERCENT), key="theirs", at=NOW)
    assert till.is_left(wish_for(theirs), "a")[0] == 404
    with acting_for(other_store):
        assert Voucher.objects.get(pk=theirs.pk).status == "issued"


def test_the_wall_is_the_keys_store_alone(till, issue):
    """After an answer the connection shows nobody's rows."""
    till.is_answered(wish_for(issue("a")), "a")
    till.door.keys.clear()
    assert till.is_left(wish_for(issue("b")), "b", authorization="Bearer gw_" + "0" * 40)[0] == 401


# -- What it counts --


def test_each_call_counts_once_whoever_answers(till, issue, key):
    calls = front.api_auth.calls_by(key.pk).name
    limits.forget(calls)
    voucher = issue("a")
    till.is_answered(wish_for(voucher), "a")
    assert limits.take([], watched=[front.api_auth.calls_by(key.pk)]) == [1]
    assert till.is_left(wish_for(voucher), "b")[0] == 409
    assert till.is_left(wish_for(voucher, location="main"), "c")[0] == 409
    assert limits.take([], watched=[front.api_auth.calls_by(key.pk)]) == [3]


def test_one_call_too_many_is_the_views_to_refuse(till, issue, key, settings):
    limits.forget(front.api_auth.calls_by(key.pk).name)
    settings.API_CALLS_PER_MINUTE = 2
    till.door.keys.clear()
    assert till.is_answered(wish_for(issue("a")), "a")[0] == 201
    assert till.is_answered(wish_for(issue("b")), "b")[0] == 201
    assert till.is_left(wish_for(issue("c")), "c")[0] == 429


def test_who_guessed_too_often_is_told_nothing_about_a_good_code(till, issue, key, monkeypatch):
    monkeypatch.setattr(guesses, "PER_KEY", 2)
    till.door.keys.clear()
    for limit in guesses.of_key(key.store_id, key.pk):
        limits.forget(limit.name)
    wrong = {"code": "2222-2222-222", "amount_minor": 1, "currency": "PHP"}
    assert [till.is_left(wrong, f"{number}")[0] for number in range(3)] == [404, 404, 429]
    voucher = issue("a")
    assert till.is_left(wish_for(voucher), "a")[0] == 429
    assert Voucher.objects.get(pk=voucher.pk).status == "issued"


def test_without_redis_it_goes_on(till, issue, monkeypatch):
    def away(_steps):
        raise ConnectionError

    monkeypatch.setattr(limits, "_add", away)
    monkeypatch.setattr(limits, "_away_until", 0.0)
    assert till.is_answered(wish_for(issue("a")), "a")[0] == 201


def test_whatever_fails_is_left_to_the_view(till, issue, monkeypatch, caplog):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(front, "_redeem", fail)
    assert till.is_left(wish_for(issue("a")), "a")[0] == 201
    assert "left to the view" in caplog.text
