"""Replies to start from, and the cap on apologies."""

import pytest

from outreach.language import compile_words
from stores.models import AuditEvent, Store
from surveys import replies
from surveys.models import ReplyTemplate
from surveys.starters import replies_in

URL = "/d/rosewater/unhappy/replies/"
CAP = f"{URL}cap/"


def form(*rows):
    data = {"replies-TOTAL_FORMS": str(len(rows)), "replies-INITIAL_FORMS": "0"}
    for number, (name, text) in enumerate(rows):
        data |= {f"replies-{number}-name": name, f"replies-{number}-text": text}
    return data


@pytest.mark.parametrize("language", ["en", "fa", "fil"])
def test_ours_can_be_read_in_every_language(language):
    for _name, text in replies_in(language):
        compile_words(text, replies.FIELDS)


def test_ours_stand_there_at_first(manager, store):
    page = manager.get(URL).content.decode()
    assert "We will call you" in page
    assert "These are our words" in page
    assert not ReplyTemplate.objects.for_store(store).exists()


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("fa", "rtl")])
def test_its_words_are_typed_in_the_direction_of_their_language(manager, language, direction):
    """A line that begins with a field would run the other way by itself."""
    page = manager.get(f"{URL}?language={language}").content.decode()
    assert page.count(f'dir="{direction}"') > 2 * 4
    assert 'dir="auto"' not in page.partition("<form method")[2].partition("</form>")[0]


def test_own_words_take_their_place_in_that_language_only(manager, store):
    assert manager.post(f"{URL}?language=fa", form(("سلام", "{{ name }} عزیز"), ("", ""))).status_code == 302
    assert [one.name for one in replies.replies(store, "fa")] == ["سلام"]
    assert len(replies.replies(store, "en")) == 4


def test_emptying_all_brings_ours_back(manager, store):
    manager.post(URL, form(("Mine", "Hello")))
    manager.post(URL, form(("", "")))
    assert not ReplyTemplate.objects.for_store(store).exists()
    assert len(replies.replies(store, "en")) == 4


def test_saving_ours_unchanged_keeps_them_ours(manager, store):
    manager.post(URL, form(*replies_in("en")))
    assert not ReplyTemplate.objects.for_store(store).exists()


@pytest.mark.parametrize(
    "rows",
    [
        [("Mine", "Dear {{ nmae }}")],
        [("Mine", "{% load secrets %}")],
        [("", "no name")],
        [("no text", "")],
        [("Twin", "one"), ("Twin", "two")],
        [("x" * 81, "text")],
        [(f"n{number}", "text") for number in range(13)],
    ],
)
def test_wrong_ones_are_kept_on_the_form(manager, store, rows):
    page = manager.post(URL, form(*rows))
    assert page.status_code == 422
    assert not ReplyTemplate.objects.for_store(store).exists()


def test_what_was_typed_stays(manager, store):
    assert "{{ nmae }}" in manager.post(URL, form(("Mine", "Dear {{ nmae }}"))).content.decode()


def test_strangers_and_staff_change_nothing(stranger, staff, store):
    assert stranger.post(URL, form(("Mine", "Hello"))).status_code == 404
    assert staff.post(URL, form(("Mine", "Hello"))).status_code == 403
    assert not ReplyTemplate.objects.for_store(store).exists()


def test_other_methods(manager, owner):
    assert manager.put(URL).status_code == 405
    assert owner.get(CAP).status_code == 405


@pytest.mark.parametrize(("typed", "kept"), [("1,000", 1_000_00), ("۵۰۰", 500_00), ("0", 0), ("", None)])
def test_the_cap(owner, store, typed, kept):
    Store.objects.filter(pk=store.pk).update(apology_cap_minor=7)
    assert owner.post(CAP, {"cap": typed}).status_code == 302
    store.refresh_from_db()
    assert store.apology_cap_minor == kept
    assert AuditEvent.objects.for_store(store).filter(action="settings.changed").exists()


@pytest.mark.parametrize("typed", ["-5", "a lot", "1.234.5"])
def test_a_wrong_cap_stays_on_the_form(owner, store, typed):
    page = owner.post(CAP, {"cap": typed})
    assert page.status_code == 422
    assert typed in page.content.decode()
    store.refresh_from_db()
    assert store.apology_cap_minor is None


def test_only_owners_set_the_cap(manager, stranger, store):
    assert manager.post(CAP, {"cap": "5"}).status_code == 403
    assert stranger.post(CAP, {"cap": "5"}).status_code == 404
    store.refresh_from_db()
    assert store.apology_cap_minor is None
