"""Answers without an invitation: the code at the counter, the question on the shop's own site."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from customers.models import Customer
from outreach.models import Message
from stores import tokens
from stores.models import Location, Store
from surveys.models import RecoveryCase, Response, ResponseEvent, Survey
from surveys.walk_in_views import PER_ADDRESS


@pytest.fixture
def survey(store):
    return Survey.objects.create(store=store, name="Counter", occasion="counter")


@pytest.fixture
def url(store, survey):
    return f"/q/{tokens.make(tokens.Purpose.COUNTER, store.pk, survey)}"


@pytest.fixture
def on_site(store):
    Store.objects.filter(pk=store.pk).update(website="https://shop.example/en")
    return Survey.objects.create(store=store, name="Site", occasion="widget")


def answers(store):
    return list(Response.objects.for_store(store).order_by("pk").values_list("score", "comment", "via"))


def name_in(page):
    return re.search(r'name="name" value="(\w+)"', page.content.decode()).group(1)


def calm(store):
    """As if the last answer were some seconds old, and the device's too."""
    Response.objects.for_store(store).update(at=timezone.now() - timedelta(minutes=1), changed_at=None)
    from django.core.cache import cache

    cache.clear()


def test_the_code_opens_the_question(client, url):
    page = client.get(url)
    assert page.status_code == 200
    assert "How likely are you to recommend Rosewater Café" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert page["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_records_nothing(client, store, url, on_site, method):
    for score in range(11):
        assert getattr(client, method)(url, {"score": score}).status_code == 200
        assert getattr(client, method)("/w/rosewater/survey/", {"score": score}).status_code == 200
    assert answers(store) == []


def test_an_answer_needs_no_name(store, url):
    browser = Client(enforce_csrf_checks=True)
    page = browser.post(url, {"score": "9", "comment": "Quick!", "name": name_in(browser.get(url))}, follow=True)
    assert "Thank you for your answer" in page.content.decode()
    assert answers(store) == [(9, "Quick!", "counter")]
    assert Response.objects.for_store(store).get().customer is None
    assert not Customer.objects.for_store(store).exists()


def test_the_branch_is_kept(client, store, survey, url):
    makati = Location.objects.create(store=store, code="makati", name="Makati")
    client.post(f"{url}/makati", {"score": "9"})
    client.post(f"{url}/closed-long-ago", {"score": "8"}, headers={"user-agent": "another phone"})
    assert [row.location for row in Response.objects.for_store(store).order_by("pk")] == [makati, None]
    Survey.objects.for_store(store).update(location=Location.objects.create(store=store, code="cebu", name="Cebu"))
    client.post(f"{url}/makati", {"score": "7"}, headers={"user-agent": "a third"})
    assert Response.objects.for_store(store).latest("pk").location.code == "cebu"


def test_a_double_tap_is_one_answer(client, store, url):
    body = {"score": "8", "comment": "Nice", "name": name_in(client.get(url))}
    first, second = client.post(url, body), client.post(url, body)
    assert first["Location"] == second["Location"]
    assert answers(store) == [(8, "Nice", "counter")]
    assert not Response.objects.for_store(store).get().is_suspect
    assert ResponseEvent.objects.for_store(store).count() == 1


def test_it_can_be_changed_and_the_last_write_wins(client, store, url):
    name = name_in(client.get(url))
    client.post(url, {"score": "8", "name": name})
    calm(store)
    changing = client.get(url, {"change": name})
    assert re.findall(r'value="(\d+)" required checked', changing.content.decode()) == ["8"]
    assert name_in(changing) == name
    client.post(url, {"score": "4", "comment": "On second thought", "name": name})
    assert answers(store) == [(4, "On second thought", "counter")]
    assert not Response.objects.for_store(store).get().is_suspect
    assert ResponseEvent.objects.for_store(store).count() == 2


def test_after_14_days_it_stands(client, store, url):
    name = name_in(client.get(url))
    client.post(url, {"score": "8", "name": name})
    Response.objects.for_store(store).update(at=timezone.now() - timedelta(days=15))
    assert client.post(url, {"score": "2", "name": name}).status_code == 410
    assert answers(store)[0][0] == 8
    assert "change=" not in client.get(url, {"thanks": name}).content.decode()


@pytest.mark.parametrize("score", range(11))
def test_every_score_is_thanked_for(client, store, url, score):
    page = client.post(url, {"score": score}, follow=True)
    assert page.status_code == 200
    assert answers(store) == [(score, "", "counter")]
    assert ("We are sorry" in page.content.decode()) == (score <= 6)
    assert not RecoveryCase.objects.for_store(store).exists()  # nobody to help


@pytest.mark.parametrize("score", range(1, 6))
def test_every_face_too(client, store, survey, url, score):
    Survey.objects.for_store(store).update(question="csat")
    page = client.post(url, {"score": score}, follow=True)
    assert ("We are sorry" in page.content.decode()) == (score <= 2)
    assert Response.objects.for_store(store).get().question == "csat"


def test_an_unhappy_person_who_leaves_an_address_is_helped(client, store, url):
    page = client.post(url, {"score": "2", "contact": "  Bea@Example.com "}, follow=True)
    case = RecoveryCase.objects.for_store(store).get()
    assert case.customer.email_norm == "bea@example.com"
    assert "will get in touch" in page.content.decode()
    assert "bea@example.com" not in page.content.decode().lower()
    assert not case.customer.email_consent


def test_staff_can_open_the_case_of_somebody_who_bought_nothing_we_know_of(client, manager, store, url):
    client.post(url, {"score": "2", "comment": "Cold soup", "contact": "bea@example.com"})
    case = RecoveryCase.objects.for_store(store).get()
    for address in (f"/d/rosewater/unhappy/{case.public_id}/", "/d/rosewater/unhappy/", "/d/rosewater/"):
        page = manager.get(address)
        assert page.status_code == 200
    assert "Cold soup" in manager.get(f"/d/rosewater/unhappy/{case.public_id}/").content.decode()
    assert manager.get(f"/d/rosewater/customers/{case.customer.public_id}/").status_code == 200


def test_an_address_that_comes_later_helps_too(client, store, url):
    name = name_in(client.get(url))
    client.post(url, {"score": "2", "name": name})
    assert not RecoveryCase.objects.for_store(store).exists()
    client.post(url, {"score": "2", "name": name, "contact": "bea@example.com"})
    assert RecoveryCase.objects.for_store(store).get().customer == Response.objects.for_store(store).get().customer
    assert not Response.objects.for_store(store).get().is_suspect
    client.post(url, {"score": "2", "name": name, "contact": "somebody.else@example.com"})
    assert Response.objects.for_store(store).get().customer.email == "bea@example.com"


def test_an_address_is_only_for_answering(client, store, url):
    client.post(url, {"score": "10", "contact": "0917 123 4567"})
    customer = Customer.objects.for_store(store).get()
    assert customer.phone_norm == "+639171234567"
    assert not Message.objects.for_store(store).exists()
    assert Response.objects.for_store(store).get().ask_shown_at is None


def test_a_known_address_is_that_customer_and_shows_nothing_of_them(client, store, url, make_customer):
    known = make_customer("Sara Ahmadi", "sara@example.com")
    page = client.post(url, {"score": "9", "contact": "SARA@example.com"}, follow=True)
    assert Response.objects.for_store(store).get().customer == known
    assert "Sara" not in page.content.decode()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"score": "11"}, "Choose a number from 0 to 10."),
        ({"score": "-1"}, "Choose a number from 0 to 10."),
        ({"score": "five"}, "Choose a number from 0 to 10."),
        ({}, "Choose a number from 0 to 10."),
        ({"score": "9", "contact": "bea@"}, "This does not look like an e-mail address."),
        ({"score": "9", "contact": "12"}, "This does not look like a phone number"),
        ({"score": "9", "comment": "<i>x" * 1001}, "longer than 4000 characters"),
        ({"score": "9", "comment": "a\x00b"}, ""),
    ],
)
def test_what_cannot_be_read_keeps_the_form(client, store, url, body, words):
    page = client.post(url, {"comment": "Keep <i>me</i>", **body})
    text = page.content.decode()
    assert page.status_code == 400
    assert words in text
    assert "<i>" not in text
    assert answers(store) == []
    assert not Customer.objects.for_store(store).exists()


@pytest.mark.parametrize("name", ["", "x", "A" * 20, "../../etc", "é" * 20, "o" * 80])
def test_a_name_that_is_not_ours_gets_a_new_one(client, store, url, name):
    client.post(url, {"score": "9", "name": name})
    assert re.fullmatch("[a-z0-9]{20}", Response.objects.for_store(store).get().public_id)


def test_the_name_of_an_invited_answer_opens_and_changes_nothing(client, store, survey, url, make_customer, now):
    other = Response.objects.create(store=store, customer=make_customer(), score=9, comment="Mine", at=timezone.now())
    assert "Mine" not in client.get(url, {"change": other.public_id}).content.decode()
    assert client.get(url, {"thanks": other.public_id}).status_code == 302
    assert client.post(url, {"score": "0", "name": other.public_id}).status_code == 410
    other.refresh_from_db()
    assert (other.score, other.comment) == (9, "Mine")


def test_a_form_filling_program_is_kept_apart(client, store, url):
    page = client.post(url, {"score": "0", "contact": "bot@example.com", "homepage": "x"}, follow=True)
    assert page.status_code == 200
    assert Response.objects.for_store(store).get().is_suspect
    assert not Customer.objects.for_store(store).exists()


def test_two_answers_of_one_device_in_seconds_are_flagged(client, store, url):
    for score in ("9", "1"):
        client.post(url, {"score": score}, headers={"user-agent": "phone"})
    client.post(url, {"score": "5"}, headers={"user-agent": "the next guest's"})
    assert list(Response.objects.for_store(store).order_by("pk").values_list("score", "is_suspect")) == [
        (9, False),
        (1, True),
        (5, False),
    ]


def test_too_many_from_one_address_wait_and_keep_their_words(client, store, url):
    for number in range(PER_ADDRESS):
        client.post(url, {"score": "9"}, headers={"user-agent": f"phone {number}"})
    page = client.post(url, {"score": "9", "comment": "Keep me"})
    assert page.status_code == 429
    assert page["Retry-After"]
    assert "Keep me" in page.content.decode()
    assert len(answers(store)) == PER_ADDRESS
    assert client.post(url, {"score": "9"}, REMOTE_ADDR="198.51.100.7").status_code == 302


@pytest.mark.parametrize("token", ["x", "é", "A" * 4096, "%00", "%E2%80%AE", "A-_A"])
def test_a_bad_code_is_a_polite_404(client, store, token):
    page = client.get(f"/q/{token}")
    assert page.status_code == 404
    assert client.post(f"/q/{token}", {"score": "9"}).status_code == 404
    assert answers(store) == []


def test_codes_of_other_purposes_stores_and_occasions_are_refused(client, store, other_store, survey, on_site):
    for purpose, of, row in (
        (tokens.Purpose.SURVEY, store, survey),
        (tokens.Purpose.COUNTER, other_store, survey),
        (tokens.Purpose.COUNTER, store, on_site),
        (tokens.Purpose.COUNTER, store, survey.pk + 999),
    ):
        assert client.post(f"/q/{tokens.make(purpose, of.pk, row)}", {"score": "9"}).status_code == 404
    assert answers(store) == []


@pytest.mark.parametrize("nonsense", ["\x00", "é", "x" * 5000, "'"])
def test_nonsense_in_the_address_is_harmless(client, store, url, on_site, nonsense):
    assert client.get(url, {"change": nonsense}).status_code == 200
    assert client.get(url, {"score": nonsense}).status_code == 200
    assert client.get(url, {"thanks": nonsense}).status_code == 302
    assert client.get("/w/rosewater/survey/", {"survey": nonsense}).status_code == 404
    assert answers(store) == []


def test_switched_off_it_is_closed(client, store, survey, url):
    name = name_in(client.get(url))
    client.post(url, {"score": "9", "name": name})
    Survey.objects.for_store(store).update(is_on=False)
    assert client.get(url).status_code == client.post(url, {"score": "9"}).status_code == 410
    assert client.get(url, {"thanks": name}).status_code == 200
    assert len(answers(store)) == 1


def test_other_methods_are_refused(client, url, on_site):
    for address in (url, "/w/rosewater/survey/"):
        assert client.put(address).status_code == client.delete(address).status_code == 405


def test_it_speaks_the_phones_language_else_the_stores(client, store, url):
    Store.objects.filter(pk=store.pk).update(locale="fa")
    assert client.get(url, headers={"accept-language": "fil-PH,en;q=0.8"})["Content-Language"] == "fil"
    assert client.get(url, headers={"accept-language": "pt-BR"})["Content-Language"] == "fa"
    assert client.get(url)["Content-Language"] == "fa"
    assert client.get(url, {"lang": "en"})["Content-Language"] == "en"


def test_the_shops_site_and_no_other_may_frame_it(client, store, on_site):
    page = client.get("/w/rosewater/survey/")
    assert "frame-ancestors 'self' https://shop.example;" in page["Content-Security-Policy"] + ";"
    assert "X-Frame-Options" not in page
    Store.objects.filter(pk=store.pk).update(website="")
    page = client.get("/w/rosewater/survey/")
    assert "frame-ancestors 'self';" in page["Content-Security-Policy"] + ";"  # the owner's preview


def test_an_answer_on_the_site_comes_back_to_its_frame(client, store, on_site):
    newer = Survey.objects.create(store=store, name="Site 2", occasion="widget", question="csat")
    address = f"/w/rosewater/survey/?survey={on_site.public_id}"
    assert "From 0 to 10" in client.get(address).content.decode()
    page = client.post(address, {"score": "9"})
    assert page["Location"].startswith(address)
    thanks = client.get(page["Location"])
    assert "Thank you for your answer" in thanks.content.decode()
    assert "frame-ancestors 'self' https://shop.example" in thanks["Content-Security-Policy"]
    assert answers(store) == [(9, "", "widget")]
    assert "faces" in client.get("/w/rosewater/survey/").content.decode()  # the newest that is on
    assert newer.is_on


@pytest.mark.parametrize("address", ["/w/nowhere/survey/", "/w/rosewater/survey/?survey=x", "/w/elsewhere/survey/"])
def test_where_nothing_is_asked_there_is_a_polite_404(client, store, other_store, address):
    assert client.get(address).status_code == 404
    assert client.post(address, {"score": "9"}).status_code == 404


def test_few_queries(client, url, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        client.get(url)
    with django_assert_max_num_queries(12):
        client.post(url, {"score": "9"})
