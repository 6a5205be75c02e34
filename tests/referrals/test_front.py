"""The landing page in front of Django: the view's page to the byte, the view's rows, and the view for all the rest."""

import gzip
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from django.urls import resolve
from django.utils import timezone

from customers.models import Customer, CustomerTag
from customers.services import Person
from referrals import faces, front
from referrals.fraud import blocks
from referrals.models import Block, Claim, Program, Referral, ShareLink, Visit
from referrals.services import programs, visits
from referrals.services.attribution import attribute_orders
from referrals.services.links import share_link_of
from referrals.services.programs import program_of
from referrals.services.terms import OfferTerms, terms_of
from rewards.models import Offer
from stores import metrics
from stores.models import Store
from stores.tenancy import acting_for
from tests.conftest import make_order_of

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/605.1"
DEVICE = "d" * 24
COLUMNS = ("link_id", "visitor", "token", "device", "hour", "at", "is_bot", "referrer")


@pytest.fixture(autouse=True)
def _one_moment(now, monkeypatch):
    """Both pages are made at the same moment."""
    monkeypatch.setattr(timezone, "now", lambda: now)


@pytest.fixture
def door(tmp_path, settings):
    """Landing in front of nothing: what it leaves to Django is answered with 299."""
    settings.DATA_DIR = tmp_path

    def left(_environ, start_response):
        start_response("299 Left", [])
        return [b""]

    return front.Landing(left)


@pytest.fixture
def url(share_link):
    return f"/r/{share_link.code}"


def _sent(headers):
    return {"user-agent": PHONE} | {name.replace("_", "-"): value for name, value in headers.items()}


def ask(door, path, method="GET", **headers):
    """Status, headers and body of the door's answer."""
    told = []
    request = RequestFactory().generic(method, path, headers=_sent(headers))
    body = b"".join(door(request.environ, lambda status, found: told.append((status, found))))
    status, found = told[0]
    return int(status[:3]), dict(found), body


def by_django(path, **headers):
    """The same of the view's answer."""
    page = Client(headers=_sent(headers)).get(path)
    headers, cookies = dict(page.headers), [cookie.OutputString() for cookie in page.cookies.values()]
    if cookies:
        (headers["Set-Cookie"],) = cookies
    return page.status_code, headers, page.content


def alike(answer):
    """An answer without what is drawn anew for each."""
    status, headers, body = answer
    if headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
        del headers["Content-Length"]  # varies by chance, against BREACH
    assert re.fullmatch(r"[2-9a-z]{12}", headers.pop("X-Request-ID"))
    cookie = re.sub("gw_device=[A-Za-z0-9_-]{24}|expires=[^;]+", "", headers.pop("Set-Cookie", ""))
    return status, headers, cookie, body.decode()


def _lines(part):
    return sorted(part.items()) if isinstance(part, dict) else str(part).splitlines()


def assert_same(answer, other):
    for mine, views in zip(answer[::-1], other[::-1], strict=True):  # the text first: it says most
        for one, another in zip(_lines(mine), _lines(views), strict=True):
            assert one == another


def waiting(door):
    """How many visits were written down."""
    door.visits.close()
    return sum(len(path.read_text().splitlines()) for path in door.visits.folder.glob("*"))


# -- What it answers --


def nothing(store, link):
    pass


def with_site(store, link):
    Store.objects.filter(pk=store.pk).update(website="https://shop.example/menu?x=1&visit=old", brand_color="#123456")


def strange_name(store, link):
    Customer.objects.for_store(store).update(name="<i>%(code)s%</i>&'\" Ahmadi")


def no_name(store, link):
    Customer.objects.for_store(store).update(name="")


def long_name(store, link):
    Customer.objects.for_store(store).update(name="\u202e" + "🎁" * 60)


def other_language(store, link):
    Customer.objects.for_store(store).update(locale="fa")


def unknown_language(store, link):
    Customer.objects.for_store(store).update(locale="xx")
    Store.objects.filter(pk=store.pk).update(locale="fil")


def few_places(store, link):
    program = program_of(store)
    terms = replace(terms_of(program), places=3, friend=OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=100_00))
    programs.change_program(program, terms, by=None, at=timezone.now())


def no_places(store, link):
    few_places(store, link)
    program = program_of(store)
    program.budget.places_taken = 3
    program.budget.save()


CASES = [
    nothing, with_site, strange_name, no_name, long_name, other_language, unknown_language, few_places, no_places
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_it_is_the_views_page(case, door, store, share_link, url):
    case(store, share_link)
    answer = alike(ask(door, url))
    assert answer[0] == 200
    assert_same(answer, alike(by_django(url)))


@pytest.mark.parametrize(
    "headers",
    [
        {"cookie": "lang=fa"},
        {"cookie": "lang=xx; theme=dark"},
        {"cookie": f"gw_device={DEVICE}; theme=light; lang=fil; other=1"},
        {"cookie": "gw_device=notours"},
        {"accept_encoding": "gzip, br"},
        {"accept_language": "fa", "referer": "https://chat.example/x"},
    ],
    ids=str,
)
def test_it_is_the_views_page_for_this_browser(headers, door, url):
    answer = alike(ask(door, url, **headers))
    assert answer[0] == 200
    assert_same(answer, alike(by_django(url, **headers)))


def test_however_the_code_is_typed(door, share_link):
    plain = share_link.code.replace("-", "").lower()
    assert_same(alike(ask(door, f"/r/{plain}")), alike(by_django(f"/r/{plain}")))


def test_over_https(door, url, settings):
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 3600
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SITE_URL = "https://testserver"
    secure = front.Landing(door.django)
    assert ask(secure, url)[0] == 299
    answer = alike(ask(secure, url, x_forwarded_proto="https"))
    assert "Strict-Transport-Security" in answer[1]
    assert_same(answer, alike(by_django(url, x_forwarded_proto="https")))


def test_pages_of_two_stores_are_not_mixed_up(door, store, other_store, url, now):
    with acting_for(other_store):
        person = Person("Tess Reyes", "tess@example.com")
        link = share_link_of(make_order_of(other_store, person, at=now).customer, at=now)
    for _ in range(2):
        ours, theirs = ask(door, url)[2].decode(), ask(door, f"/r/{link.code}")[2].decode()
        assert "Rosewater" in ours
        assert "Elsewhere" in theirs
        assert "Sara" not in theirs
        assert "Elsewhere" not in ours
    door.visits.close()
    visits.load(door.visits.folder)
    for shop in (store, other_store):
        with acting_for(shop):
            assert Visit.objects.for_store(shop).count() == 1


def test_what_links_share_is_made_once_a_second(door, store, url, monkeypatch):
    first = ask(door, url)[2].decode()
    Store.objects.filter(pk=store.pk).update(name="Renamed")
    assert ask(door, url)[2].decode().count("Renamed") == 0
    monkeypatch.setattr(faces, "FRESH_SECONDS", 0)
    assert first.count("Rosewater Café") == ask(door, url)[2].decode().count("Renamed") > 3


def test_it_is_counted_as_the_view_is(door, url):
    counted = metrics.REQUESTS.labels("/" + resolve(url).route, "200")
    before = counted._sum.get()
    assert ask(door, url)[0] == 200
    assert counted._sum.get() > before


def test_one_query_when_the_page_is_known(door, url, django_assert_num_queries):
    ask(door, url)
    with django_assert_num_queries(1):
        ask(door, url)


# -- What it leaves to Django --


def blocked(store, link):
    person = blocks.Suspect(Block.What.EMAIL, link.customer.email_norm, "s…@example.com")
    blocks.block(store, person, reason="", by=None, at=timezone.now())


def erased(store, link):
    Customer.objects.for_store(store).update(erased_at=timezone.now())


def over(store, link):
    ShareLink.objects.for_store(store).update(expires_at=timezone.now())


def of_a_partner(store, link):
    CustomerTag.objects.create(store=store, customer=link.customer, tag="partner")


def of_staff(store, link):
    CustomerTag.objects.create(store=store, customer=link.customer, tag="staff")


def of_a_store(store, link):
    Customer.objects.for_store(store).update(external_id="partner:x")


def paused(store, link):
    programs.set_status(program_of(store), Program.Status.PAUSED, by=None, at=timezone.now())


def ended(store, link):
    Program.objects.for_store(store).update(ends_at=timezone.now() - timedelta(minutes=1))


@pytest.mark.parametrize(
    "case", [blocked, erased, over, of_a_partner, of_staff, of_a_store, paused, ended], ids=lambda case: case.__name__
)
def test_links_about_which_there_is_something_to_decide(case, door, store, share_link, url):
    case(store, share_link)
    assert ask(door, url)[0] == 299
    assert waiting(door) == 0


@pytest.mark.parametrize(
    "path", ["/r/NOBODY-22222", "/r/x", "/r/", "/", "/r/a/b", "/r/SARA%00", "/r/سارا", "/r/" + "A" * 500, "/me/abcd"]
)
def test_other_addresses(path, door):
    assert ask(door, path)[0] == 299
    assert waiting(door) == 0


@pytest.mark.parametrize(
    ("method", "query", "headers"),
    [
        ("POST", "", {}),
        ("HEAD", "", {}),
        ("GET", "?lang=fa", {}),
        ("GET", "?utm_source=x", {}),
        ("GET", "", {"user_agent": "WhatsApp/2.24"}),
        ("GET", "", {"user_agent": ""}),
        ("GET", "", {"sec_purpose": "prefetch"}),
        ("GET", "", {"cookie": "session=x"}),
        ("GET", "", {"cookie": "messages=x"}),
        ("GET", "", {"host": "evil.example"}),
    ],
    ids=str,
)
def test_other_requests(method, query, headers, door, url):
    assert ask(door, url + query, method, **headers)[0] == 299
    assert waiting(door) == 0


@pytest.mark.parametrize("error", [OperationalError("gone"), ValueError("never thought of")], ids=repr)
def test_whatever_fails_is_left_to_the_view(error, door, url, monkeypatch, caplog):
    def fail(*_args):
        raise error

    monkeypatch.setattr(front, "look_up", fail)
    assert ask(door, url)[0] == 299
    assert "left to the view" in caplog.text


def test_a_full_disk_is_left_to_the_view(door, url, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(visits.os, "write", full)
    assert ask(door, url)[0] == 299


def test_the_store_stays_behind_its_wall(door, share_link, other_store, url):
    """The look-up reads with the caller's rights: without the store's number it would find nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosecdef FROM pg_proc WHERE proname = 'goodword_landing'")
        assert cursor.fetchall() == [(False,)]


# -- Visits --


def test_the_rows_are_the_views(door, store, url):
    browsers = [
        {"cookie": f"gw_device={DEVICE}"},
        {"user_agent": f"{PHONE} 2", "cookie": f"gw_device={DEVICE}", "referer": "https://chat.example/x?y=z"},
        {"user_agent": f"{PHONE} 2"},
    ]
    for headers in browsers:
        by_django(url, **headers)
    direct = sorted(Visit.objects.for_store(store).values_list(*COLUMNS))
    Visit.objects.for_store(store).delete()
    for headers in browsers:
        assert ask(door, url, **headers)[0] == 200
    door.visits.close()
    visits.load(door.visits.folder)
    assert sorted(Visit.objects.for_store(store).values_list(*COLUMNS)) == direct
    assert len(direct) == 2


def test_an_order_by_the_pages_token_is_the_visits(door, store, share_link, url, now):
    Store.objects.filter(pk=store.pk).update(website="https://shop.example/")
    page = ask(door, url)[2].decode()
    (token,) = set(re.findall(r"visit=([2-9a-z]{20})", page))
    assert re.findall(r"visit=([2-9a-z]{20})", ask(door, url)[2].decode()) == [token]  # again, in the same hour
    make_order_of(store, Person("Bea Cruz", "bea@example.com"), at=now, visit=token)
    attribute_orders(store, now)
    assert not Referral.objects.for_store(store).exists()
    door.visits.close()
    visits.load(door.visits.folder)
    attribute_orders(store, now)
    referral = Referral.objects.for_store(store).get()
    assert (referral.link, referral.evidence) == (share_link, Referral.Evidence.VISIT)


def test_a_gift_taken_before_the_visit_is_loaded_counts(door, store, share_link, url, now):
    _, headers, _ = ask(door, url)
    device = re.search("gw_device=([^;]+)", headers["Set-Cookie"])[1]
    friend = Client(headers={"user-agent": PHONE, "cookie": f"gw_device={device}"})
    assert friend.post(url, {"contact": "bea@example.com"}).status_code == 302
    make_order_of(store, Person("Bea Cruz", "bea@example.com"), at=now)
    attribute_orders(store, now)
    assert Referral.objects.for_store(store).get().evidence == Referral.Evidence.CLAIM
    door.visits.close()
    visits.load(door.visits.folder)
    assert Claim.objects.for_store(store).get().device == Visit.objects.for_store(store).get().device
