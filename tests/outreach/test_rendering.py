"""Letters, texts and scripts: what stands around the words, whoever wrote them."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings
from django.utils import timezone

from customers.models import Channel, Customer
from outreach import fields, journeys, own_words
from outreach.kinds import Action, Kind, Way
from outreach.language import ISOLATE, ISOLATE_END
from outreach.models import ChannelAccount, Message, Template
from outreach.plain import plain_text
from outreach.preview import example
from outreach.rendering import compose, language_of, letter, script_of, unsubscribe_url, way_out
from outreach.words import Wording, our_words
from stores.models import Store
from tests.planned import plan_message

LANGUAGES = [code for code, _name in settings.LANGUAGES]
IN_EACH = pytest.mark.parametrize("language", LANGUAGES)
UNSEEN = re.compile(r"<!--.*?-->|<head>.*?</head>|<div style=\"display:none.*?</div>", re.DOTALL)
INLINE = re.compile(r"</?(?:bdi|b|span|a)\b[^>]*>")
NASTY = "<script>alert('x')</script> & \u202e\u2067{{ name }} Ωmega 🎉 " + "x" * 200


@pytest.fixture
def shop(store):
    facts = {"postal_address": "12 Katipunan Ave", "phone": "+63 2 8123", "website": "https://rose.example"}
    Store.objects.filter(pk=store.pk).update(**facts)
    store.refresh_from_db()
    return store


@pytest.fixture
def write(shop, make_customer):
    """A function that renders an example of a kind, by a channel, with changes in its context."""
    customer = make_customer()

    def render(kind, language="en", channel=Channel.EMAIL, *, name="Sara Ahmadi", **changes):
        message = example(shop, kind, language, at=timezone.now())
        customer.name, customer.locale = name, language
        message.customer, message.channel = customer, channel
        message.context |= changes
        return letter(shop, message)

    return render


@IN_EACH
def test_a_letter_holds_what_it_must(write, shop, language):
    for kind in Kind:
        assert_holds(write(kind, language), language)


def assert_holds(mail, language):
    assert f'lang="{language}" dir="{"rtl" if language == "fa" else "ltr"}"' in mail.html
    assert 'name="color-scheme"' in mail.html
    assert "<!--[if mso]>" in mail.html
    for outside in ("<link", "<script", "<img", "url("):
        assert outside not in mail.html
    assert len(mail.html.encode()) < 60_000
    for body in (mail.text, mail.html):
        for part in ("Rosewater Café", "12 Katipunan Ave", "+63 2 8123", "https://rose.example"):
            assert part in body
    assert "\n\n\n" not in mail.text
    assert not re.search(r"\n\s*\n", mail.html)


@IN_EACH
def test_its_plain_part_says_what_the_html_says(write, language):
    for kind in Kind:
        assert_says_the_same(write(kind, language))


def assert_says_the_same(mail):
    seen = unescape(re.sub(r"<[^>]+>", " ", INLINE.sub("", UNSEEN.sub("", mail.html))))
    links = re.findall(r'href="(https?://[^"]+)"', mail.html)
    said = mail.text.replace("\n--\n", "\n")
    for link in links:
        assert unescape(link) in said
        said = said.replace(f": {unescape(link)}", "", 1)
    assert said.split() == seen.split()


@pytest.mark.parametrize("kind", list(Kind))
def test_one_click_stops_all_that_was_not_just_asked_for(write, kind):
    mail = write(kind)
    if kind.is_transactional:
        assert mail.headers == {}
        assert "/u/" not in mail.html
        return
    (stop,) = set(re.findall(r'href="([^"]+/u/[^"]+)"', mail.html))
    assert mail.headers == {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    assert stop in mail.text


@IN_EACH
def test_its_link_is_there(write, language):
    wanted = {Action.SCORES: "/s/", Action.SHARE: "/me/", Action.BUTTON: "/me/", Action.CODE: "SARA-2K7M"}
    for kind in Kind:
        if kind.spec.action is not Action.NONE:
            mail = write(kind, language)
            for said in (mail.html, mail.text, write(kind, language, Channel.SMS).text):
                assert wanted[kind.spec.action] in said, kind


@IN_EACH
@pytest.mark.parametrize("channel", list(Channel))
def test_nothing_a_person_typed_does_harm(write, shop, channel, language):
    for kind in Kind:
        typed = {name: NASTY for name in fields.names_of(kind) if name not in ("name", "store")}
        sent = write(kind, language, channel, name=NASTY, **typed)
        assert "<script" not in sent.html
        assert "\u202e" not in sent.html + sent.text + sent.subject
        assert "\u2067" not in sent.html + sent.text
        assert "&lt;" not in sent.text
        assert "\n" not in sent.subject
        assert len(sent.subject) <= 200
        assert sent.html.count("<bdi") == sent.html.count("</bdi>")
        assert sent.text.count(ISOLATE) == sent.text.count(ISOLATE_END)


def test_a_name_is_no_advertisement(write):
    mail = write(Kind.GIFT, name="Visit http://evil.com now", friend="win.prize-now.com")
    assert "evil.com" not in mail.text
    assert "prize-now.com" not in mail.text
    assert "J.R." in write(Kind.BIRTHDAY, name="J.R. Cruz").text


def test_names_are_kept_apart_where_they_run_the_other_way(write):
    english = write(Kind.BIRTHDAY, "en", name="سارا احمدی")
    assert "<bdi>سارا</bdi>" in english.html
    assert f"{ISOLATE}سارا{ISOLATE_END}" in english.subject
    plain = write(Kind.BIRTHDAY, "en", name="Sara")
    assert ISOLATE not in plain.text + plain.subject
    persian = write(Kind.ASK, "fa", product="Blue Mug")
    assert "<bdi>Blue Mug</bdi>" in persian.html
    text = write(Kind.ASK, "fa", Channel.SMS, product="Blue Mug").text
    assert text.startswith("\u200fRosewater Café: ")
    assert ISOLATE not in text


def test_numbers_and_days_read_in_the_language(write):
    mail = write(Kind.FRIEND_BOUGHT, "fa", counts_on="2026-11-20")
    assert "۲۹ آبان ۱۴۰۵" in mail.text
    assert "۳" in write(Kind.FRIEND_APPROVED, "fa", friends=3).text
    assert "20 Nov 2026, 18:00" in write(Kind.SORRY, promise="2026-11-20T10:00:00+00:00").text


@pytest.mark.parametrize("value", ["soon", "", None, "2026-13-45", 7, [], {"a": 1}])
def test_values_that_cannot_be_read_are_left_out(write, value):
    for kind in (Kind.FRIEND_BOUGHT, Kind.SORRY, Kind.GIFT, Kind.TIER_REACHED):
        changes = dict.fromkeys(("counts_on", "promise", "until", "friends"), value)
        assert "None" not in write(kind, **changes).text


def test_rows_from_before_keep_their_meaning(write):
    gift = write(Kind.GIFT, friend=None, advocate="Ben C.")
    assert "Your gift from" in gift.subject
    older = {"gift": "10% off", "advocate": "Ben C.", "code": "ABC", "links": {}}
    customer = Customer(name="Sara")
    assert (
        fields.values(Store(name="S"), Message(kind=Kind.GIFT, customer=customer, context=older), "en")["friend"].text
        == "Ben C."
    )
    to_advocate = Message(kind=Kind.REWARD, customer=customer, context={"is_advocate": True})
    assert fields.values(Store(name="S"), to_advocate, "en")["friend"].raw


def test_what_staff_wrote_goes_out_as_it_is(write):
    mail = write(Kind.SORRY, subject="About {{ name }}", body="Dear Sara,\n\nit costs {{ 5 }} <b>.")
    assert mail.subject == "About {{ name }}"
    assert "it costs {{ 5 }} <b>." in mail.text
    assert "it costs {{ 5 }}" in write(Kind.SORRY, channel=Channel.SMS, body="it costs {{ 5 }}").text


def test_another_question_has_its_own_scale_and_words(write):
    mail = write(Kind.SURVEY, question="csat", asks="How was the delivery?")
    assert "How was the delivery?" in mail.text
    assert re.findall(r"score=(\d+)", mail.html) == ["1", "2", "3", "4", "5"]
    assert re.findall(r"score=(\d+)", write(Kind.SURVEY).html) == [str(one) for one in range(11)]


# -- The way out of texts --


def test_texts_say_how_to_stop(shop):
    stop = "http://testserver/u/x"
    assert way_out(shop, "en", stop, can_be_answered=True) == ["No more texts? Reply STOP"]
    assert way_out(shop, "en", stop, can_be_answered=False) == [f"Stop: {stop}"]
    assert way_out(shop, "fa", stop, can_be_answered=True) == ["لغو۱۱"]
    assert len(way_out(shop, "fa", stop, can_be_answered=False)) == 2  # a sender abroad has no such word
    shop.country = "IR"
    assert way_out(shop, "fa", stop, can_be_answered=False) == ["لغو۱۱"]


@IN_EACH
def test_every_text_names_the_store_and_the_way_out(write, language):
    for kind in Kind:
        text = write(kind, language, Channel.SMS).text
        assert text.removeprefix("\u200f").startswith("Rosewater Café")
        assert ("/u/" in text) == (not kind.is_transactional)
        assert text.endswith("لغو۱۱") == (language == "fa" and not kind.is_transactional)


@pytest.mark.parametrize(("sender", "answered"), [("+639171234567", True), ("ROSEWATER", False), ("MG123", True)])
def test_senders_that_are_numbers_can_be_answered(write, shop, sender, answered):
    ChannelAccount.objects.create(store=shop, channel="sms", provider="twilio", secrets="", sender=sender, token=sender)
    own_words.forget(shop.pk)
    assert ("Reply STOP" in write(Kind.ASK, channel=Channel.SMS).text) == answered


# -- The store's own words --


@pytest.fixture
def mine(shop):
    journey = journeys.default_journey(shop, Kind.ASK)
    words = Wording("Mine for {{ name }}", "Mine, {{ name }}.", "", "mine {{ name }}", "say {{ name }}")
    journeys.save_words(journey, "fil", words, by=None, at=timezone.now())
    return Template.objects.for_store(shop).get()


def test_the_stores_words_take_the_place_of_ours(write, mine):
    mail = write(Kind.ASK, "fil")
    assert mail.subject == "Mine for Sara"
    assert "Mine, Sara." in mail.text
    assert "http://testserver/me/" in mail.text  # what it offers stays
    assert our_words(Kind.ASK, "fil").button in mail.html  # a piece left empty is ours
    assert write(Kind.ASK, "fil", Channel.SMS).text.startswith("Rosewater Café: mine Sara http://")
    assert "Mine" not in write(Kind.ASK, "en").subject


def test_they_hold_for_what_waits(shop, mine, make_customer, now):
    customer = make_customer(locale="fil")
    context = example(shop, Kind.ASK, "fil", at=now).context
    message = plan_message(customer, Kind.ASK, key="ask:1", due_at=now, context=context, at=now)
    message.channel = Channel.EMAIL
    assert letter(shop, message).subject == "Mine for Sara"
    assert script_of(shop, message, Way.CALL) == "say Sara"
    journeys.save_words(mine.journey, "fil", our_words(Kind.ASK, "fil"), by=None, at=now)
    assert letter(shop, message).subject != "Mine for Sara"


def test_each_of_the_owners_own_has_its_words(shop, make_customer, now):
    first, second = (journeys.create_own(shop, name, by=None, at=now) for name in ("A", "B"))
    journeys.save_words(second, "en", Wording("Only B", "b"), by=None, at=now)
    messages = [
        Message(store=shop, kind=Kind.OWN, journey=one, customer=make_customer(), channel="email", context={})
        for one in (first, second)
    ]
    assert [letter(shop, one).subject for one in messages] == ["A word from Rosewater Café", "Only B"]


def test_words_that_cannot_be_read_give_way_to_ours(write, mine):
    Template.objects.for_store(mine.store).update(body="{{ nmae }}")
    own_words.forget(mine.store_id)
    text = write(Kind.ASK, "fil").text
    assert "nmae" not in text
    assert our_words(Kind.ASK, "fil").body.split("{")[0].strip() in text


def test_a_batch_reads_the_words_once(shop, mine, make_customer, django_assert_max_num_queries, now):
    customers = [make_customer() for _ in range(5)]
    context = example(shop, Kind.ASK, "en", at=now).context
    batch = [Message(store=shop, kind=Kind.ASK, customer=one, channel="email", context=context) for one in customers]
    own_words.forget(shop.pk)
    with django_assert_max_num_queries(4):
        for message in batch:
            letter(shop, message)


def test_the_words_of_another_store_are_not_ours(shop, other_store, mine, make_customer):
    message = example(other_store, Kind.ASK, "fil", at=timezone.now())
    message.customer.pk, message.channel = 1, Channel.EMAIL
    assert "Mine" not in letter(other_store, message).subject


def test_the_language_is_theirs_or_the_stores(shop):
    assert language_of(shop, Customer(locale="fa")) == "fa"
    assert language_of(shop, Customer(locale="de")) == shop.locale
    assert unsubscribe_url(shop, Customer(pk=7)).startswith("http://testserver/u/")


def test_plain_text_of_html():
    html = (
        '<head><title>x</title></head><div style="display:none">hid<p>den</p></div><h1>Hi</h1><p>a <b>b</b>&amp;c'
        '<br>d <a href="https://x.example/?a=1&amp;b=2">go</a> <a href="https://x.example">https://x.example</a></p>'
        '<table><tr><td>1</td><td>2</td></tr></table><a href="tel:12">12</a>'
    )
    expected = "Hi\n\na b&c\nd go: https://x.example/?a=1&b=2 https://x.example\n\n1\n2\n\n12"
    assert plain_text(html) == expected


def test_compose_shows_no_style_block_in_a_frame(shop):
    message = example(shop, Kind.ASK, "en", at=timezone.now() + timedelta(days=1))
    message.channel = Channel.EMAIL
    words = our_words(Kind.ASK, "en")
    assert "prefers-color-scheme" not in compose(shop, message, words, "en", stop="x", framed=True).html
    assert "prefers-color-scheme" in compose(shop, message, words, "en", stop="x").html
