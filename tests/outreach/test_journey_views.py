"""The pages of journeys: the list, the editor with its preview and test, on and off, the owner's own."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from customers.models import Segment
from outreach import journeys
from outreach.channels import NotNow
from outreach.journeys import create_own, default_journey, journey_of
from outreach.kinds import Kind, Trigger, Way
from outreach.models import Journey, Message, Template
from outreach.words import PIECES, our_words
from stores.models import AuditEvent
from stores.tenancy import acting_for
from tests.editors import publish
from tests.planned import plan_message

LANGUAGES = ("en", "fa", "fil")


def url(name, store, slug=None):
    return reverse(f"outreach:{name}", args=[store.slug, *([slug] if slug else [])])


def sent(kind, **changes):
    """What the editor's form sends for a kind as it comes."""
    journey = Journey(kind=kind, trigger=kind.spec.trigger, ways=list(kind.spec.ways))
    data = {"is_on": "on", "wait": "2", "unit": "days", "spacing": "7, 14, 28", "number": "5", "audience": ""}
    data |= {"name": "Mine", "trigger": Trigger.ORDER, "language": "en", "view": "mail"}
    data |= {f"way_{place}": str(way) for place, way in enumerate(journey.ways)}
    for language in LANGUAGES:
        words = our_words(kind, language)
        data |= {f"words-{language}-{name}": words.piece(name) for name in PIECES}
    return data | changes


def text(response):
    return response.content.decode()


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.OWN])
def test_every_kind_has_an_editor_that_saves(manager, store, kind):
    page = manager.get(url("journey", store, kind))
    assert page.status_code == 200
    assert str(kind.label) in text(page)
    answer = publish(manager, url("journey", store, kind), sent(kind, **{"words-fa-subject": "سلام {{ name }}"}))
    assert answer.status_code == 302
    row = journey_of(store, kind)
    assert row.is_on
    assert row.ways == ["email", "sms"] or row.ways == list(kind.spec.ways)
    words = Template.objects.for_store(store).get(journey=row)
    assert (words.language, words.subject, words.body) == ("fa", "سلام {{ name }}", "")
    assert AuditEvent.objects.for_store(store).filter(action="words.changed").count() == 1


def test_the_list_shows_every_kind_and_what_went_out(manager, store, make_customer):
    at = timezone.now()
    for number in range(3):
        plan_message(make_customer(), Kind.SURVEY, key=f"s:{number}", due_at=at - timedelta(days=2), context={}, at=at)
    Message.objects.for_store(store).update(status=Message.Status.SENT)
    page = manager.get(url("journeys", store))
    lines = {line.slug: line for _key, _label, lines in page.context["families"] for line in lines}
    assert set(lines) == {str(kind) for kind in Kind if kind is not Kind.OWN}
    assert lines["survey"].sent == 3
    assert lines["ask"].sent == 0
    assert lines["reward_expiring"].when == "7 days before a reward ends"
    assert "Nothing of your own yet" in text(page)


def test_no_sentence_about_a_start_is_left_open(manager, store):
    for trigger in Trigger:
        create_own(store, str(trigger), by=None, at=timezone.now())
        Journey.objects.for_store(store).filter(name=str(trigger)).update(trigger=trigger, wait_minutes=90)
    page = text(manager.get(url("journeys", store)))
    assert "%(" not in page
    assert "90 minutes after every purchase" in page


def test_the_list_costs_the_same_with_many(manager, store, django_assert_max_num_queries):
    for number in range(15):
        create_own(store, f"No {number}", by=None, at=timezone.now())
    with django_assert_max_num_queries(12):
        manager.get(url("journeys", store))


def test_the_editor_costs_a_fixed_number(manager, store, django_assert_max_num_queries):
    with django_assert_max_num_queries(14):
        manager.get(url("journey", store, "ask"))


def test_a_wrong_field_in_any_language_is_refused_and_nothing_typed_is_lost(manager, store):
    data = sent(Kind.ASK, **{"words-fil-body": "Kumusta {{ nmae }}", "words-en-subject": "My own subject", "wait": "3"})
    answer = publish(manager, url("journey", store, "ask"), data)
    assert answer.status_code == 422
    page = text(answer)
    assert "There is no field {{ nmae }}; did you mean {{ name }}?" in page
    assert "Kumusta {{ nmae }}" in page
    assert "My own subject" in page
    assert answer.context["language"] == "fil"
    assert not Journey.objects.for_store(store).exists()
    assert not Template.objects.for_store(store).exists()


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        (Kind.REASK, {"wait": "x"}, "wait"),
        (Kind.REASK, {"wait": "2000"}, "wait"),
        (Kind.REASK, {"way_0": "", "way_1": ""}, "way_0"),
        (Kind.REASK, {"audience": "nobody"}, "audience"),
        (Kind.REASK, {"way_0": "pigeon"}, "way_0"),
        (Kind.SHARE_REMINDER, {"spacing": "14, 7"}, "spacing"),
        (Kind.SHARE_REMINDER, {"spacing": "a"}, "spacing"),
        (Kind.SHARE_REMINDER, {"spacing": "1,2,3,4,5,6"}, "spacing"),
        (Kind.SHARE_REMINDER, {"spacing": "9" * 30}, "spacing"),
        (Kind.CONGRATULATIONS, {"number": "0"}, "number"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(manager, store, kind, changes, field):
    answer = publish(manager, url("journey", store, kind), sent(kind, **changes))
    assert answer.status_code == 422
    assert answer.context["form"].errors[field]
    assert not Journey.objects.for_store(store).exists()


def test_links_of_others_are_kept_out_of_texts(manager, store):
    answer = publish(manager, url("journey", store, "ask"), sent(Kind.ASK, **{"words-en-sms": "see http://bit.ly/x"}))
    assert answer.status_code == 422
    assert "Take the link out" in text(answer)


def test_numbers_may_be_persian_and_gaps_grow(manager, store):
    publish(manager, url("journey", store, "share_reminder"), sent(Kind.SHARE_REMINDER, spacing="۳، ۷، ۱۴"))
    row = journey_of(store, Kind.SHARE_REMINDER)
    assert row.options == {"spacing": [3, 7, 14]}
    assert row.wait_minutes == 3 * 1440
    assert "cost as much as they bring" in text(manager.get(url("journey", store, "share_reminder")))


def test_the_ways_and_the_audience_are_kept_in_order(manager, store):
    segment = Segment.objects.create(store=store, name="Regulars")
    data = sent(Kind.REASK, way_0="call", way_1="", way_2="note", way_3="call", audience=segment.public_id)
    publish(manager, url("journey", store, "reask"), data)
    row = journey_of(store, Kind.REASK)
    assert (row.ways, row.segment, row.wait_minutes) == ([Way.CALL, Way.NOTE], segment, 2 * 1440)
    assert "Regulars" in text(manager.get(url("journeys", store)))


def test_saving_our_words_again_takes_the_row_away(manager, store):
    publish(manager, url("journey", store, "ask"), sent(Kind.ASK, **{"words-en-subject": "Mine"}))
    assert Template.objects.for_store(store).count() == 1
    publish(manager, url("journey", store, "ask"), sent(Kind.ASK))
    assert not Template.objects.for_store(store).exists()


def test_saving_nothing_new_says_so(manager, store):
    publish(manager, url("journey", store, "ask"), sent(Kind.ASK))
    events = AuditEvent.objects.for_store(store).count()
    page = publish(manager, url("journey", store, "ask"), sent(Kind.ASK), follow=True)
    assert "Nothing was different" in text(page)
    assert AuditEvent.objects.for_store(store).count() == events


def test_back_to_our_words_and_undo_lose_nothing(manager, store):
    data = sent(Kind.ASK, step="ours-fa", language="fa", **{"words-fa-subject": "خودم", "words-en-subject": "Mine"})
    page = manager.post(url("journey", store, "ask"), data)
    assert page.status_code == 200
    fa, en = page.context["editor"].words("fa"), page.context["editor"].words("en")
    assert fa.typed("subject") == our_words(Kind.ASK, "fa").subject
    assert en.typed("subject") == "Mine"
    kept = page.context["kept"]["words"]
    assert kept["was-fa-subject"] == "خودم"
    again = manager.post(url("journey", store, "ask"), {**data, **kept, "step": "undo-fa", "words-fa-subject": "x"})
    assert again.context["editor"].words("fa").typed("subject") == "خودم"
    assert not Template.objects.for_store(store).exists()


@pytest.mark.parametrize(
    ("view", "seen"), [("mail", "srcdoc="), ("text", "paid as"), ("plain", "http"), ("script", "Hello Sara")]
)
def test_the_preview_shows_what_is_typed(manager, store, view, seen):
    data = sent(Kind.ASK, view=view, **{"words-en-body": "Hello {{ name }}!", "words-en-sms": "Hi {{ name }}"})
    page = manager.post(url("journey_preview", store, "ask"), data)
    assert page.status_code == 200
    assert seen in text(page)
    assert "<style>" not in text(page)
    assert "Sara" in text(page)
    bare = manager.post(url("journey_preview", store, "ask"), data | {"bare": "on"})
    assert "there" in text(bare)


def test_the_preview_follows_the_language_and_warns(manager, store):
    data = sent(Kind.ASK, view="plain", language="fa", **{"words-fa-body": "سلام {{ name }} {{ product }}"})
    page = text(manager.post(url("journey_preview", store, "ask"), data))
    assert 'dir="rtl"' in page
    assert "سلام سارا" in page
    assert "{% if product %}" in page
    wrong = text(manager.post(url("journey_preview", store, "ask"), data | {"words-fa-body": "{% if %}"}))
    assert "cannot be read" in wrong


def test_the_preview_saves_nothing(manager, store):
    manager.post(url("journey_preview", store, "ask"), sent(Kind.ASK, **{"words-en-subject": "Mine"}))
    manager.post(url("journey", store, "ask"), sent(Kind.ASK, step="look", **{"words-en-subject": "Mine"}))
    assert not Journey.objects.for_store(store).exists()


# -- A test to oneself --


@pytest.fixture
def by_mail(settings):
    settings.EMAIL_CHANNEL = "email"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def test_a_test_goes_to_ones_own_address(manager, store, by_mail):
    data = sent(Kind.ASK, test="mail", **{"words-en-subject": "Mine for {{ name }}"})
    page = manager.post(url("journey_test", store, "ask"), data, headers={"HX-Request": "true"})
    assert page.status_code == 200
    (letter,) = mail.outbox
    assert letter.to == [manager.user.email]
    assert letter.subject == "[Test] Mine for Sara"
    assert "their-own-link" in letter.body
    assert not Message.objects.for_store(store).exists()


def test_a_text_goes_to_the_number_given(manager, store, monkeypatch):
    gone = []
    monkeypatch.setattr("outreach.trial.transport_for", lambda store, channel: lambda letter: gone.append(letter) or "")
    data = sent(Kind.ASK, test="text", phone="0917 000 0001")
    assert manager.post(url("journey_test", store, "ask"), data).status_code == 200
    assert gone[0].to == "+639170000001"
    for wrong in ("", "12"):
        refused = manager.post(url("journey_test", store, "ask"), data | {"phone": wrong})
        assert refused.status_code == 422
    assert len(gone) == 1


def test_every_test_has_a_reference_of_its_own(manager, store, monkeypatch):
    """A provider that remembers references would keep the second test back, and say that it went out."""
    gone = []
    monkeypatch.setattr("outreach.trial.transport_for", lambda store, channel: lambda letter: gone.append(letter) or "")
    for _ in range(2):
        manager.post(url("journey_test", store, "ask"), sent(Kind.ASK, test="mail"))
    assert len({letter.reference for letter in gone}) == 2


def test_a_test_that_fails_or_cannot_be_says_why(manager, store, by_mail, monkeypatch, settings):
    def broken(_letter):
        raise NotNow("busy")

    monkeypatch.setattr("outreach.trial.transport_for", lambda store, channel: broken)
    assert "busy" in text(manager.post(url("journey_test", store, "ask"), sent(Kind.ASK, test="mail")))
    wrong = sent(Kind.ASK, test="mail", **{"words-en-body": "{{ nmae }}"})
    assert "no field" in text(manager.post(url("journey_test", store, "ask"), wrong))
    monkeypatch.undo()
    settings.EMAIL_CHANNEL = "outbox"
    assert "kept in the outbox" in text(manager.post(url("journey_test", store, "ask"), sent(Kind.ASK, test="mail")))


def test_tests_are_counted(manager, store, by_mail):
    answers = [manager.post(url("journey_test", store, "ask"), sent(Kind.ASK, test="mail")) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [422] * 2
    assert len(mail.outbox) == 10


# -- On and off, the owner's own --


def test_the_switch_turns_and_turns_back(manager, store):
    assert manager.post(url("journey_switch", store, "reask"), {"on": "1"}).status_code == 302
    row = journey_of(store, Kind.REASK)
    assert row.is_on
    assert row.started_at
    manager.post(url("journey_switch", store, "reask"), {"on": "0"})
    row.refresh_from_db()
    assert not row.is_on
    actions = AuditEvent.objects.for_store(store).order_by("pk").values_list("action", flat=True)
    assert list(actions)[-2:] == ["journey.switched_on", "journey.switched_off"]


def test_a_second_tap_on_the_switch_changes_nothing(manager, store):
    for _ in range(2):
        manager.post(url("journey_switch", store, "ask"), {"on": "1"})
    assert not AuditEvent.objects.for_store(store).filter(action="journey.switched_on").exists()  # it was on


def test_one_of_the_owners_own(manager, store):
    assert manager.post(url("new_journey", store), {"name": ""}).status_code == 422
    made = manager.post(url("new_journey", store), {"name": "Second visit"})
    row = Journey.objects.for_store(store).get()
    assert made.url == url("journey", store, row.public_id)
    assert not row.is_on
    data = sent(Kind.OWN, name="Third visit", trigger=Trigger.NTH_ORDER, number="3")
    assert publish(manager, made.url, data).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.trigger, row.number, row.is_on) == ("Third visit", Trigger.NTH_ORDER, 3, True)
    assert row.started_at
    assert publish(manager, made.url, data | {"trigger": Trigger.EVENT}).context["form"].errors["event_kind"]
    assert (
        publish(manager, made.url, data | {"trigger": Trigger.SCORE, "number": "11"}).context["form"].errors["number"]
    )
    assert publish(manager, made.url, data | {"trigger": Trigger.REWARD}).status_code == 422


def test_taken_away_and_brought_back(manager, store):
    row = create_own(store, "Mine", by=None, at=timezone.now())
    publish(manager, url("journey", store, row.public_id), sent(Kind.OWN, **{"words-fa-subject": "خودم"}))
    away = manager.post(url("journey_remove", store, row.public_id))
    assert not Journey.objects.for_store(store).exists()
    page = manager.get(away.url)
    assert "Bring it back" in text(page)
    back = reverse("outreach:journey_restore", args=[store.slug, page.context["removed"].pk])
    for _ in range(2):
        assert manager.post(back).status_code == 302
    again = Journey.objects.for_store(store).get()
    assert (again.public_id, again.name, again.is_on) == (row.public_id, "Mine", False)
    assert Template.objects.for_store(store).get().subject == "خودم"


def test_what_was_sent_is_only_switched_off(manager, store, make_customer, now):
    row = create_own(store, "Mine", by=None, at=now)
    journeys.switch(row, is_on=True, by=None, at=now)
    plan_message(make_customer(), Kind.OWN, key="own:1", due_at=now, context={}, at=now, journey=row)
    manager.post(url("journey_remove", store, row.public_id))
    row.refresh_from_db()
    assert not row.is_on
    assert manager.post(url("journey_remove", store, "ask")).status_code == 404  # ours stay


# -- Who may --


GETS = ("journeys", "new_journey", "journey")
POSTS = ("new_journey", "journey", "journey_preview", "journey_test", "journey_switch", "journey_remove")


def slugged(name, store, slug):
    return url(name, store, None if name in ("journeys", "new_journey") else slug)


def test_strangers_find_nothing_and_staff_may_not(stranger, staff, client, store, now):
    row = create_own(store, "Mine", by=None, at=now)
    for name in GETS:
        answers = [one.get(slugged(name, store, row.public_id)).status_code for one in (stranger, staff, client)]
        assert answers == [404, 403, 302]
    for name in POSTS:
        data = sent(Kind.OWN, on="1")
        answers = [one.post(slugged(name, store, row.public_id), data).status_code for one in (stranger, staff, client)]
        assert answers == [404, 403, 302]
    row.refresh_from_db()
    assert (row.name, row.is_on) == ("Mine", False)
    assert Journey.objects.for_store(store).count() == 1


def test_another_stores_journey_is_not_there(manager, store, other_store, now):
    with acting_for(other_store):
        row = create_own(other_store, "Theirs", by=None, at=now)
        event = journeys.remove_own(create_own(other_store, "Gone", by=None, at=now), by=None, at=now)
    assert manager.get(url("journey", store, row.public_id)).status_code == 404
    for name in POSTS[1:]:
        assert manager.post(url(name, store, row.public_id), sent(Kind.OWN)).status_code == 404
    assert manager.post(reverse("outreach:journey_restore", args=[store.slug, event.pk])).status_code == 404
    assert manager.get(url("journeys", store), {"removed": event.pk}).context["removed"] is None
    assert not Journey.objects.for_store(store).exists()


def test_wrong_methods(manager, store):
    for name in POSTS[2:]:
        assert manager.get(url(name, store, "ask")).status_code == 405
    assert manager.post(url("journeys", store)).status_code == 405
    assert manager.get(url("journey", store, "own")).status_code == 404
    assert manager.get(url("journeys", store), {"removed": "9" * 30}).status_code == 200


def test_two_owners_saving_at_once_make_one_row(store, now):
    first, second = default_journey(store, Kind.ASK), default_journey(store, Kind.ASK)
    assert journeys.switch(first, is_on=False, by=None, at=now)
    assert journeys.switch(second, is_on=True, by=None, at=now)
    assert Journey.objects.for_store(store).get().is_on
