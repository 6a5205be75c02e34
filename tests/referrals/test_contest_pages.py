"""Contests as customers see them: names only by consent, the rules, a card on their own page."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from customers.models import Customer
from referrals.public.contests import rules_of
from referrals.services import contests
from referrals.services.contests import PrizeTerms
from stores import tokens
from tests.referrals.contest_world import END, FIRST, SETTLED, START, advocate, brings, close, make
from tests.referrals.journey_world import DAY


@pytest.fixture
def client():
    """A phone without cookies or a CSRF token."""
    return Client(enforce_csrf_checks=True)


def url_of(contest):
    return reverse("referral:contest", args=[contest.store.slug, contest.public_id])


def text_of(client, url, **headers):
    page = client.get(url, headers=headers)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", page.content.decode())


def running(store, **changes):
    at = timezone.now()
    values = {"starts_at": at - 5 * DAY, "ends_at": at + 5 * DAY, **changes}
    return make(store, **values)


def agrees(customer):
    Customer.objects.filter(pk=customer.pk).update(on_leaderboard=True)


# -- The public page --


def test_names_are_short_and_only_of_those_who_agreed(client, store):
    contest, bought = running(store), timezone.now() - DAY
    ann, ben = advocate(store, "Ann Cruz"), advocate(store, "Ben Diaz")
    agrees(ann)
    brings(ann, "A1", "A2", at=bought, counted=False)
    brings(ben, "B1", at=bought, counted=False)
    text = text_of(client, url_of(contest))
    assert "Ann C." in text
    assert "a customer" in text
    for secret in ("Cruz", "Ben", "Diaz", "example.com", "A1", ann.public_id):
        assert secret not in text
    assert "2 friends<br>" in text
    assert "2 waiting" in text


def test_what_was_written_down_is_shown_after_the_closing(client, store):
    contest = make(store)
    ann = advocate(store, "Ann Cruz")
    agrees(ann)
    brings(ann, "A1")
    close(contest)
    text = text_of(client, url_of(contest))
    assert "Who came in where" in text
    assert "Ann C." in text


def test_drafts_and_what_does_not_exist_look_alike(client, store, other_store):
    draft = make(store, announced=False)
    called_off = make(store, announced=False, name="Off")
    contests.call_off(called_off, by=None, at=START)
    pages = [client.get(url_of(draft)), client.get(url_of(called_off))]
    pages += [client.get(f"/n/{slug}/contests/{draft.public_id}/") for slug in (other_store.slug, "nobody")]
    pages.append(client.get(f"/n/{store.slug}/contests/nothing/"))
    assert {page.status_code for page in pages} == {404}
    assert len({re.sub(r'href="[^"]*lang=[^"]*"', "", page.content.decode()) for page in pages}) == 1


def test_what_was_announced_and_called_off_says_so(client, store):
    contest = make(store)
    contests.call_off(contest, by=None, at=START)
    text = text_of(client, url_of(contest))
    assert "It was called off" in text
    assert "gift card" not in text


def test_it_takes_no_posts_is_not_cached_and_not_indexed(client, store):
    contest = make(store)
    assert client.post(url_of(contest)).status_code == 405
    page = client.get(url_of(contest))
    assert page["Cache-Control"] == "no-store, private"
    assert "noindex" in page["X-Robots-Tag"]


@pytest.mark.parametrize("language", ["en", "fa", "fil"])
def test_every_language_has_it_with_what_the_store_added(client, store, language):
    contest = make(store, rules="<b>Be kind.</b>\nHave fun.")
    page = client.get(url_of(contest), {"lang": language}, follow=True)
    text = page.content.decode()
    assert f'lang="{language}"' in text
    assert "&lt;b&gt;Be kind.&lt;/b&gt;<br>Have fun." in text


def test_the_rules_say_dates_prizes_ties_and_when(store):
    contest = make(store, prizes=[PrizeTerms(1, 1, FIRST), PrizeTerms(2, 3, FIRST)])
    with translation.override("en"):
        lines = " ".join(rules_of(contest))
    for words in (
        "Place 1: gift card of ₱2,000",
        "Places 2 to 3, each:",
        "Everybody else",
        "whoever had them first",
        "14 days",
    ):
        assert words in lines


def test_its_queries_do_not_grow(client, store, django_assert_max_num_queries):
    contest, bought = running(store), timezone.now() - DAY
    brings(advocate(store, "Ann Cruz"), "A1", at=bought, counted=False)
    with django_assert_max_num_queries(12) as few:
        client.get(url_of(contest))
    for number in range(10):
        brings(advocate(store, f"More {number}"), f"M{number}", at=bought, counted=False)
    with django_assert_max_num_queries(len(few)):
        client.get(url_of(contest))


# -- Their own page --


def me(store, customer):
    return f"/me/{tokens.make(tokens.Purpose.SHARE, store.pk, customer)}"


def test_who_has_no_contest_sees_nothing_of_it(client, store):
    text = text_of(client, me(store, advocate(store, "Ann Cruz")))
    assert "on_leaderboard" not in text
    assert "Who leads" not in text


def test_ones_own_place_stands_on_ones_own_page(client, store):
    contest, bought = running(store), timezone.now() - DAY
    ann, ben = advocate(store, "Ann Cruz"), advocate(store, "Ben Diaz")
    brings(ann, "A1", "A2", at=bought, counted=False)
    assert "For whoever brings the most friends: gift card of ₱2,000" in text_of(client, me(store, ben))
    brings(ben, "B1", at=bought, counted=False)
    text = text_of(client, me(store, ben))
    assert "With 1 friend you are in place 2." in text
    assert url_of(contest) in text


def test_the_result_stands_there_for_a_while(client, store):
    contest = make(store)
    ann, ben = advocate(store, "Ann Cruz"), advocate(store, "Ben Diaz")
    brings(ann, "A1", "A2")
    close(contest, at=timezone.now() if timezone.now() > SETTLED else SETTLED)
    contest.refresh_from_db()
    contest.closed_at = timezone.now() - DAY
    contest.save(update_fields=["closed_at"])
    assert "with 2 friends you came in place 1" in text_of(client, me(store, ann))
    contest.closed_at = timezone.now() - 20 * DAY
    contest.save(update_fields=["closed_at"])
    assert "you came in place" not in text_of(client, me(store, ann))
    assert "Friends’ week" not in text_of(client, me(store, ben))


def test_consent_is_given_and_taken_back_on_ones_own_page(client, store):
    running(store)
    ann = advocate(store, "Ann Cruz")
    url = me(store, ann)
    assert 'name="on_leaderboard">' in text_of(client, url)
    client.post(f"{url}/preferences", {"on_leaderboard": "on"})
    ann.refresh_from_db()
    assert (ann.on_leaderboard, ann.found_by_name) == (True, False)
    assert 'name="on_leaderboard" checked>' in text_of(client, url)
    client.post(f"{url}/preferences", {"found_by_name": "on"})
    ann.refresh_from_db()
    assert (ann.on_leaderboard, ann.found_by_name) == (False, True)


def test_who_agreed_can_take_it_back_when_no_contest_runs(client, store):
    ann = advocate(store, "Ann Cruz")
    agrees(ann)
    assert 'name="on_leaderboard" checked>' in text_of(client, me(store, ann))


def test_an_announced_contest_that_has_not_begun_says_when(client, store):
    contest = running(store, starts_at=timezone.now() + DAY)
    assert "It begins" in text_of(client, me(store, advocate(store, "Ann Cruz")))
    assert "Who leads" not in text_of(client, url_of(contest))
    assert END > START
