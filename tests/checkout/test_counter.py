"""The counter's pages: RELIABILITY section 3, "Checkout / redeem form"."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

from customers.models import Customer, Order
from referrals.models import Referral
from referrals.services.programs import program_of, set_status
from rewards.models import Redemption, Voucher
from rewards.services import ledger
from stores import codes
from stores.models import AuditEvent, Location, Role

HOME = "/c/rosewater/"


def url(step, code="", key="", amount=""):
    query = "&".join(f"{name}={value}" for name, value in (("code", code), ("key", key), ("amount", amount)) if value)
    return f"{HOME}{step}/?{query}" if query else f"{HOME}{step}/"


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.fixture
def key():
    return codes.public_id()


@pytest.fixture
def sell(staff, key):
    """Redeem a code on a bill of 100.00 as the page does, with what it showed."""

    def go(code, *, client=staff, key=key, shown=1000, amount="100", **fields):
        return client.post(url("redeem", code, key), {"amount": amount, "shown": shown, **fields}, follow=True)

    return go


def test_the_counter_asks_for_a_code_and_says_what_to_say(staff):
    page = staff.get(HOME)
    assert page.status_code == 200
    assert "10% off" in text(page)
    assert 'name="code"' in page.content.decode()


@pytest.mark.parametrize("typed", ["{0}\n", "{0} ", "https://shop.example/r/{0}", "{1}"])
def test_a_code_is_read_however_it_comes(staff, share_link, typed):
    page = staff.get(f"{HOME}quote/", {"code": typed.format(share_link.code, share_link.code.lower().replace("-", ""))})
    assert "Give 10% off" in text(page)
    assert "sent by Sara A." in text(page)


def test_the_bill_shows_what_to_pay_and_changes_nothing(staff, store, voucher):
    page = staff.post(url("quote", voucher.code), {"amount": "۱۵۵۰٫۵۰"})
    assert "1,395.45" in text(page)
    assert 'name="shown" value="15505"' in page.content.decode()
    assert not Redemption.objects.for_store(store).exists()
    assert Voucher.objects.for_store(store).get().status == "issued"


def test_redeeming_ends_with_a_receipt_and_thanks(sell, store, staff, share_link, key):
    page = sell(share_link.code, friend="0917 000 0001")
    assert page.redirect_chain == [(f"{HOME}done/{key}/", 302)]
    assert "90" in text(page)
    assert "Say thanks from Sara A." in text(page)
    redemption = Redemption.objects.for_store(store).get(public_id=key)
    assert redemption.by == staff.user
    assert redemption.order.customer.phone_norm == "+639170000001"
    assert Referral.objects.for_store(store).get().status == "pending"


def test_nobody_redeems_without_having_seen_the_total(staff, store, voucher, key):
    page = staff.post(url("redeem", voucher.code, key), {"amount": "100", "shown": ""})
    assert page.status_code == 200
    assert "Customer pays" in text(page)
    assert not Redemption.objects.for_store(store).exists()


def test_a_bill_that_changed_after_the_look_is_shown_again(sell, store, voucher):
    page = sell(voucher.code, amount="200")
    assert "The discount has changed" in text(page)
    assert 'value="2000"' in page.content.decode()
    assert not Redemption.objects.for_store(store).exists()
    assert not Order.objects.for_store(store).exists()


def test_a_double_tap_shows_the_same_receipt(sell, store, share_link, key):
    sell(share_link.code)
    page = sell(share_link.code)
    assert page.redirect_chain == [(f"{HOME}done/{key}/", 302)]
    assert "this is the same receipt" in text(page)
    assert Redemption.objects.for_store(store).count() == 1


def test_a_second_till_hears_that_it_was_used(sell, store, voucher):
    sell(voucher.code)
    page = sell(voucher.code, key=codes.public_id())
    assert "has been used already, on" in text(page)
    assert Redemption.objects.for_store(store).count() == 1


@pytest.mark.parametrize("amount", ["", "abc", "-5", "1e5", "99999999999999999999", "1.555"])
def test_a_bad_bill_keeps_what_was_typed(staff, store, voucher, key, amount):
    for step in ("quote", "redeem"):
        page = staff.post(url(step, voucher.code, key), {"amount": amount, "shown": "0", "friend": "0917 000 0001"})
        assert page.status_code == 200
        assert 'aria-invalid="true"' in page.content.decode()
        assert f'value="{amount}"' in page.content.decode()
        assert "0917 000 0001" in page.content.decode()
    assert not Redemption.objects.for_store(store).exists()


@pytest.mark.parametrize("friend", ["not@anaddress", "12", "9.63E+11", "<b>"])
def test_a_friend_that_cannot_be_read_is_refused(staff, store, voucher, key, friend):
    page = staff.post(url("redeem", voucher.code, key), {"amount": "100", "shown": "1000", "friend": friend})
    assert 'class="error"' in page.content.decode()
    assert not Redemption.objects.for_store(store).exists()
    assert not Customer.objects.for_store(store).exists()


def test_each_refusal_has_its_own_text(staff, store, voucher, share_link, make_order, now):
    vouchers = Voucher.objects.for_store(store).filter(pk=voucher.pk)
    assert "We do not know this code" in text(staff.get(url("quote", "nothing")))
    vouchers.update(expires_at=now.replace(year=2020))
    assert "has expired: it was good until" in text(staff.get(url("quote", voucher.code)))
    own = staff.post(url("quote", share_link.code), {"amount": "100", "friend": "sara@example.com"})
    assert "own code" in text(own)
    make_order("bea@example.com")
    known = staff.post(url("quote", share_link.code), {"amount": "100", "friend": "bea@example.com"})
    assert "has bought here before" in text(known)
    assert 'name="shown"' not in known.content.decode()
    set_status(program_of(store), "paused", by=None, at=now)
    assert "paused" in text(staff.get(url("quote", share_link.code)))


def test_a_bill_below_the_minimum_is_told(staff, store, now):
    from referrals.services.terms import OfferTerms, make_offer
    from rewards.models import Offer
    from rewards.services import vouchers

    offer = make_offer(store, OfferTerms(Offer.Kind.FIXED_OFF, amount_minor=50_00, minimum_minor=500_00))
    voucher = vouchers.issue(store, offer, key="dear", at=now)
    page = staff.post(url("quote", voucher.code), {"amount": "499.99"})
    assert "for bills from ₱500" in text(page)


def test_another_stores_code_is_as_unknown_as_none(staff, other_store, share_link, now):
    from stores.tenancy import acting_for

    with acting_for(other_store):
        from customers.services import Person
        from referrals.services.links import share_link_of
        from tests.conftest import make_order_of

        theirs = share_link_of(make_order_of(other_store, Person(email="x@example.com"), at=now).customer, at=now)
    foreign, none = staff.get(url("quote", theirs.code)), staff.get(url("quote", "nothing"))
    assert "We do not know this code" in text(foreign)
    assert "We do not know this code" in text(none)


def test_wrong_codes_slow_down_then_lock(staff, store, voucher):
    for number in range(5):
        assert "We do not know" in text(staff.get(url("quote", f"wrong{number}")))
    assert "Wait five seconds" in text(staff.get(url("quote", voucher.code)))
    for number in range(15):
        cache.delete(f"codes-wait:{store.pk}:{staff.user.pk}")
        staff.get(url("quote", f"wrong{number}"))
    cache.delete(f"codes-wait:{store.pk}:{staff.user.pk}")
    assert "Too many wrong codes" in text(staff.get(url("quote", voucher.code)))
    assert AuditEvent.objects.for_store(store).get(action="checkout.locked").user == staff.user


def test_a_lost_session_comes_back_to_the_same_form(store, voucher, key, staff):
    answer = Client().post(url("redeem", voucher.code, key, "100"), {"amount": "100", "shown": "1000"})
    assert answer.status_code == 302
    back = parse_qs(urlsplit(answer.url).query)["next"][0]
    page = staff.get(back, follow=True)
    assert key in page.content.decode()
    assert 'value="100"' in page.content.decode()
    assert "Customer pays" in text(page)
    assert not Redemption.objects.for_store(store).exists()


def test_staff_may_use_their_own_code_and_it_is_noted(sell, store, staff, make_customer, now):
    from referrals.services.links import share_link_of

    link = share_link_of(make_customer("Leila", staff.user.email), at=now)
    sell(link.code)
    assert AuditEvent.objects.for_store(store).get(action="checkout.own_code").user == staff.user


def test_undo_within_ten_minutes(sell, store, staff, share_link, key):
    sell(share_link.code)
    page = staff.post(url(f"undo/{key}"), follow=True)
    assert page.redirect_chain == [(f"{HOME}today/", 302)]
    assert "Undone. The code may be used again." in text(page)
    assert Redemption.objects.for_store(store).get().reversed_by == staff.user
    assert Referral.objects.for_store(store).get().reason == "undone"
    assert ledger.total(store) == 0
    assert "had been undone before" in text(staff.post(url(f"undo/{key}"), follow=True))
    assert "Undone" in text(staff.get(url(f"done/{key}")))
    assert "same receipt" in text(sell(share_link.code))


def test_after_ten_minutes_it_stands(sell, store, staff, voucher, key):
    sell(voucher.code)
    Redemption.objects.for_store(store).update(at=Redemption.objects.get().at - timedelta(minutes=11))
    assert "Ten minutes have passed" in text(staff.post(url(f"undo/{key}"), follow=True))
    assert Redemption.objects.for_store(store).get().reversed_at is None


def test_the_till_remembers_its_branch(sell, store, staff, voucher):
    branch = Location.objects.create(store=store, code="katipunan", name="Katipunan branch")
    assert staff.get(HOME, {"location": branch.public_id}).status_code == 302
    assert "Katipunan branch" in text(staff.get(HOME))
    sell(voucher.code)
    assert Redemption.objects.for_store(store).get().location == branch
    assert "Asia/Manila" in text(staff.get(url("today")))
    staff.get(HOME, {"location": "nowhere"})
    assert staff.cookies["till"].value == branch.public_id


def test_today_asks_no_more_for_more_rows(sell, staff, share_link, django_assert_max_num_queries):
    for _ in range(6):
        sell(share_link.code, key=codes.public_id())
    with django_assert_max_num_queries(14):
        page = staff.get(url("today"))
    assert page.content.decode().count("<li>") == 6


PAGES = [("get", HOME), ("get", url("quote")), ("get", url("redeem")), ("get", url("today"))]


@pytest.mark.parametrize(("method", "path"), [*PAGES, ("get", url("done/abc")), ("post", url("undo/abc"))])
def test_who_may_come_in(method, path, stranger, staff, manager, db):
    anonymous = getattr(Client(), method)(path)
    assert anonymous.status_code == 302
    assert "/login/" in anonymous.url
    assert getattr(stranger, method)(path).status_code == 404
    for client in (staff, manager):
        assert getattr(client, method)(path).status_code == (404 if "abc" in path else 302 if "redeem" in path else 200)


def test_wrong_methods(staff, store):
    assert staff.post(HOME).status_code == 405
    assert staff.get(url("undo/abc")).status_code == 405
    assert staff.post(url("today")).status_code == 405
    assert staff.delete(url("redeem")).status_code == 405


def test_a_strangers_hands_change_nothing(stranger, sell, store, voucher, key):
    assert sell(voucher.code, client=stranger).status_code == 404
    sell(voucher.code)
    assert stranger.post(url(f"undo/{key}")).status_code == 404
    assert Redemption.objects.for_store(store).get().reversed_at is None


def test_a_tampered_key_is_not_used(staff, store, voucher):
    for key in ("", "short", "A" * 20, "../../etc/passwd"):
        assert staff.post(url("redeem", voucher.code, key), {"amount": "100", "shown": "1000"}).status_code == 302
    assert not Redemption.objects.for_store(store).exists()


def test_names_are_escaped(staff, store, make_customer, now):
    from referrals.services.links import share_link_of

    link = share_link_of(make_customer("<script>alert(1)</script>"), at=now)
    page = staff.get(url("quote", link.code))
    assert b"<script>alert" not in page.content
    assert Role.STAFF == "staff"
