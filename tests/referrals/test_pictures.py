"""The card that chat apps show beside a link, and the picture for a story."""

import re
from io import BytesIO

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from PIL import Image

from referrals import picture_views
from referrals.materials import drawing
from referrals.models import Program
from referrals.public import pictures
from referrals.public.spelling import spelled
from referrals.services import prints, programs
from referrals.services.programs import program_of
from stores import tokens
from tests.referrals.print_world import addresses

BOT = {"user-agent": "WhatsApp/2.24"}


@pytest.fixture
def url(store, share_link):
    return f"/me/{tokens.make(tokens.Purpose.SHARE, store.pk, share_link.customer)}"


def meta(page) -> dict[str, str]:
    return dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)"', page.content.decode()))


def picture(page) -> Image.Image:
    assert page.status_code == 200
    assert page["Content-Type"] == "image/png"
    return Image.open(BytesIO(page.content))


@pytest.mark.parametrize("language", ["en", "fa", "fil"])
def test_a_chat_shows_gift_shop_and_picture(store, share_link, language):
    client = Client(headers=BOT)
    told = meta(client.get(f"/r/{share_link.code}?lang={language}"))
    assert {"og:title", "og:description", "og:url", "og:image"} <= set(told)
    assert (told["og:image:width"], told["og:image:height"]) == ("1200", "630")
    path = told["og:image"].removeprefix("http://testserver")
    assert path.endswith(f"/{language}.png")
    page = client.get(path)
    assert picture(page).size == (1200, 630)
    assert len(page.content) < 100_000
    assert page["Cache-Control"] == "public, max-age=86400"


def test_an_invitation_has_a_card_too(client, store):
    run = prints.open_site(store, name="On your site", by=None, at=timezone.now())
    told = meta(client.get(f"/j/{run.code}"))
    assert told["og:title"] == "Bring a friend, and both of you get a gift"
    assert told["og:image"].endswith("/en.png")


def test_the_card_is_one_for_all_and_names_nobody(store, share_link, make_customer, monkeypatch):
    drawn = []
    monkeypatch.setattr(drawing, "painted", lambda html, *size: drawn.append(html) or b"png")
    terms = program_of(store).terms
    assert pictures.card(terms, store, "en") == pictures.card(terms, store, "en") == b"png"
    (html,) = drawn
    for hidden in ("Sara", share_link.code):
        assert hidden not in html


def test_the_card_is_drawn_where_the_cache_is_away(store, monkeypatch):
    monkeypatch.setattr(drawing, "painted", lambda html, *size: b"png")

    def away(*args, **kwargs):
        raise ConnectionError

    monkeypatch.setattr(cache, "get", away)
    assert pictures.card(program_of(store).terms, store, "en") == b"png"


def test_other_tokens_and_languages_have_no_card(client, store, share_link):
    terms = program_of(store).terms
    token = tokens.make(tokens.Purpose.TERMS, store.pk, terms)
    assert client.get(f"/terms/{token}/de.png").status_code == 404
    assert client.get(f"/terms/{token[:-2]}xx/en.png").status_code == 404
    other = tokens.make(tokens.Purpose.SHARE, store.pk, terms)
    assert client.get(f"/terms/{other}/en.png").status_code == 404


def test_a_story_carries_the_advocates_own_link(client, url, share_link):
    page = client.get(f"{url}/story.png")
    drawn = picture(page)
    assert drawn.size == (1080, 1920)
    assert addresses(drawn) == [f"http://testserver/r/{share_link.code}"]
    assert "attachment" in page["Content-Disposition"]


def test_stories_are_not_drawn_without_end(client, url, monkeypatch):
    monkeypatch.setattr(pictures, "story", lambda *args: b"png")
    monkeypatch.setattr(picture_views, "STORIES", 2)
    assert [client.get(f"{url}/story.png").status_code for _ in range(3)] == [200, 200, 429]


def test_a_resting_program_has_no_story(client, url, store):
    programs.set_status(program_of(store), Program.Status.PAUSED, by=None, at=timezone.now())
    assert client.get(f"{url}/story.png").status_code == 404


def test_a_server_that_cannot_draw_offers_neither(client, url, share_link, monkeypatch):
    monkeypatch.setattr(drawing, "paper", None)
    assert "story.png" not in client.get(url).content.decode()
    assert "og:image" not in meta(client.get(f"/r/{share_link.code}"))
    assert client.get(f"{url}/story.png").status_code == 404


def test_a_code_is_spelled_for_the_voice(client, share_link):
    assert spelled("SARA-7K2") == [["S", "A", "R", "A"], ["seven", "K", "two"]]
    text = client.get(f"/r/{share_link.code}").content.decode()
    assert "Letter by letter:" in text
    assert "<bdi>S</bdi> <bdi>A</bdi> <bdi>R</bdi> <bdi>A</bdi>" in text
