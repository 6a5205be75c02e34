import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from customers.models import Customer
from referrals.models import Program, ShareLink
from referrals.services import programs
from referrals.services.programs import program_of
from stores import tokens
from stores.models import Store
from surveys.models import Invitation, RecoveryCase, Response
from surveys.services import answering

REVIEWS = "https://reviews.example/rosewater"
OTHER = "https://trust.example/rosewater?a=1&b=2"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/605.1"


@pytest.fixture
def client():
    return Client(headers={"user-agent": PHONE})


@pytest.fixture
def invitation(store, make_order):
    Store.objects.filter(pk=store.pk).update(
        review_links=[{"name": "Google", "url": REVIEWS}, {"name": "Trustpilot", "url": OTHER}], phone="+63 2 8123 4567"
    )
    order = make_order("sara@example.com", days_ago=9)
    return Invitation.objects.create(
        store=store, order=order, customer=order.customer, status="invited", due_at=timezone.now(), product_name="Mug"
    )


@pytest.fixture
def url(store, invitation):
    return f"/s/{tokens.make(tokens.Purpose.SURVEY, store.pk, invitation)}/thanks"


def answer(client, url, score):
    page = client.post(url.removesuffix("/thanks"), {"score": score}, follow=True)
    assert page.status_code == 200
    return page.content.decode()


def review_part(text):
    return re.search(r'<section[^>]*id="review">.*?</section>', text, re.DOTALL)[0]


def asked_at(store):
    return Response.objects.for_store(store).get().ask_shown_at


@pytest.mark.parametrize("score", [9, 10])
def test_the_happy_are_asked_right_there(client, store, url, score):
    text = answer(client, url, score)
    link = ShareLink.objects.for_store(store).get()
    assert "Now give a friend 10% off" in text
    assert link.code in text
    assert f"/r/{link.code}" in text
    assert "https://wa.me/?text=" in text
    assert asked_at(store)


@pytest.mark.parametrize("score", [0, 6, 7, 8])
def test_the_others_are_not(client, store, url, score):
    text = answer(client, url, score)
    assert "wa.me" not in text
    assert asked_at(store) is None
    assert not ShareLink.objects.for_store(store).exists()


def test_passives_are_asked_when_the_store_wants(client, store, url):
    Store.objects.filter(pk=store.pk).update(ask_passives=True)
    assert "https://wa.me/?text=" in answer(client, url, 7)


def test_the_unhappy_get_a_promise_and_the_phone(client, store, url):
    text = answer(client, url, 3)
    assert "We are sorry" in text
    assert 'href="tel:+63281234567"' in text
    assert RecoveryCase.objects.for_store(store).exists()


def test_everyone_gets_the_same_review_link(client, store, url):
    parts = {review_part(answer(client, url, score)) for score in range(11)}
    assert len(parts) == 1
    part = parts.pop()
    assert f'href="{REVIEWS}"' in part
    assert "a=1&amp;b=2" in part


def test_also_before_any_answer(client, store, url):
    before = review_part(client.get(url).content.decode())
    assert before == review_part(answer(client, url, 10))


def test_no_review_link_when_the_store_has_none(client, store, url):
    Store.objects.filter(pk=store.pk).update(review_links=[])
    assert 'id="review"' not in answer(client, url, 10)


def test_whoever_waits_for_help_is_not_asked_whatever_they_answer_now(client, store, url):
    answer(client, url, 2)
    text = answer(client, url, 10)
    assert "wa.me" not in text
    assert "still get in touch" in text
    assert asked_at(store) is None


def test_a_paused_program_asks_nobody(client, store, url, now):
    programs.set_status(program_of(store), Program.Status.PAUSED, by=None, at=now)
    assert "wa.me" not in answer(client, url, 10)


def test_a_bot_is_not_asked_and_nothing_is_noted(client, store, url, invitation):
    answering.respond(invitation, score=10, comment="", at=timezone.now())
    page = client.get(url, headers={"user-agent": "Barracuda Sentinel scanner"})
    assert page.status_code == 200
    assert asked_at(store) is None
    assert not ShareLink.objects.for_store(store).exists()


def test_without_an_answer_it_leads_back(client, store, url):
    assert f'href="{url.removesuffix("/thanks")}"' in client.get(url).content.decode()


def test_the_answer_can_be_changed_from_here_for_14_days(client, store, url, invitation):
    assert "Change my answer" in answer(client, url, 8)
    Response.objects.for_store(store).update(at=timezone.now() - timedelta(days=15))
    assert "Change my answer" not in client.get(url).content.decode()


def test_a_forwarded_link_opens_nobodys_share_page(client, store, url):
    text = answer(client, url, 10)
    assert "/me/" not in text
    assert "sara@example.com" not in text
    assert "Ahmadi" not in text


def test_a_tap_is_noted(client, store, url):
    answer(client, url, 10)
    beacon = url.replace("/thanks", "/shared")
    assert Client(enforce_csrf_checks=True).post(beacon).status_code == 204
    assert ShareLink.objects.for_store(store).get().shared_at
    assert client.get(beacon).status_code == 405


def test_bad_tokens_and_erased_people(client, store, url):
    assert client.get("/s/nonsense/thanks").status_code == 404
    assert client.post("/s/nonsense/shared").status_code == 404
    Customer.objects.for_store(store).update(erased_at=timezone.now())
    assert client.get(url).status_code == 410
    assert client.post(url.replace("/thanks", "/shared")).status_code == 404


def test_other_methods_are_refused(client, store, url):
    assert client.post(url).status_code == 405
    assert not Response.objects.for_store(store).exists()


def test_few_queries(client, store, url, django_assert_max_num_queries):
    answer(client, url, 10)
    with django_assert_max_num_queries(16):
        client.get(url)
