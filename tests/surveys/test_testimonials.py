"""Testimonials: asking, the customer's page, the switch, the feed."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from customers.models import Customer
from outreach import journeys
from outreach import services as outreach
from outreach.kinds import Kind
from outreach.models import Message
from rewards.models import Offer, Reward
from rewards.services import granting
from stores import tokens
from surveys.models import Invitation, Response
from surveys.models import Testimonial as Said
from surveys.models import TestimonialEvent as SaidEvent
from surveys.services import answering, testimonials

URL = "/d/rosewater/testimonials/"
FEED = "/w/rosewater/testimonials.json"
WORDS = "The bread is the best in town, and so are they."


@pytest.fixture
def happy(store, make_order):
    """A function that makes a happy answer: `happy("bea@example.com", days_ago=3)`."""

    def make(email="bea@example.com", *, name="Bea Cruz", score=10, comment=WORDS, days_ago=2.01):
        order = make_order(email, name=name)
        at = timezone.now() - timedelta(days=days_ago)
        invitation = Invitation.objects.create(store=store, order=order, customer=order.customer, due_at=at)
        answering.respond(invitation, score=score, comment=comment, at=at)
        return Response.objects.select_related("customer__store").get(invitation=invitation)

    return make


@pytest.fixture
def switched_on(store):
    def put(since=None):
        journey = journeys.default_journey(store, Kind.TESTIMONIAL)
        journey.is_on, journey.started_at = True, since
        journey.save()

    return put


@pytest.fixture
def asked(happy):
    return testimonials.ask(happy(), at=timezone.now(), by=None)


@pytest.fixture
def granted(asked):
    testimonials.allow(asked, text=WORDS, shown_name="Bea C.", permission="They may.", at=timezone.now())
    return asked


def page_of(one):
    return f"/t/{tokens.make(tokens.Purpose.TESTIMONIAL, one.store_id, one)}"


def form(**changes):
    return {"text": WORDS, "name": "Bea C.", "version": "1", **changes}


def state(one):
    one.refresh_from_db()
    return one.status, one.is_published


def publish(one, *, shown=True):
    return testimonials.publish(one, shown=shown, seen=one.decided_at, at=timezone.now(), by=None)


# -- Asking --


def due(store, **more):
    return testimonials.ask_due(store, timezone.now(), **more)


def test_off_by_default(store, happy):
    happy()
    assert due(store) == 0
    assert not Said.objects.for_store(store).exists()


def test_happy_words_are_asked_about_once(store, happy, switched_on):
    switched_on()
    answer = happy()
    assert (due(store), due(store)) == (1, 0)
    one = Said.objects.for_store(store).get()
    assert (one.response, one.text, one.shown_name, one.status) == (answer, WORDS, "Bea C.", "asked")
    message = Message.objects.for_store(store).get(kind=Kind.TESTIMONIAL)
    assert message.context["links"]["action"].endswith(page_of(one))
    assert message.context["words"] == WORDS


@pytest.mark.parametrize(
    "facts",
    [
        {"score": 8},
        {"comment": "Nice."},
        {"days_ago": 1.9},  # the journey waits two days
        {"days_ago": 2.2},  # seen by an earlier sweep
    ],
)
def test_the_others_are_not(store, happy, switched_on, facts):
    switched_on()
    happy(**facts)
    assert due(store) == 0


def test_what_was_said_before_it_was_switched_on_is_left_alone(store, happy, switched_on):
    switched_on(timezone.now() - timedelta(days=1))
    happy()
    assert due(store) == 0
    assert testimonials.ask_missed(store, timezone.now()) == 0


def test_the_nightly_repair_finds_missed_ones(store, happy, switched_on):
    switched_on()
    happy(days_ago=20)
    assert due(store) == 0
    assert testimonials.ask_missed(store, timezone.now()) == 1


def test_who_changed_their_mind_meanwhile_is_not_asked(store, happy, switched_on):
    switched_on()
    answer = happy()
    answering.respond(answer.invitation, score=3, comment="It broke after two days.", at=timezone.now())
    assert due(store) == 0


def test_who_becomes_unhappy_before_it_goes_out_is_not_asked(store, asked):
    answering.respond(asked.response.invitation, score=2, comment="It broke.", at=timezone.now())
    message = Message.objects.for_store(store).get(kind=Kind.TESTIMONIAL)
    assert (message.status, message.reason) == ("skipped", "open_case")


def test_nobody_with_an_open_case_or_who_said_no_or_was_asked_lately(store, happy, switched_on, asked):
    switched_on()
    happy()  # Bea again: asked just now
    assert due(store) == 0
    testimonials.decline(asked, at=timezone.now())
    Said.objects.update(asked_at=timezone.now() - timedelta(days=400))
    assert due(store) == 0  # they said no
    held = happy("leo@example.com", name="Leo")
    outreach.hold(held.customer, key="case:1", reason="open_case", at=timezone.now())
    assert due(store) == 0


def test_one_person_with_two_happy_answers_is_asked_once(store, happy, switched_on):
    switched_on()
    happy(), happy()
    assert due(store) == 1


# -- The customer's page --


def test_looking_decides_nothing(client, asked):
    for _ in range(3):
        page = client.get(page_of(asked), headers={"user-agent": "Barracuda Sentinel"})
        assert page.status_code == 200
    client.head(page_of(asked))
    assert state(asked) == ("asked", False)
    text = page.content.decode()
    assert testimonials.permission_sentence(asked.store) in text
    assert "Bea C." in text
    assert "bea@example.com" not in text


def test_they_allow_it_in_their_own_words(asked):
    client = Client(enforce_csrf_checks=True)
    assert client.post(page_of(asked), form(text="Best bread in the whole town.", name="")).status_code == 302
    assert state(asked) == ("granted", False)
    assert (asked.text, asked.shown_name) == ("Best bread in the whole town.", "")
    assert asked.permission == testimonials.permission_sentence(asked.store)
    assert asked.permission_version == testimonials.PERMISSION_VERSION


def test_the_sentence_is_kept_in_the_language_it_was_read_in(client, asked, monkeypatch):
    Customer.objects.filter(pk=asked.customer_id).update(locale="fa")
    monkeypatch.setattr(testimonials, "_", lambda text: f"fa: {text}")
    client.post(page_of(asked), form())
    asked.refresh_from_db()
    assert asked.permission.startswith("fa: ")
    assert len(asked.permission) < 500


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"text": ""}, 400),
        ({"text": "too short"}, 400),
        ({"text": "x" * 1001}, 400),
        ({"name": "The Pope"}, 400),
        ({"version": "0"}, 409),
        ({"version": ""}, 400),
    ],
)
def test_a_wrong_form_allows_nothing_and_keeps_what_was_typed(client, asked, change, status):
    page = client.post(page_of(asked), form(**change))
    assert page.status_code == status
    assert state(asked) == ("asked", False)
    if change.get("text"):
        assert change["text"] in page.content.decode()


def test_they_say_no(client, asked):
    client.post(page_of(asked), {"action": "no"})
    assert state(asked) == ("declined", False)
    assert "we do not show them" in client.get(page_of(asked)).content.decode()


def test_an_answer_calls_the_letter_back(client, store, asked):
    client.post(page_of(asked), form())
    assert Message.objects.for_store(store).get(kind=Kind.TESTIMONIAL).reason == "answered"


def test_taken_back_it_is_gone_at_once(client, granted):
    publish(granted)
    assert client.get(FEED).json()["testimonials"]
    client.post(page_of(granted), {"action": "no"})
    assert state(granted) == ("revoked", False)
    assert client.get(FEED).json()["testimonials"] == []


def test_it_can_be_allowed_again_and_waits_for_the_store_again(client, granted):
    publish(granted)
    client.post(page_of(granted), {"action": "no"})
    client.post(page_of(granted), form())
    assert state(granted) == ("granted", False)


def test_changed_words_wait_for_the_store(client, granted):
    publish(granted)
    client.post(page_of(granted), form())  # the same: nothing happens
    assert state(granted) == ("granted", True)
    client.post(page_of(granted), form(text="Other words that nobody has seen yet."))
    assert state(granted) == ("granted", False)
    assert client.get(FEED).json()["testimonials"] == []


def test_history_keeps_every_word(client, granted):
    publish(granted)
    client.post(page_of(granted), form(text="Other words that nobody has seen yet."))
    client.post(page_of(granted), {"action": "no"})
    events = SaidEvent.objects.for_store(granted.store).order_by("pk")
    assert list(events.values_list("status", "is_published")) == [
        ("asked", False), ("granted", False), ("granted", True), ("granted", False), ("revoked", False),
    ]  # fmt: skip
    assert events[2].text == WORDS


def test_also_beside_stop_our_letters(client, granted):
    publish(granted)
    token = tokens.make(tokens.Purpose.UNSUBSCRIBE, granted.store_id, granted.customer)
    assert f"/u/{token}/words" in client.get(f"/u/{token}").content.decode()
    assert WORDS in client.get(f"/u/{token}/words").content.decode()
    assert state(granted) == ("granted", True)
    client.post(f"/u/{token}/words", {"words": granted.public_id})
    assert state(granted) == ("revoked", False)


def test_nobody_elses_words_are_taken_back(client, granted, make_customer):
    token = tokens.make(tokens.Purpose.UNSUBSCRIBE, granted.store_id, make_customer("Leo"))
    client.post(f"/u/{token}/words", {"words": granted.public_id})
    assert state(granted) == ("granted", False)


def test_bad_tokens_other_purposes_and_erased_people(client, asked):
    share = tokens.make(tokens.Purpose.SHARE, asked.store_id, asked)
    for path in ("/t/nonsense", f"/t/{share}", f"/u/{share}/words", "/u/x/words"):
        assert client.get(path).status_code == 404
        assert client.post(path, form()).status_code == 404
    Customer.objects.filter(pk=asked.customer_id).update(erased_at=timezone.now())
    assert client.post(page_of(asked), form()).status_code == 410
    assert state(asked) == ("asked", False)
    assert client.put(page_of(asked)).status_code == 405


# -- The store's switch --


def seen(one, action="publish"):
    one.refresh_from_db()
    return {"action": action, "seen": one.decided_at.isoformat() if one.decided_at else ""}


def test_it_is_shown_and_hidden(manager, granted):
    url = f"{URL}{granted.public_id}/"
    manager.post(url, seen(granted))
    assert state(granted) == ("granted", True)
    manager.post(url, seen(granted, "hide"))
    assert state(granted) == ("granted", False)
    assert SaidEvent.objects.for_store(granted.store).order_by("-pk").first().by == manager.user


def test_words_changed_meanwhile_are_not_shown_unseen(manager, client, granted):
    data = seen(granted)
    client.post(page_of(granted), form(text="Rude words that the store has not seen."))
    page = manager.post(f"{URL}{granted.public_id}/", data, follow=True)
    assert "Look again" in page.content.decode()
    assert state(granted) == ("granted", False)


def test_what_was_not_allowed_cannot_be_shown(manager, asked):
    manager.post(f"{URL}{asked.public_id}/", seen(asked))
    assert state(asked) == ("asked", False)


def test_the_store_cannot_change_words(manager, granted):
    manager.post(f"{URL}{granted.public_id}/", seen(granted) | {"text": "Better words", "shown_name": "Bea Cruz"})
    granted.refresh_from_db()
    assert (granted.text, granted.shown_name) == (WORDS, "Bea C.")


@pytest.mark.parametrize("show", ["", "new", "public", "asked", "no", "could", "nonsense"])
def test_the_lists(manager, granted, happy, show):
    happy("leo@example.com", name="Leo")
    page = manager.get(f"{URL}?show={show}")
    assert page.status_code == 200
    assert manager.get(f"{URL}?show={show}&format=csv").status_code == 200
    assert len(page.context["page"].rows) == (1 if show in ("", "new", "could", "nonsense") else 0)


def test_whom_you_could_ask_is_asked_now(manager, store, happy):
    answer = happy(days_ago=0.1)
    manager.post(f"{URL}ask/{answer.public_id}/")
    manager.post(f"{URL}ask/{answer.public_id}/")
    message = Message.objects.for_store(store).get(kind=Kind.TESTIMONIAL)
    assert message.due_at <= timezone.now()
    assert Said.objects.for_store(store).count() == 1
    assert manager.get(f"{URL}?show=could").context["page"].rows == []


def test_an_unhappy_answer_is_never_asked(manager, store, happy):
    answer = happy(score=6)
    manager.post(f"{URL}ask/{answer.public_id}/")
    assert not Said.objects.for_store(store).exists()


def test_a_button_leads_back_within_the_site_only(manager, granted):
    url = f"{URL}{granted.public_id}/"
    assert manager.post(url, seen(granted) | {"back": "https://evil.example/"}).url == url
    assert manager.post(url, seen(granted, "hide") | {"back": f"{URL}?show=new"}).url == f"{URL}?show=new"


def test_the_pages_queries(manager, happy, store, django_assert_max_num_queries):
    def add(number):
        for place in range(number):
            one = testimonials.ask(happy(f"{number}-{place}@example.com"), at=timezone.now(), by=None)
            testimonials.allow(one, text=WORDS, shown_name="", permission="", at=timezone.now())

    add(1)
    with django_assert_max_num_queries(16) as few:
        manager.get(f"{URL}?show=new")
    add(5)
    with django_assert_max_num_queries(len(few)):
        manager.get(f"{URL}?show=new")
    with django_assert_max_num_queries(16):
        manager.get(f"{URL}{Said.objects.for_store(store).first().public_id}/")


def test_strangers_staff_and_other_methods(stranger, staff, manager, granted, happy):
    url, answer = f"{URL}{granted.public_id}/", happy("leo@example.com")
    for path in (url, f"{URL}ask/{answer.public_id}/"):
        assert stranger.post(path, seen(granted)).status_code == 404
        assert staff.post(path, seen(granted)).status_code == 403
    assert manager.post(URL).status_code == 405
    assert manager.get(f"{URL}ask/{answer.public_id}/").status_code == 405
    assert manager.post(url, {"action": "burn"}).status_code == 404
    assert state(granted) == ("granted", False)
    assert Said.objects.for_store(granted.store).count() == 1


# -- The feed --


def test_the_feed_says_what_was_agreed_and_no_more(client, granted):
    publish(granted)
    page = client.get(FEED)
    assert page.headers["Access-Control-Allow-Origin"] == "*"
    assert page.headers["Cache-Control"] == "public, max-age=60"
    body = page.json()
    assert body["testimonials"] == [{"text": WORDS, "name": "Bea C.", "language": "en", "gets_rewards": False}]
    assert "not all reviews" in body["note"]
    assert "Set-Cookie" not in page.headers


def test_who_gets_rewards_is_said(client, store, granted, now):
    publish(granted)
    offer = Offer.objects.create(store=store, kind="percent_off", percent=10, currency="PHP")
    granting.grant(granted.customer, offer, side=Reward.Side.ADVOCATE, key="x", at=now)
    assert client.get(FEED).json()["testimonials"][0]["gets_rewards"] is True


@pytest.mark.parametrize("status", ["asked", "declined", "revoked"])
def test_nothing_else_is_in_it(client, granted, status):
    Said.objects.filter(pk=granted.pk).update(status=status, is_published=True)
    assert client.get(FEED).json()["testimonials"] == []


def test_hidden_erased_and_other_stores_words_are_not_in_it(client, granted, other_store):
    assert client.get(FEED).json()["testimonials"] == []  # allowed, not published
    publish(granted)
    assert client.get(FEED).json()["testimonials"]
    Customer.objects.filter(pk=granted.customer_id).update(erased_at=timezone.now())
    assert client.get(FEED).json()["testimonials"] == []
    Customer.objects.filter(pk=granted.customer_id).update(erased_at=None)
    assert client.get("/w/elsewhere/testimonials.json").json()["testimonials"] == []
    assert client.get("/w/nowhere/testimonials.json").status_code == 404
    assert client.post(FEED).status_code == 405


def test_the_share_page_and_the_friends_page_show_them(client, store, granted, share_link):
    share = f"/me/{tokens.make(tokens.Purpose.SHARE, store.pk, share_link.customer)}"
    for path in (share, f"/r/{share_link.code}"):
        assert WORDS not in client.get(path).content.decode()
    publish(granted)
    for path in (share, f"/r/{share_link.code}"):
        page = client.get(path).content.decode()
        assert WORDS in page
        assert "These are not all reviews." in page
