"""A letter from its frame is the letter that the template makes, whatever people are called and owners write."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils.translation import override
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.models import Channel
from outreach import fields, frames, rendering
from outreach.kinds import Kind
from outreach.preview import example
from outreach.words import our_words
from stores.models import Store

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NASTY = [
    "",
    " ",
    "a  b",
    "--",
    "<b>x</b>",
    "&amp;",
    "“Bea”",
    "سارا",
    "\u2068Bea\u2069",
    "a\nb",
    "x\n\n\ny",
    "\u00a0",
    "%(a)s",
]
text = st.sampled_from(NASTY) | st.text(max_size=30) | st.text("ab \n&<>\u2068\u2069-سا", max_size=12)
URLS = st.sampled_from(["", "https://shop.example/me/1?a=1&b=2", "http://x/ y", "shop.example", "javascript:1"])


def context_of(kind: Kind, language: str, *, store: Store | None = None, **context):
    """What the layout gets for a made-up letter."""
    shop = store or Store(name="Bread & Salt", locale="fa", postal_address="Main St 1", website="https://shop.example")
    message = example(shop, kind, language, at=NOW)
    message.channel = Channel.EMAIL
    links = message.context["links"] | context.pop("links", {})
    message.context = {**message.context, **context, "links": links}
    with override(language):
        values = fields.values(shop, message, language)
        words = our_words(kind, language)
        return rendering._mail(shop, message, words, language, values, stop="https://shop.example/u/1", framed=False)


@pytest.mark.parametrize("language", ["en", "fa", "fil"])
@pytest.mark.parametrize("kind", list(Kind))
def test_our_own_letters_are_filled_into_frames(kind, language):
    context = context_of(kind, language)
    with override(language):
        assert frames.in_slots(context) == frames.in_full(context)


@settings(max_examples=300)
@given(
    kind=st.sampled_from(list(Kind)),
    language=st.sampled_from(["en", "fa", "fil"]),
    given=st.dictionaries(
        st.sampled_from(["name", "friend", "product", "code", "gift", "friend_gets", "you_get", "body", "asks", "why"]),
        text,
    ),
    links=st.dictionaries(st.sampled_from(["action", "share", "survey", "landing"]), URLS),
    shop=st.fixed_dictionaries({"name": text, "postal_address": text, "phone": text, "website": URLS}),
)
def test_whatever_stands_in_it_the_letter_is_the_same(kind, language, given, links, shop):
    context = context_of(kind, language, store=Store(locale=language, **shop), **given, links=links)
    with override(language):
        quick = frames.in_slots(context)
        assert quick is None or quick == frames.in_full(context)


def test_words_that_would_change_what_is_around_them_are_rendered_in_full():
    for name, value in {"code": "a  b", "asks": "two\nlines"}.items():
        context = context_of(Kind.REWARD if name == "code" else Kind.SURVEY, "en", **{name: value})
        assert frames.in_slots(context) is None
        assert frames.page(context) == frames.in_full(context)


def test_no_letter_has_another_ones_words():
    first, second = (context_of(Kind.ASK, "en", code=code) for code in ("SARA-1", "BEA-2"))
    assert "BEA-2" not in frames.page(first).html + frames.page(first).text
    assert "SARA-1" not in frames.page(second).html + frames.page(second).text
