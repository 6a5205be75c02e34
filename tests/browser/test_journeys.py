"""The editor of every kind of message in a browser: the preview follows what is typed, nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from outreach.kinds import Kind
from outreach.preview import preview
from outreach.words import our_words
from tests.browser.conftest import Shop
from tests.stack import Stack, until

pytestmark = pytest.mark.stack
PROCESSES = ("web",)
TEAM = {"manager": "manager"}
WALKED = (Kind.SURVEY, Kind.ASK)  # and Kind.OWN: the long way; the others the short one
WIDTHS = (390, 1440)
OWN = "Two months after"


class Desk:
    """The manager at the editors, with what a person sees there."""

    def __init__(self, page: Page, stack: Stack, shop: Shop) -> None:
        self.page, self.stack, self.shop = page, stack, shop
        self.journeys = f"{shop.url}/d/rosewater/messages/journeys/"

    def open(self, slug: str) -> None:
        self.page.goto(f"{self.journeys}{slug}/")
        expect(self.page.locator("main h1")).not_to_be_empty()

    def piece(self, name: str, language: str = "en"):
        """The field of one piece of the words."""
        return self.page.locator(f"#id_words-{language}-{name}")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def publish(self) -> None:
        """As soon as the page says what that changes: a press before it would only show that."""
        expect(self.page.locator("#coming .coming-changes")).to_contain_text("Before:")
        self.press("Publish")
        self.said("Published: it holds from now on")

    def choose(self, tab: str) -> None:
        """A language, or a way to look, by its tab: "language-fa", "view-text"."""
        self.page.locator(f"label.chip[for={tab}]").click()

    @property
    def beside(self):
        """What people get."""
        return self.page.locator("#beside")

    @property
    def letter(self):
        """The letter in its frame."""
        return self.page.frame_locator("#beside iframe.preview-mail").locator("body")

    def said(self, text: str) -> None:
        """What the page says after a step."""
        expect(self.page.locator("[role=status], [role=alert]").filter(has_text=text)).to_be_visible()

    def ours(self, kind: Kind, language: str = "en"):
        """The letter of our own words, as a test reads it, not as the page does."""
        store, words = self.shop.store, our_words(kind, language)
        return self.stack.inside(store, lambda: preview(store, kind, words, language, "mail", at=timezone.now())).letter

    def fits(self) -> None:
        """No page is wider than its screen, on a phone or on a desk."""
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            shown = self.page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
            assert shown[0] <= shown[1], (self.page.url, shown)


@pytest.fixture
def desk(stack, shop, visitors, cookies) -> Desk:
    page = visitors.new(viewport={"width": 1440, "height": 900}, storage_state=cookies("manager"))
    return Desk(page, stack, shop)


def test_every_kind_shows_its_letter_and_keeps_a_changed_subject(desk):
    for kind in Kind:
        if kind not in (*WALKED, Kind.OWN):
            opened_and_saved(desk, kind)


def opened_and_saved(desk, kind):
    desk.open(kind)
    expect(desk.page.locator("main h1")).to_have_text(str(kind.label))
    shows_our_letter(desk, kind)
    desk.fits()
    desk.piece("subject").fill(f"{kind.value}: news for {{{{ name }}}}")
    desk.publish()
    expect(desk.piece("subject")).to_have_value(f"{kind.value}: news for {{{{ name }}}}")
    expect(desk.beside.locator(".preview-subject")).to_have_text(f"{kind.value}: news for Sara")


def shows_our_letter(desk, kind):
    """Beside the form stands the letter in this kind's words, to somebody called Sara."""
    ours = desk.ours(kind)
    expect(desk.beside.locator(".preview-subject")).to_have_text(ours.subject)
    second = re.split(r"\n\s*\n", ours.text)[1]  # after "Hello Sara,"
    expect(desk.letter).to_contain_text("Sara")
    expect(desk.letter).to_contain_text(" ".join(second.split()))


@pytest.fixture
def own(desk) -> Callable[[], str]:
    """Makes a message of the owner's own; its place in addresses."""

    def make() -> str:
        desk.page.goto(f"{desk.journeys}new/")
        desk.page.get_by_label("Name").fill(OWN)
        desk.press("Go on to its words")
        desk.said("Here it is, switched off")
        return desk.page.url.rstrip("/").rpartition("/")[2]

    return make


@pytest.mark.parametrize("kind", [*WALKED, Kind.OWN])
def test_words_are_written_looked_at_refused_mended_and_switched(desk, own, visitors, picture, kind):
    slug = own() if kind == Kind.OWN else str(kind)
    desk.open(slug)
    shows_our_letter(desk, kind)
    the_preview_follows(desk)
    the_other_forms_are_shown(desk, kind)
    visitors.refusals = True
    a_wrong_field_is_refused(desk, slug, picture)
    it_is_mended_and_saved(desk)
    the_list_switches(desk, OWN if kind == Kind.OWN else str(kind.label), picture)


def the_preview_follows(desk):
    """While one types, without saving."""
    desk.piece("subject").fill("A word for {{ name }}")
    expect(desk.beside.locator(".preview-subject")).to_have_text("A word for Sara")
    desk.piece("body").fill("Dear {{ name }},\n\nthe kettle is on at {{ store }}.")
    expect(desk.letter).to_contain_text("the kettle is on at Rosewater Café.")


def the_other_forms_are_shown(desk, kind):
    """As a text, with what it is paid as; in Persian, from right to left."""
    desk.choose("view-text")
    expect(desk.beside).to_contain_text(re.compile(r"Sent and paid as \d text"))
    expect(desk.beside.locator(".preview-text")).to_contain_text("Rosewater Café")
    desk.choose("language-fa")
    expect(desk.beside.locator(".preview-text")).to_have_attribute("dir", "rtl")
    expect(desk.beside).to_contain_text("Persian texts hold 70 characters each.")
    desk.choose("view-mail")
    expect(desk.beside.locator(".preview-subject")).to_have_attribute("dir", "rtl")
    expect(desk.beside.locator(".preview-subject")).to_have_text(desk.ours(kind, "fa").subject)
    expect(desk.page.frame_locator("#beside iframe.preview-mail").locator("html")).to_have_attribute("dir", "rtl")
    expect(desk.piece("subject", "fa")).to_have_attribute("dir", "rtl")


def a_wrong_field_is_refused(desk, slug, picture):
    """At its place, in the language it is wrong in; what was typed in others stays as well."""
    desk.piece("subject", "fa").fill("سلام {{ nmae }}")
    expect(desk.beside).to_contain_text("There is no field {{ nmae }}; did you mean {{ name }}?")
    desk.choose("language-en")
    desk.press("Publish")
    desk.said("Nothing is published yet")
    expect(desk.piece("subject", "fa")).to_be_visible()
    expect(desk.piece("subject", "fa")).to_have_value("سلام {{ nmae }}")
    expect(desk.page.locator(".field-error, .invalid-feedback").first).to_contain_text("did you mean {{ name }}?")
    expect(desk.piece("subject")).to_have_value("A word for {{ name }}")
    expect(desk.piece("body")).to_have_value("Dear {{ name }},\n\nthe kettle is on at {{ store }}.")
    desk.fits()
    picture(desk.page, f"journey-{slug}-refused")


def it_is_mended_and_saved(desk):
    desk.piece("subject", "fa").fill("سلام {{ name }}")
    expect(desk.beside.locator(".preview-subject")).to_have_text("سلام سارا")
    desk.publish()
    expect(desk.piece("subject", "fa")).to_have_value("سلام {{ name }}")
    expect(desk.piece("subject")).to_have_value("A word for {{ name }}")


def the_list_switches(desk, name, picture):
    """Off and on, or on and off; each undoes the other."""
    desk.page.goto(desk.journeys)
    switch = desk.page.get_by_role("switch", name=name, exact=True)
    was = switch.get_attribute("aria-checked")
    for now in ("false", "true") if was == "true" else ("true", "false"):
        switch.click()
        expect(switch).to_have_attribute("aria-checked", now)
        desk.said("is switched on" if now == "true" else "is switched off")
    desk.fits()
    picture(desk.page, "journeys")


def test_one_sends_oneself_a_test_of_what_is_typed(desk):
    """The letter as it stands on the page, saved or not, to the address one logs in with."""
    desk.open(Kind.WELCOME_BACK)
    desk.piece("subject").fill("We kept your cup, {{ name }}")
    desk.press("Send me the letter")
    expect(desk.page.locator("#trial")).to_contain_text("A test is on its way to")
    expect(desk.page.locator("#trial")).to_contain_text("manager@example.com")
    (mail,) = until(lambda: desk.stack.mail.to("manager@example.com"), what="the test letter")
    assert mail.message["Subject"] == "[Test] We kept your cup, Sara"
    assert "Rosewater Café" in mail.text
    desk.page.get_by_label("Your phone number").fill("12")
    desk.press("Send me the text")
    expect(desk.page.locator("#trial")).to_contain_text("This is not a phone number")
