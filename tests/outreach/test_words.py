"""Our own words: every kind, every piece, every language, with much and with nothing known."""

import re

import pytest
from django.conf import settings
from django.utils import timezone

from outreach import fields
from outreach.kinds import Action, Kind, Way
from outreach.language import compile_words
from outreach.preview import conditions, example, preview, problems_of
from outreach.rendering import compose, script
from outreach.words import ENGLISH, PIECES, our_words

LANGUAGES = [code for code, _name in settings.LANGUAGES]
EVERY = [(kind, code) for kind in Kind for code in LANGUAGES]
IN_EACH = pytest.mark.parametrize("language", LANGUAGES)
VIEWS = ("mail", "text", "plain", "script")


def test_every_kind_has_every_piece_it_needs():
    assert set(ENGLISH) == set(Kind)
    for kind, words in ENGLISH.items():
        for name in ("subject", "body", "sms", "script"):
            assert words.piece(name), (kind, name)
        assert bool(words.button) == (kind.spec.action in (Action.SHARE, Action.BUTTON, Action.CODE)), kind


def test_they_can_be_read_in_every_language():
    for kind, language in EVERY:
        assert problems_of(kind, our_words(kind, language)) == [], (kind, language)


def test_they_never_print_what_may_be_missing():
    for kind, language in EVERY:
        for name in PIECES:
            text = our_words(kind, language).piece(name)
            words = compile_words(text, fields.names_of(kind), conditions(name))
            assert not words.unguarded & fields.risky(kind), (kind, language, name)


@IN_EACH
@pytest.mark.parametrize("bare", [False, True])
def test_they_read_well_with_much_and_with_nothing_known(store, language, bare):
    for kind in Kind:
        for view in VIEWS:
            shown = preview(store, kind, our_words(kind, language), language, view, at=timezone.now(), bare=bare)
            text = shown.script if view == "script" else shown.letter.text
            assert text.strip()
            for wrong in ("None", "{{", "{%", "  ", "\n\n\n", " .", " ,", "..", ": .", "()", "“”", "&amp;", "\ue000"):
                assert wrong not in text, (kind, view, wrong, text)
            if view == "mail":
                assert shown.letter.subject, kind
                assert "\n" not in shown.letter.subject


def test_english_texts_are_short_and_plain(store):
    for kind in Kind:
        shown = preview(store, kind, our_words(kind, "en"), "en", "text", at=timezone.now())
        assert shown.parts.encoding == "GSM-7", kind
        assert shown.parts.segments <= 2, kind
        assert len(re.sub(r"http\S+", "", shown.letter.text)) <= 160, kind
        assert "http" not in ENGLISH[kind].sms


def test_no_jargon():
    said = " ".join(words.piece(name) for words in ENGLISH.values() for name in PIECES).lower()
    for word in (
        "referral",
        "advocate",
        "detractor",
        "promoter",
        "conversion",
        "voucher",
        "redeem",
        "click here",
        "!!",
    ):
        assert word not in said


def test_a_script_differs_on_paper(store):
    message = example(store, Kind.REASK, "en", at=timezone.now())
    words = our_words(Kind.REASK, "en")
    assert "thank you for being our customer" in script(store, message, words, "en", Way.NOTE)
    assert "thank you for being our customer" not in script(store, message, words, "en", Way.CALL)
    assert "SARA-2K7M" in script(store, message, words, "en", Way.VISIT)


def test_a_broken_translation_gives_way_to_english(store, monkeypatch):
    broken = {"Send the gift": "{{ nmae }}"}
    monkeypatch.setattr("outreach.words.gettext", lambda text: broken.get(text, text))
    message = example(store, Kind.ASK, "fil", at=timezone.now())
    message.channel = "email"
    monkeypatch.setattr("outreach.rendering.our_words", our_words.__wrapped__)  # it remembers what was said before
    words = our_words.__wrapped__(Kind.ASK, "fil")
    assert "Send the gift" in compose(store, message, words, "fil", stop="x").html


def test_every_field_has_a_label_and_an_example():
    used = {name for kind in Kind for name in fields.names_of(kind)}
    assert used == set(fields.FIELDS)
    for one in fields.FIELDS.values():
        assert str(one.label)
        for language in LANGUAGES:
            assert one.sample(language, timezone.now()) or one.name == "store"
