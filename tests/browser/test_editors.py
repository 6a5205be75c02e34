"""The editors in a browser: the page beside the form follows what is typed, a draft, publishing, the way back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from referrals.services import programs
from referrals.services.terms import describe
from surveys.models import Survey
from tests.stack import until

pytestmark = pytest.mark.stack
PROCESSES = ("web",)
TEAM = {"manager": "manager"}
PLACES = [(390, "en"), (390, "fa"), (1440, "en"), (1440, "fa")]


@pytest.fixture
def program(stack, shop):
    """What the store's program says now; and its address."""
    made = stack.inside(shop.store, lambda: programs.program_of(shop.store))
    made.url = f"{shop.url}/d/rosewater/program/{made.public_id}/"
    made.now = lambda: stack.inside(shop.store, lambda: describe(programs.program_of(shop.store)))
    return made


@pytest.fixture
def desk(visitors, cookies):
    """`desk(width, language)`: the manager's page."""

    def at(width: int = 1440, language: str = "en", **options) -> Page:
        options |= {"viewport": {"width": width, "height": 900}, "storage_state": cookies("manager")}
        return visitors.new(locale=language, **options)

    return at


def fits(page: Page) -> None:
    """Nothing sticks out to the side."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def shown(page: Page):
    """What stands in the frame."""
    return page.frame_locator("#page-frame iframe")


def test_the_page_follows_is_drafted_published_and_goes_back(desk, program, visitors):
    page = desk()
    page.goto(program.url)
    expect(shown(page).locator(".offers")).to_contain_text("10% off")
    page.locator("#id_value").fill("25")
    expect(shown(page).locator(".offers")).to_contain_text("25% off")
    expect(page.locator("#coming .coming-changes")).to_contain_text("Friends get 25% off")
    the_frame_keeps_its_place_and_leads_nowhere(page)
    page.locator("label[for=view-friend]").click()
    expect(shown(page).locator("h1")).to_have_text("25% off")
    page.locator("#preview-language").select_option("fa")
    expect(shown(page).locator("html")).to_have_attribute("dir", "rtl")
    expect(shown(page).locator("h1")).to_contain_text("۲۵")
    page.locator("#id_value").fill("lots")
    expect(page.locator("#coming")).to_contain_text("Something cannot be read yet")
    expect(shown(page).locator("h1")).to_contain_text("۲۵")  # the page stays as it was
    page.get_by_role("button", name="Save draft", exact=True).click()
    expect(page.get_by_text("Saved as a draft")).to_be_visible()
    expect(page.locator("#id_value")).to_have_value("lots")
    assert program.now()["version"] == 1
    page.locator("#id_value").fill("30")
    expect(page.locator("#coming .coming-changes")).to_contain_text("Friends get 30% off")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("Published: it holds from now on.")).to_be_visible()
    assert program.now()["friend"]["percent"] == 30
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("The older version holds again")).to_be_visible()
    assert program.now()["friend"]["percent"] == 10


SCROLL = """() => new Promise((done) => {
  const frame = document.querySelector("#page-frame iframe").contentWindow;
  frame.addEventListener("scroll", () => done(), { once: true });
  frame.scrollTo(0, 300);
})"""
SCROLLED = "document.querySelector('#page-frame iframe').contentWindow.scrollY"


def the_frame_keeps_its_place_and_leads_nowhere(page: Page) -> None:
    page.evaluate(SCROLL)
    page.locator("#id_name").fill("Another name")
    expect(page.locator("#coming .coming-changes")).to_contain_text("Another name")
    until(lambda: page.evaluate(SCROLLED) == 300, what="the frame to be where it was")
    expect(shown(page).locator("a.tile").first).to_be_visible()
    assert page.evaluate("document.querySelector('#page-frame iframe').contentDocument.scripts.length") == 0


def test_leaving_with_something_typed_is_asked_about(desk, program):
    page, asked = desk(), []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto(program.url)
    page.locator("#preview-language").select_option("fil")  # only looked at
    page.get_by_role("link", name="Program & rewards").first.click()
    page.wait_for_url("**/program/")
    assert asked == []
    page.goto(program.url)
    page.locator("#id_name").fill("Half typed")
    page.get_by_role("link", name="Program & rewards").first.click()
    page.wait_for_url("**/program/")
    assert asked == ["beforeunload"]


def test_without_script_a_look_shows_the_page_and_what_changes(desk, program):
    page = desk(java_script_enabled=False)
    page.goto(program.url)
    page.locator("#id_value").fill("40")
    page.locator("label[for=view-friend]").click()
    page.get_by_role("button", name="Show", exact=True).first.click()
    assert "40% off" in (page.locator("#page-frame iframe").get_attribute("srcdoc") or "")
    expect(page.locator("#coming")).to_contain_text("Friends get 40% off")
    expect(page.locator("#id_value")).to_have_value("40")


@pytest.mark.parametrize(("width", "language"), PLACES)
def test_every_editor_fits_its_screen(desk, stack, shop, program, picture, width, language):
    survey = stack.inside(shop.store, lambda: Survey.objects.for_store(shop.store).first() or Survey.objects.create(
        store=shop.store, name="Till", occasion="counter"))  # fmt: skip
    page = desk(width, language)
    pages = {
        "program": program.url,
        "program-new": f"{shop.url}/d/rosewater/program/new/",
        "journey": f"{shop.url}/d/rosewater/messages/journeys/ask/",
        "survey": f"{shop.url}/d/rosewater/questions/{survey.public_id}/",
    }
    for name, address in pages.items():
        page.goto(f"{address}?lang={language}")
        if name == "program":
            page.locator("#preview-language").select_option(language)
            page.locator("#id_value").fill("35")
            expect(page.locator("#coming .coming-changes li")).to_have_count(1)
        fits(page)
        picture(page, f"editor-{name}-{width}-{language}")
