"""Every kind of letter, through every channel, in every language, with much and with little to say."""

import re
from html import unescape

import pytest

from customers.models import Channel
from outreach.models import Kind, Message
from outreach.rendering import letter, unsubscribe_url
from referrals.services.asking import ask_context
from stores.models import Store

PLANNED = [Kind.SURVEY, Kind.ASK, Kind.REWARD, Kind.GIFT]
LANGUAGES = ["en", "fa", "fil"]
EVERY = pytest.mark.parametrize(("kind", "language"), [(kind, language) for kind in PLANNED for language in LANGUAGES])
LINKS = {"survey": "survey", "ask": "share", "reward": "share"}  # a gift carries its code instead
TAG = re.compile(r"<!--.*?-->|<style.*?</style>|<[^>]+>", re.DOTALL)


@pytest.fixture
def link(share_link, store):
    Store.objects.filter(pk=store.pk).update(postal_address="12 Katipunan Ave, Quezon City", phone="+63 2 8123 4567")
    store.refresh_from_db()
    return share_link


@pytest.fixture
def write(store, link):
    """A function that renders a letter of a kind to Sara, in a language, through a channel."""

    def render(kind, language, channel, **changes):
        customer = link.customer
        customer.locale, customer.name = language, changes.pop("name", "Sara Ahmadi")
        context = context_of(store, customer, link, kind) | changes
        message = Message(store=store, customer=customer, kind=kind, channel=channel, to="there", context=context)
        return letter(store, message), context

    return render


def context_of(store, customer, link, kind):
    """What the services put into the row."""
    stop = unsubscribe_url(store, customer)
    if kind == Kind.ASK:
        return ask_context(store, customer, link, "Blue Mug")
    if kind == Kind.SURVEY:
        return {"product": "Blue Mug", "links": {"survey": "http://testserver/s/tok", "unsubscribe": stop}}
    if kind == Kind.REWARD:
        return {
            "gift": "10% off",
            "is_advocate": True,
            "links": {"share": "http://testserver/me/tok", "unsubscribe": stop},
        }
    links = {"landing": "http://testserver/r/SARA", "unsubscribe": stop}
    return {"gift": "10% off", "code": "ABCD-EFGH-JKM", "advocate": "Sara A.", "until": "2026-12-24", "links": links}


def words(html):
    return unescape(TAG.sub(" ", html))


def assert_clean(text):
    assert "None" not in text
    assert "{{" not in text
    assert "{%" not in text
    assert "&amp;" not in text
    assert "\n\n\n" not in text
    assert not text.startswith("\n")


@EVERY
def test_mail(write, store, kind, language):
    mail, _ = write(kind, language, Channel.EMAIL)
    assert_clean(mail.text)
    assert_clean(words(mail.html))
    assert mail.subject
    assert "\n" not in mail.subject
    assert mail.sender_name == "Rosewater Café"
    for body in (mail.text, words(mail.html)):
        assert "Rosewater Café" in body
        assert "12 Katipunan Ave, Quezon City" in body
        assert "+63 2 8123 4567" in body
    assert f'dir="{"rtl" if language == "fa" else "ltr"}"' in mail.html
    assert f'lang="{language}"' in mail.html


@EVERY
def test_mail_carries_its_link(write, kind, language):
    mail, context = write(kind, language, Channel.EMAIL)
    if kind == Kind.GIFT:
        assert "ABCD-EFGH-JKM" in mail.text
        assert "ABCD-EFGH-JKM" in mail.html
    else:
        assert context["links"][LINKS[kind]] in mail.text
        assert f'href="{context["links"][LINKS[kind]]}' in mail.html


@EVERY
def test_only_what_was_not_just_asked_for_has_a_way_out(write, store, link, kind, language):
    mail, _ = write(kind, language, Channel.EMAIL)
    stop = unsubscribe_url(store, link.customer)
    if kind == Kind.GIFT:
        assert mail.headers == {}
        assert stop not in mail.text + mail.html
    else:
        assert mail.headers == {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        assert stop in mail.text
        assert f'href="{stop}"' in mail.html


@EVERY
def test_text_message(write, store, link, kind, language):
    text, context = write(kind, language, Channel.SMS)
    assert_clean(text.text)
    assert text.text.removeprefix("\u200f").startswith("Rosewater Café")
    assert (context["links"][LINKS[kind]] if kind != Kind.GIFT else "ABCD-EFGH-JKM") in text.text
    without_links = re.sub(r"http\S+", "", text.text)
    assert len(without_links) <= 160
    assert (unsubscribe_url(store, link.customer) in text.text) == (not kind.is_transactional)


@EVERY
def test_without_name_product_and_the_rest(write, store, kind, language):
    Store.objects.filter(pk=store.pk).update(postal_address="", phone="")
    store.refresh_from_db()
    bare = {"product": "", "advocate": "", "until": "", "you_get": ""}
    for channel in Channel:
        sent, _ = write(kind, language, channel, name="", **bare)
        assert_clean(sent.text)
        assert_clean(words(sent.html))
    if language == "en":
        mail, _ = write(kind, language, Channel.EMAIL, name="", **bare)
        assert mail.text.startswith("Rosewater Café\n\nHello there,\n")


@EVERY
def test_odd_names_and_products_do_no_harm(write, kind, language):
    odd = "<script>alert('x')</script> & \u202e Ωmega " + "x" * 200
    for channel in Channel:
        sent, _ = write(kind, language, channel, name=odd, product=odd, advocate=odd)
        assert "<script>" not in sent.html
        assert "\n" not in sent.subject
        assert "&lt;" not in sent.text
        assert "&#x27;" not in sent.text
    mail, _ = write(kind, language, Channel.EMAIL, name=odd, product=odd, advocate=odd)
    assert len(mail.subject) <= 250


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_score_is_one_tap(write, language):
    mail, _ = write(Kind.SURVEY, language, Channel.EMAIL)
    for score in range(11):
        assert f'href="http://testserver/s/tok?score={score}"' in mail.html
        assert f"http://testserver/s/tok?score={score}\n" in mail.text


def test_the_ask_names_the_product_the_code_and_both_gifts(write, link):
    mail, _ = write(Kind.ASK, "en", Channel.EMAIL)
    for body in (mail.text, words(mail.html)):
        for part in ("Blue Mug", link.code, f"http://testserver/r/{link.code}", "10% off"):
            assert part in body
        assert body.index("10% off on their first order") < body.index("thank-you for you")


def test_the_gift_says_from_whom_and_until_when(write):
    mail, _ = write(Kind.GIFT, "en", Channel.EMAIL)
    assert mail.subject == "Your gift from Sara A.: 10% off"
    assert "Good until" in mail.text
    assert "24" in mail.text


def test_a_reward_thanks_the_advocate_and_greets_the_friend(write):
    advocate, _ = write(Kind.REWARD, "en", Channel.EMAIL, is_advocate=True)
    friend, _ = write(Kind.REWARD, "en", Channel.EMAIL, is_advocate=False)
    assert "because of you" in advocate.text
    assert "your first order" in friend.text


def test_mail_holds_in_old_programs_and_in_the_dark(write):
    mail, _ = write(Kind.SURVEY, "en", Channel.EMAIL)
    assert 'name="color-scheme"' in mail.html
    assert "<!--[if mso]>" in mail.html
    for outside in ("<link", "<script", "<img", "url("):
        assert outside not in mail.html
    assert len(mail.html.encode()) < 60_000
