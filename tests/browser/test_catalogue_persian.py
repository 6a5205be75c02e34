"""Every page there is, in Persian: from right to left, for every eye, on every width, by day and by night.

`-k "not translated"` leaves out what waits for translators alone.
"""

from __future__ import annotations

import pytest

from tests.browser.catalogue import MORE, PAGES
from tests.browser.catalogue_walk import Walk, walk
from tests.browser.catalogue_world import PERSIAN, World
from tests.browser.looking import foreign_digits, untranslated

pytestmark = pytest.mark.stack
PROCESSES = ("web",)
SETTINGS = {"EMAIL_CHANNEL": "outbox", "SMS_CHANNEL": "outbox", "DEMO": "1"}


@pytest.fixture(scope="module")
def world(running) -> World:
    return World(running, PERSIAN)


@pytest.fixture(scope="module")
def walking(chromium, world) -> Walk:
    with walk(chromium, world) as one:
        yield one


@pytest.mark.parametrize("title", [*PAGES, *MORE])
def test_persian(title, walking):
    assert walking.look(title, "fa").wrong == []


def test_no_latin_digits_in_persian_sentences(walking):
    left = {title: found for title, texts in walking.texts("fa") if (found := sorted(set(foreign_digits(texts))))}
    assert left == {}


def test_persian_is_translated(walking):
    left = {title: found for title, texts in walking.texts("fa") if (found := sorted(set(untranslated(texts, "fa"))))}
    assert left == {}
